"""The landscape: validation loss over the numbers that were swept."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from experiments.kit import pages, style, words
from experiments.sweep.choosing import near_best
from experiments.sweep.leaderboard import by_number, kind, numbers, said, varying_static
from experiments.sweep.settings import SCALES

MARKS = "os^Dv"
# Heavy-ball momentum m multiplies the step by 1/(1 - m) in the long run (lecture A3).
HEAVY_BALL = {"momentum", "nesterov"}


def panels(configs: pd.DataFrame, loss_name: str, guessing: float, chosen: int | None):
    """(name, figure, alt text) of each panel: pairs of numeric settings, then loss by step size."""
    rate, *others = _varying(configs) or [None]
    norm = loss_norm(configs["mean"], guessing)
    drawn = []
    for other in others:
        figure = over(configs, rate, other, norm, loss_name, chosen)
        alt = f"Validation loss as colour over {words.name(rate)} and {words.name(other)}"
        drawn.append((f"over-{other.replace('_', '-')}", figure, alt))
    if rate and configs["mean"].notna().any():
        alt = "Validation loss of every setting against its step size"
        drawn.append(("step", by_step(configs, rate, norm, loss_name, guessing, chosen), alt))
    return drawn


def coordinate(name: str, values):
    """Where numbers lie along their axis, what it is called, and whether it is logarithmic."""
    if SCALES[name] == "memory":
        return 1 - values, f"1 − {words.name(name)}", True
    return values, words.name(name), SCALES[name] != "uniform" and not (values <= 0).any()


def loss_norm(means: pd.Series, guessing: float) -> Normalize:
    """Colours from the best loss to that of guessing (or the worst), logarithmic where > 0."""
    finite = means.dropna()
    if finite.empty:
        return Normalize(0, 1)
    low, high = finite.min(), finite.quantile(0.95)
    if low < guessing < high:
        high = guessing
    if not high > low:
        high = low + max(abs(low), 1.0) * 1e-3
    return LogNorm(low, high) if low > 0 else Normalize(low, high)


def over(configs, x: str, y: str, norm, loss_name: str, chosen: int | None) -> Figure:
    """Every setting as a dot at (x, y), its colour the loss; crosses where it diverged."""
    figure, axes = style.panel(height=4.0)
    across, up = _axis(axes, "x", x, configs), _axis(axes, "y", y, configs)
    dots = _dots(axes, configs, across, up, norm)
    lost = configs["mean"].isna()
    if lost.any():
        look = {"marker": "x", "linewidths": 1.3, "label": "diverged"}
        axes.scatter(across[lost], up[lost], 26, style.WARM, **look)
    _rings(axes, configs, across, up, chosen)
    axes.set_title(f"{words.name(x)} × {words.name(y)}")
    if dots is not None:
        _losses_bar(figure, axes, dots, norm, loss_name, configs["mean"].max())
    style.legend_below(figure, axes)
    return figure


def by_step(configs, x: str, norm, loss_name: str, guessing: float, chosen: int | None) -> Figure:
    """Loss against the learning rate, or learning rate / (1 - momentum) for heavy balls."""
    figure, axes = style.panel(height=4.0)
    every, label = step_sizes(configs, x)
    if coordinate(x, configs[x])[2]:
        style.log_axis(axes, "x", every.min(), every.max())
    axes.set_xlabel(label)
    finite = configs[configs["mean"].notna()]
    steps, means = every[finite.index], finite["mean"]
    top = ceiling(means, guessing)
    if means.min() > 0:
        style.log_axis(axes, "y", means.min(), top)
    shown = means.clip(upper=top)
    low = (means - finite["se"]).clip(lower=axes.get_ylim()[0])
    axes.vlines(steps, low, shown, style.MUTED, lw=0.5)
    _dots(axes, finite, steps, shown, norm)
    lost = every[configs["mean"].isna()]
    look = {"color": style.WARM, "ms": 5, "clip_on": False}
    axes.plot(lost, np.ones(len(lost)), "x", transform=axes.get_xaxis_transform(), **look)
    if means.min() < guessing < top:
        axes.axhline(guessing, color=style.MUTED, ls=(0, (4, 3)), lw=1, label="guessing")
    _rings(axes, finite, steps, shown, chosen)
    axes.set_ylabel(f"validation {words.loss(loss_name)}")
    axes.set_title("loss × step size")
    style.legend_below(figure, axes)
    return figure


def ceiling(means: pd.Series, guessing: float) -> float:
    """Where the step panel ends: nothing is learned from how far above guessing a loss lies."""
    return min(means.max(), 3 * max(guessing, means.median()))


def step_sizes(configs: pd.DataFrame, x: str) -> tuple[pd.Series, str]:
    """What a step amounts to in the long run, and its name."""
    optimizers = set(configs["optimizer"]) if "optimizer" in configs else set()
    if x != "learning_rate" or not optimizers or not optimizers <= HEAVY_BALL:
        return coordinate(x, configs[x])[:2]
    return configs[x] / (1 - configs["momentum"]), "learning rate / (1 − momentum)"


def caption(configs: pd.DataFrame, loss_name: str, guessing: float) -> str:
    """The landscape in words."""
    means, near = configs["mean"].dropna(), near_best(configs)
    told = spans(near, _varying(configs))
    steps, label = step_sizes(near, "learning_rate")
    if label != words.name("learning_rate") and configs["momentum"].nunique() > 1:
        told.append(f"{label} {words.span(steps.min(), steps.max())}")
    lost = configs.loc[configs["mean"].isna(), "learning_rate"]
    top = ceiling(means, guessing) if len(means) else None
    loss = words.name(loss_name)
    return pages.macros("sweep/words.html").landscape(loss, means, len(near), told, lost, top)


def spans(configs: pd.DataFrame, names: list[str]) -> list[str]:
    """From where to where numbers of the configurations go, in words."""
    told = []
    for name in names:
        ends = configs[name].min(), configs[name].max()
        told.append(f"{words.name(name)} {words.span(*(said(name, end) for end in ends), str)}")
    return told


def _varying(configs: pd.DataFrame) -> list[str]:
    return [name for name in numbers(configs) if configs[name].nunique() > 1]


def _axis(axes: Axes, which: str, name: str, configs: pd.DataFrame) -> pd.Series:
    """Scales and labels an axis for a number, whose places are returned."""
    values, label, is_log = coordinate(name, configs[name])
    if is_log:
        style.log_axis(axes, which, values.min(), values.max())
    getattr(axes, f"set_{which}label")(label)
    return values


def _dots(axes: Axes, configs, x, y, norm):
    """A mark per finite configuration, its shape the static settings where they vary."""
    kinds, means = shapes(configs), configs["mean"]
    size = float(np.clip(7000 / len(configs), 14, 70))
    look = {"cmap": style.MAGNITUDE, "norm": norm, "edgecolors": style.MUTED, "linewidths": 0.5}
    dots = None
    for of, mark in zip(sorted(kinds.unique(), key=by_number), MARKS, strict=False):
        here = means.notna() & (kinds == of)
        here = here[here].index[::-1]  # the best are drawn last, on top
        if of:
            axes.scatter([], [], size, style.MUTED, marker=mark, label=of)
        if len(here):
            dots = axes.scatter(x[here], y[here], size, means[here], marker=mark, **look)
    return dots


def shapes(configs: pd.DataFrame) -> pd.Series:
    """What a mark tells: all static settings, or the first for which there are marks enough."""
    static = varying_static(configs)
    for names in [static, *([name] for name in static)]:
        kinds = configs[names].agg(kind, axis=1) if names else pd.Series()
        if 1 < kinds.nunique() <= len(MARKS):
            return kinds
    return pd.Series("", configs.index)


def _rings(axes: Axes, configs, x, y, chosen: int | None) -> None:
    finite = configs.index[configs["mean"].notna()]
    if finite.empty or chosen is None:
        return
    best, marked = finite[0], configs.index[configs["config"] == chosen][0]
    label = "chosen: lowest loss" if marked == best else "chosen"
    rings = {best: ("D", style.INK, "lowest loss")} | {marked: ("o", style.WARM, label)}
    look = {"s": 150, "facecolors": "none", "linewidths": 1.8, "zorder": 4}
    for at, (mark, colour, label) in rings.items():
        if np.isfinite([x[at], y[at]]).all():  # else its optimizer has no such number
            axes.scatter(x[at], y[at], marker=mark, edgecolors=colour, label=label, **look)


def _losses_bar(figure: Figure, axes: Axes, dots, norm, loss_name: str, worst: float) -> None:
    extend = "max" if worst > norm.vmax else "neither"
    label = f"validation {words.loss(loss_name)}"
    ticks = {}
    if isinstance(norm, LogNorm):
        ticks = {tick: words.tidy(tick) for tick in style.log_ticks(norm.vmin, norm.vmax)}
    style.colour_bar(figure, axes, dots, ticks, label, extend=extend, aspect=30, pad=0.02)
