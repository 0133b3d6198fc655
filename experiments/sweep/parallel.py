"""Parallel coordinates: a line per configuration through all its settings to its loss."""

import textwrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.kit import pages, style, words
from experiments.sweep import landscape
from experiments.sweep.importance import evenly, varying
from experiments.sweep.leaderboard import said, varying_static

NONE, LOST = -0.12, 1.12  # below an axis for who lacks the number, above it for the diverged
DASHED = (0, (4, 3))
MOST = 300  # lines
# Of the landscape's colours those that thin lines are seen in on light and dark grounds.
SEEN = ListedColormap(style.MAGNITUDE(np.linspace(0.35, 1, 256)), "seen")


class Scale(NamedTuple):
    """An axis: its title, where configurations lie on it [K] from 0 to 1, and {place: text}."""

    title: str
    places: np.ndarray
    ticks: dict[float, str]


def panels(configs: pd.DataFrame, loss_name: str, guessing: float, chosen: int | None):
    """(name, figure, alt text); none where less than two settings vary, or all diverged."""
    names, norm = varying(configs), landscape.loss_norm(configs["mean"], guessing)
    if len(names) < 2 or chosen is None:
        return []
    shows = f"Configurations as lines through {words.listed(map(words.name, names))} to their loss"
    return [("parallel", draw(kept(configs, chosen), names, loss_name, norm, chosen), shows)]


def kept(configs: pd.DataFrame, chosen: int | None) -> pd.DataFrame:
    """At most so many configurations as can be seen, evenly by rank, and the chosen one."""
    return configs[evenly(configs, MOST) | (configs["config"] == chosen)]


def draw(configs, names: list[str], loss_name: str, norm: Normalize, chosen: int) -> Figure:
    """The settings' axes from left to right, then the loss's, by which lines are coloured."""
    means = configs["mean"]
    scales = [scale(configs, name) for name in names] + [loss_scale(means, norm, loss_name)]
    across, up = np.arange(len(scales)), np.column_stack([of_one.places for of_one in scales])
    figure, axes = style.panel(9.6, 4.6)
    lost, at = means.isna().to_numpy(), (configs["config"] == chosen).to_numpy()
    colours = SEEN(norm(means.to_numpy()))
    width = float(np.clip(80 / len(configs), 0.6, 1.6))
    for rows, look in (
        (
            lost,
            {"colors": style.MUTED, "lw": 0.8, "ls": DASHED, "alpha": 0.45, "label": "diverged"},
        ),
        (~lost & ~first(configs), {"lw": width, "alpha": 0.45}),
        (first(configs), {"colors": style.ACCENT, "lw": width + 0.4, "label": "the best"}),
        (at, {"colors": style.INK, "lw": 2.2, "label": "chosen"}),
    ):
        if rows.any():
            lines = [np.column_stack([across, line]) for line in up[rows][::-1]]  # best on top
            axes.add_collection(LineCollection(lines, **{"colors": colours[rows][::-1]} | look))
    for x, of_one in enumerate(scales):
        _axis(axes, x, of_one, 100 // len(scales))
    axes.set_xlim(-0.35, len(scales) - 0.5)
    axes.set_ylim(min(0, np.min(up)) - 0.05, max(1, np.max(up)) + 0.05)
    axes.set_axis_off()
    style.legend_below(figure, axes)
    return figure


def first(configs: pd.DataFrame) -> np.ndarray:
    """[K] whether a configuration is of the best tenth of the finite ones, of at least three."""
    alive = configs["mean"].notna().to_numpy()
    return alive & (np.cumsum(alive) <= max(3, np.ceil(alive.sum() / 10)))


def scale(configs: pd.DataFrame, name: str) -> Scale:
    """The axis of a setting; lines of one static choice lie side by side, by rank."""
    if name not in varying_static(configs):
        values, title, is_log = landscape.coordinate(name, configs[name].to_numpy(float))
        places, ticks = _numbers(values, np.nanmin(values), np.nanmax(values), is_log)
        lacks = np.isnan(values)
        more = {NONE: "none"} if lacks.any() else {}
        return Scale(title, np.where(lacks, NONE, places), ticks | more)
    codes, options = pd.factorize(configs[name], sort=True)
    spread = np.linspace(-0.2, 0.2, len(configs))
    places = (codes + 0.5 + spread) / len(options)
    ticks = {(i + 0.5) / len(options): str(option) or "none" for i, option in enumerate(options)}
    return Scale(words.name(name), places, ticks)


def loss_scale(means: pd.Series, norm: Normalize, loss_name: str) -> Scale:
    """The axis of the loss, as its colours: what lies above them is drawn at the top."""
    lost, is_log = means.isna().to_numpy(), isinstance(norm, LogNorm)
    places, ticks = _numbers(means.to_numpy(float), norm.vmin, norm.vmax, is_log)
    places = np.where(lost, LOST, np.minimum(places, 1))
    more = {LOST: "diverged"} if lost.any() else {}
    return Scale(f"validation {words.loss(loss_name)}", places, ticks | more)


def caption(configs: pd.DataFrame, loss_name: str, guessing: float) -> str:
    """The lines in words."""
    means, best = configs["mean"].dropna(), configs[first(configs)]
    static = varying_static(configs)
    spans = landscape.spans(best, [name for name in varying(configs) if name not in static])
    for name in static:
        options = sorted(best[name].unique())
        if len(options) < configs[name].nunique():
            told = words.listed(said(name, option) or "none" for option in options)
            spans.append(f"{words.name(name)} {told}")
    top = landscape.loss_norm(means, guessing).vmax
    told = (
        words.name(loss_name),
        means,
        len(best),
        spans,
        len(configs),
        min(MOST, len(configs)),
        top,
    )
    return pages.macros("sweep/words.html").parallel(*told)


def _numbers(values: np.ndarray, low: float, high: float, is_log: bool):
    """Places of values on an axis from low to high, and its ticks."""
    ticks = style.log_ticks(low, high) if is_log else MaxNLocator(5).tick_values(low, high)
    form = np.log if is_log else np.asarray

    def place(value):
        return (form(value) - form(low)) / (form(high) - form(low) or 1.0)

    return place(values), {
        float(place(tick)): words.tidy(tick) for tick in ticks if low <= tick <= high
    }


def _axis(axes: Axes, x: int, of_one: Scale, width: int) -> None:
    """An upright line, its title, so many letters wide, above and its ticks' texts to the left."""
    axes.plot([x, x], [0, 1], color=style.INK, lw=1.0)
    whole = {"break_long_words": False, "break_on_hyphens": False}
    title = "\n".join(textwrap.wrap(of_one.title, width, **whole))
    look = {"textcoords": "offset points"}
    above = {"xycoords": axes.get_xaxis_transform(), "ha": "center", "va": "bottom"} | look
    axes.annotate(title, (x, 1), (0, 4), weight="bold", **above)
    look |= {"ha": "right", "va": "center", "fontsize": 8.5}
    look["bbox"] = {"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    for place, text in of_one.ticks.items():
        axes.plot([x - 0.02, x], [place, place], color=style.INK, lw=1.0)
        axes.annotate(text, (x, place), (-6, 0), **look)
