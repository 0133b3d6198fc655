"""The landscape: validation loss over learning rate, momentum and l2."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.sweep.leaderboard import HYPERS, varying_static

LOGARITHMIC = ("learning_rate", "l2")
MARKS = "os^Dv"
# Heavy-ball momentum m multiplies the step by 1/(1 - m) in the long run (lecture A3).
HEAVY_BALL = {"momentum", "nesterov"}


def panels(configs: pd.DataFrame, loss_name: str, guessing: float, chosen: int | None):
    """(name, figure, alt text) of each panel: pairs of numeric settings, then loss by step size."""
    varying = [h for h in HYPERS if h in configs and configs[h].nunique() > 1]
    norm = loss_norm(configs["mean"], guessing)
    drawn = []
    for other in varying[1:]:
        figure = over(configs, varying[0], other, norm, loss_name, chosen)
        alt = f"Validation loss as colour over {words.name(varying[0])} and {words.name(other)}"
        drawn.append((f"over-{other}", figure, alt))
    if varying and configs["mean"].notna().any():
        alt = "Validation loss of every setting against its step size"
        drawn.append(("step", by_step(configs, varying[0], norm, loss_name, guessing, chosen), alt))
    return drawn


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
    for which, name in (("x", x), ("y", y)):
        _scale(axes, which, name, configs[name])
    dots = _dots(axes, configs, configs[x], configs[y], norm, configs["mean"])
    lost = configs[configs["mean"].isna()]
    if len(lost):
        axes.scatter(lost[x], lost[y], 26, style.WARM, marker="x", linewidths=1.3, label="diverged")
    _rings(axes, configs, configs[x], configs[y], chosen)
    axes.set_title(f"{words.name(x)} × {words.name(y)}")
    if dots is not None:
        _colour_bar(figure, axes, dots, norm, loss_name, configs["mean"].max())
    _legend(figure, axes)
    return figure


def by_step(configs, x: str, norm, loss_name: str, guessing: float, chosen: int | None) -> Figure:
    """Loss against the learning rate, or learning rate / (1 - momentum) for heavy balls."""
    finite = configs[configs["mean"].notna()]
    figure, axes = style.panel(height=4.0)
    steps, label = step_sizes(finite, x)
    every = step_sizes(configs, x)[0]
    _scale(axes, "x", x, every)
    axes.set_xlabel(label)
    means = finite["mean"]
    top = ceiling(means, guessing)
    if means.min() > 0:
        style.log_axis(axes, "y", means.min(), top)
    shown = means.clip(upper=top)
    axes.vlines(
        steps, (means - finite["se"]).clip(lower=axes.get_ylim()[0]), shown, style.MUTED, lw=0.5
    )
    _dots(axes, finite, steps, shown, norm, means)
    lost = every[configs["mean"].isna()]
    if len(lost):
        ends = axes.get_xaxis_transform()
        axes.plot(
            lost, np.ones(len(lost)), "x", color=style.WARM, ms=5, transform=ends, clip_on=False
        )
    if means.min() < guessing < top:
        axes.axhline(guessing, color=style.MUTED, ls=(0, (4, 3)), lw=1, label="guessing")
    _rings(axes, finite, steps, shown, chosen)
    axes.set_ylabel(f"mean validation {words.name(loss_name)} ({words.UNITS[loss_name]})")
    axes.set_title("loss × step size")
    _legend(figure, axes)
    return figure


def ceiling(means: pd.Series, guessing: float) -> float:
    """Where the step panel ends: nothing is learned from how far above guessing a loss lies."""
    return min(means.max(), 3 * max(guessing, means.median()))


def step_sizes(configs: pd.DataFrame, x: str) -> tuple[pd.Series, str]:
    """What a step amounts to in the long run, and its name."""
    optimizers = set(configs["optimizer"]) if "optimizer" in configs else set()
    if x != "learning_rate" or not optimizers or not optimizers <= HEAVY_BALL:
        return configs[x], words.name(x)
    return configs[x] / (1 - configs["momentum"]), "learning rate / (1 − momentum)"


def near_best(configs: pd.DataFrame) -> pd.DataFrame:
    """The configurations within one standard error of the best."""
    finite = configs[configs["mean"].notna()]
    best = finite.iloc[0]
    return finite[finite["mean"] <= best["mean"] + np.nan_to_num(best["se"])]


def caption(configs: pd.DataFrame, loss_name: str, guessing: float) -> str:
    """The landscape in words."""
    finite = configs[configs["mean"].notna()]
    lost = configs[configs["mean"].isna()]
    if finite.empty:
        span = words.interval(lost["learning_rate"].min(), lost["learning_rate"].max())
        return (
            f"Every cross is a configuration that diverged on at least one fold: all "
            f"{len(lost):,}, at learning rates {span}."
        )
    near = near_best(configs)
    spans = [
        f"{words.name(h)} {words.interval(near[h].min(), near[h].max(), words.number)}"
        for h in HYPERS
        if h in configs and configs[h].nunique() > 1
    ]
    best = words.number(finite["mean"].iloc[0])
    text = (
        f"Each dot is a configuration, coloured by its mean validation {words.name(loss_name)} "
        f"over folds, from {best} (dark) to {words.number(finite['mean'].max())}. "
    )
    steps, label = step_sizes(near, "learning_rate")
    if label != words.name("learning_rate") and configs["momentum"].nunique() > 1:
        spans.append(f"{label} {words.interval(steps.min(), steps.max())}")
    if len(near) > 1:
        text += f"{len(near):,} lie within one standard error of the best: {words.listed(spans)}."
    else:
        text += "None other lies within one standard error of the best."
    if len(lost):
        text += (
            f" Crosses: {words.count(len(lost), 'configuration')} diverged, "
            f"none at a learning rate below {words.number(lost['learning_rate'].min())}."
        )
    top = ceiling(finite["mean"], guessing)
    text += " Against step size, the line under a dot is one standard error"
    if finite["mean"].max() > top:
        text += f"; losses above {words.number(top)} are drawn at the top"
    return f"{text}."


def _scale(axes: Axes, which: str, name: str, values: pd.Series) -> None:
    if name in LOGARITHMIC and values.min() > 0:
        style.log_axis(axes, which, values.min(), values.max())
    getattr(axes, f"set_{which}label")(words.name(name))


def _dots(axes: Axes, configs, x, y, norm, means):
    """A mark per finite configuration, its shape the static settings where they vary."""
    kinds = shapes(configs)
    size = float(np.clip(7000 / len(configs), 14, 70))
    dots = None
    for kind, mark in zip(sorted(kinds.unique()), MARKS, strict=False):
        here = means.notna() & (kinds == kind)
        here = here[here].index[::-1]  # the best are drawn last, on top
        if kind:
            axes.scatter([], [], size, style.MUTED, marker=mark, label=kind)
        if len(here):
            dots = axes.scatter(
                x[here],
                y[here],
                size,
                means[here],
                marker=mark,
                cmap=style.MAGNITUDE,
                norm=norm,
                edgecolors=style.MUTED,
                linewidths=0.5,
            )
    return dots


def shapes(configs: pd.DataFrame) -> pd.Series:
    """What a mark tells: all static settings, or the first for which there are marks enough."""
    static = varying_static(configs)
    for names in [static, *([name] for name in static)]:
        kinds = configs[names].astype(str).agg(", ".join, axis=1) if names else pd.Series()
        if 1 < kinds.nunique() <= len(MARKS):
            return kinds
    return pd.Series("", configs.index)


def _rings(axes: Axes, configs, x, y, chosen: int | None) -> None:
    finite = configs[configs["mean"].notna()]
    if finite.empty or chosen is None:
        return
    best = finite.index[0]
    marked = finite.index[finite["config"] == chosen][0]
    look = {"s": 150, "facecolors": "none", "linewidths": 1.8, "zorder": 4}
    if marked != best:
        axes.scatter(
            x[best], y[best], marker="D", edgecolors=style.INK, label="lowest loss", **look
        )
    label = "chosen" if marked != best else "chosen: lowest loss"
    axes.scatter(x[marked], y[marked], marker="o", edgecolors=style.WARM, label=label, **look)


def _colour_bar(figure: Figure, axes: Axes, dots, norm, loss_name: str, worst: float) -> None:
    bar = figure.colorbar(
        dots, ax=axes, extend="max" if worst > norm.vmax else "neither", aspect=30, pad=0.02
    )
    if isinstance(norm, LogNorm):
        ticks = style.log_ticks(norm.vmin, norm.vmax)
        bar.set_ticks(ticks, labels=[words.tidy(tick) for tick in ticks])
        bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label(f"validation {words.name(loss_name)} ({words.UNITS[loss_name]})")


def _legend(figure: Figure, axes: Axes) -> None:
    marks, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(
            marks, labels, loc="outside lower center", ncols=2 if max(map(len, labels)) > 20 else 3
        )
