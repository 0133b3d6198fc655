"""Small multiples: a panel per optimizer, in the order of the ranking, all on the same axes."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.optimizers import budget
from experiments.optimizers.study import MOMENTUM, Bench, Trial, worth

COLUMNS = 6
WIDTH = 10.5  # inches: the page's whole width
LOWEST = 2.2  # inches that the name of the axis takes
HIGHEST = 4.0  # losses are drawn up to this many times the best
REFERENCE = {"color": style.MUTED, "lw": 1.0, "ls": (0, (4, 2))}


def multiples(names: list[str], height: float = 1.5, **options) -> tuple[Figure, list[Axes]]:
    """A figure with a panel per name, and their axes."""
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(WIDTH, max(height * rows, LOWEST) + 0.55))
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    for axes, name in zip(grid.flat, names, strict=False):
        axes.set_title(name, fontsize=9.5, pad=4)
    for axes in grid.flat[len(names) :]:
        axes.remove()
    for axes in grid.flat[: len(names)][-columns:]:  # the lowest of each column keeps its labels
        axes.xaxis.set_tick_params(labelbottom=True)
    return figure, list(grid.flat[: len(names)])


def remark(axes: Axes, text: str, height: float = 0.94) -> None:
    """A number in a panel's right corner."""
    place = {"transform": axes.transAxes, "ha": "right", "va": "top" if height > 0.5 else "bottom"}
    axes.text(0.97, height, text, fontsize=8.5, color=style.MUTED, in_layout=False, **place)


def overview(rankings: dict[str, pd.DataFrame], order: list[str]) -> Figure:
    """Best, expected best of few, and median setting: how many times the data set's best loss."""
    figure = Figure(figsize=(WIDTH, 0.225 * len(order) + 1.6))
    panels = figure.subplots(1, len(rankings), sharey=True, squeeze=False)[0]
    rows = np.arange(len(order))
    for axes, (name, ranked) in zip(panels, rankings.items(), strict=True):
        table = ranked.set_index("optimizer").loc[order]
        low = table["mean"].min()
        best, few, median = (table[key].to_numpy() / low for key in ("mean", "few", "median"))
        top = min(max(median.max(), few.max()), 2 * HIGHEST)
        axes.hlines(rows, best, np.minimum(median, top), style.RULE, lw=2.2, zorder=1)
        inside = median <= top
        axes.plot(median[inside], rows[inside], "|", color=style.MUTED, ms=8)
        axes.plot(np.minimum(few, top), rows, "o", mfc=style.PAPER, mec=style.ACCENT)
        axes.plot(best, rows, "o", color=style.ACCENT)
        axes.plot(np.full((~inside).sum(), top), rows[~inside], ">", color=style.MUTED, ms=5)
        style.log_axis(axes, "x", 1.0, top)
        axes.set_title(name)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(rows, order)
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    figure.supxlabel("validation loss, in multiples of the best on that data set", fontsize=9.5)
    return figure


def budgets(on: Bench, trials: list[Trial]) -> Figure:
    """Best so far against settings tried: median and middle half over all orders of trying."""
    means = [worth(on, ran) for ran in trials]
    medians = [budget.quantile_of_best(values, 0.5) for values in means]
    frontier = np.min(medians, axis=0)
    tried = np.arange(1, len(frontier) + 1)
    figure, panels = multiples([ran.optimizer for ran in trials], sharex=True, sharey=True)
    for axes, values, median in zip(panels, means, medians, strict=True):
        quartiles = [budget.quantile_of_best(values, q) for q in (0.25, 0.75)]
        axes.fill_between(tried, *quartiles, color=style.ACCENT, alpha=0.22, lw=0)
        axes.plot(tried, frontier, **REFERENCE)
        axes.plot(
            tried, median, color=style.ACCENT, lw=1.8, marker="o" if len(tried) == 1 else None
        )
        remark(axes, words.number(values.min()))
    _loss_axis(panels[0], frontier.min(), min(on.start_loss, max(m.max() for m in medians)))
    if len(tried) > 1:
        panels[0].set_xscale("log", base=2)
        panels[0].set_xlim(1, len(tried))
    ticks = [k for k in (1, 4, 16, 64, 256, 1024, 4096) if k <= len(tried)]
    panels[0].set_xticks(ticks, [str(k) for k in ticks])
    panels[0].set_xticks([], minor=True)
    return _labelled(figure, "settings tried", f"best validation {words.loss(on.loss_name)} so far")


def sensitivity(on: Bench, trials: list[Trial]) -> Figure:
    """Final loss of every setting against its learning rate; the colour is the memory."""
    figure, panels = multiples([ran.optimizer for ran in trials], sharex=True, sharey=True)
    rates = [ran.hypers["learning_rate"] for ran in trials]
    every = [worth(on, ran) for ran in trials]
    best = min(values.min() for values in every)
    style.log_axis(panels[0], "x", min(map(np.min, rates)), max(map(np.max, rates)))
    ticks = style.log_ticks(*panels[0].get_xlim(), most=3)
    panels[0].set_xticks(ticks, [words.tidy(tick) for tick in ticks])
    _loss_axis(panels[0], best, on.start_loss)
    drawn = [
        _dots(on, axes, ran, values, best)
        for axes, ran, values in zip(panels, trials, every, strict=True)
    ]
    with_memory = [dots for dots in drawn if dots is not None]
    if with_memory:
        _memory_bar(figure, panels, with_memory[0])
    return _labelled(figure, "learning rate", f"final validation {words.loss(on.loss_name)}")


def learning(on: Bench, trials: list[Trial]) -> Figure:
    """Validation loss by epoch of each optimizer's best setting: mean ± standard error."""
    epochs = on.epochs * np.linspace(0, 1, len(trials[0].curves[on.loss_name][0]) + 1)[1:]
    curves = [ran.curves[on.loss_name][ran.best].astype(np.float64) for ran in trials]
    curves = [np.where(np.isfinite(curve), curve, np.nan) for curve in curves]
    means = [curve.mean(axis=1) for curve in curves]
    figure, panels = multiples([ran.optimizer for ran in trials], sharex=True, sharey=True)
    for axes, curve, mean in zip(panels, curves, means, strict=True):
        if on.num_seeds > 1:
            error = curve.std(axis=1, ddof=1) / np.sqrt(on.num_seeds)
            ends = mean - error, mean + error
            axes.fill_between(epochs, *ends, color=style.ACCENT, alpha=0.22, lw=0)
        axes.plot(epochs, means[0], **REFERENCE)
        mark = "o" if len(epochs) == 1 else None
        axes.plot(epochs, mean, color=style.ACCENT, lw=1.8, marker=mark)
    seen = np.concatenate(means)
    seen = seen[np.isfinite(seen)]
    low = 0.7 * seen.min(initial=on.start_loss)
    _loss_axis(panels[0], low, min(seen.max(initial=low), on.start_loss))
    panels[0].set_xlim(0, on.epochs)
    return _labelled(figure, "epochs", f"validation {words.loss(on.loss_name)}")


def _dots(on: Bench, axes: Axes, ran: Trial, values: np.ndarray, best: float):
    """The settings of one optimizer; useless ones are crosses on the panel's upper edge."""
    axes.axhline(best, **REFERENCE)
    rate = ran.hypers["learning_rate"]
    lost = rate[values >= on.start_loss]
    edge = {"transform": axes.get_xaxis_transform(), "clip_on": False}
    crosses = axes.plot(lost, np.ones(len(lost)), "x", color=style.WARM, ms=4, mew=1.1, **edge)
    crosses[0].set_in_layout(False)
    shown = values <= min(axes.get_ylim()[1], np.nextafter(on.start_loss, 0))
    look = {"s": 17, "edgecolors": style.MUTED, "linewidths": 0.35}
    if "momentum" not in ran.hypers:
        axes.plot(rate[shown], values[shown], "o", color=style.ACCENT, ms=3.6, mew=0)
        return None
    norm = LogNorm(1 - MOMENTUM.high, 1.0)
    forgotten = 1 - ran.hypers["momentum"][shown]
    return axes.scatter(
        rate[shown], values[shown], c=forgotten, cmap=style.MAGNITUDE, norm=norm, **look
    )


def _loss_axis(axes: Axes, low: float, high: float) -> None:
    """Logarithmic from the lowest up to a few times it (a loss may reach 0: then it is linear)."""
    if low > 1e-6:
        style.log_axis(axes, "y", low, max(min(high, HIGHEST * low), 1.05 * low))
    else:
        axes.set_ylim(0, max(high, 1e-6))


def _labelled(figure: Figure, x: str, y: str) -> Figure:
    figure.supxlabel(x, fontsize=9.5)
    figure.supylabel(y, fontsize=9.5)
    return figure


def _memory_bar(figure: Figure, panels: list[Axes], dots) -> None:
    ticks = {1.0: "0", 0.5: "0.5", 0.1: "0.9", 0.03: "0.97", 0.01: "0.99"}
    label = "memory (momentum, decay or b1)"
    look = {"aspect": 40, "pad": 0.01, "fraction": 0.03}
    style.colour_bar(figure, panels, dots, ticks, label, **look).ax.invert_yaxis()
