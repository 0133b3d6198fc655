"""Figures over the penalty: coefficient paths, and the cross-validation curve."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.path.findings import Probe
from experiments.path.settings import Plan

WIDE = 10.5  # inches: the page's whole width
MOST_NAMED = 8
MOST_LINES = 300
MOST_CLASSES = 9
BAND = 0.14


def places(lambdas: np.ndarray) -> np.ndarray:
    """Where penalties lie on a logarithmic axis; 0 lies two thirds of a decade below the rest."""
    lambdas = np.asarray(lambdas, np.float64)
    positive = lambdas[lambdas > 0]
    zero = positive.min() / 10 ** (2 / 3) if len(positive) else 1.0
    return np.where(lambdas > 0, lambdas, zero)


def penalty_axis(axes: Axes, lambdas: np.ndarray, label: bool = True, most: int = 7) -> None:
    """A logarithmic axis of penalties, strong on the left, with a tick for λ = 0 where it is."""
    at = places(lambdas)
    style.log_axis(axes, "x", at.min(), at.max())
    ticks = list(axes.get_xticks())
    ticks = ticks[:: -(-len(ticks) // most)]
    named = list(map(words.tidy, ticks))
    if lambdas.min() == 0:
        kept = [tick >= lambdas[lambdas > 0].min() * 0.99 for tick in ticks]
        ticks, named = (
            [v for v, keep in zip(of, kept, strict=True) if keep] for of in (ticks, named)
        )
        ticks, named = [*ticks, at.min()], [*named, "0"]
    axes.set_xticks(ticks, named)
    axes.invert_xaxis()
    if label:
        axes.set_xlabel("penalty λ, weaker to the right")


def coefficients(probe: Probe) -> Figure:
    """Weights against λ at the chosen l1 ratio: means over folds, and the folds' range."""
    end = shown_until(probe)
    w = probe.coefficients[:, probe.chosen[0], :end]  # [F, K, D] or [F, K, D, C]
    names = probe.problem.feature_names
    if w.ndim == 3:
        figure = Figure(figsize=(WIDE, 4.6))
        axes = figure.subplots()
        _lines(axes, probe, w, probe.test and probe.test.params["w"], names, MOST_NAMED)
        axes.set_ylabel("weight")
        penalty_axis(axes, probe.lambdas[:end])
        return figure
    classes = probe.problem.table.class_names
    shown = range(min(len(classes), MOST_CLASSES))
    columns = min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(WIDE, 2.3 * rows + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for c, axes in zip(shown, grid.flat, strict=False):
        refit = probe.test and probe.test.params["w"][:, c]
        _lines(axes, probe, w[..., c], refit, names, 3)
        axes.set_title(words.clipped(classes[c], 28), fontsize=9.5)
        penalty_axis(axes, probe.lambdas[:end], label=c >= len(shown) - columns, most=4)
    for axes in grid.flat[len(shown) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("weight")
    return figure


def shown_until(probe: Probe) -> int:
    """How many penalties to draw: weights that grow for ever would hide those that matter."""
    w = np.abs(probe.coefficients[:, probe.chosen[0]].mean(axis=0))
    largest = np.nan_to_num(w.reshape(len(w), -1)).max(axis=1)
    k = probe.chosen[1]
    within = np.flatnonzero(largest <= 3 * largest[k])
    return max(int(within.max(initial=0)), k) + 1


def spread(heights: np.ndarray, least: float, low: float, high: float) -> np.ndarray:
    """Heights moved as little as they must for neighbours to be `least` apart within [low, high].

    Runs of crowded heights are spread about their mean, as pools of adjacent violators.
    """
    order = np.argsort(heights, kind="stable")
    pools = []  # [sum of wanted lowest places, size]
    for rank, height in enumerate(np.asarray(heights, np.float64)[order]):
        pools.append([height - rank * least, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, size = pools.pop()
            pools[-1] = [pools[-1][0] + total, pools[-1][1] + size]
    base = np.concatenate([np.full(size, total / size) for total, size in pools])
    base = np.clip(base, low, max(low, high - least * (len(base) - 1)))
    placed = np.empty(len(base))
    placed[order] = base + least * np.arange(len(base))
    return placed


def curve(probe: Probe, plan: Plan, guessing: float | None) -> Figure:
    """The mean over folds against λ, ± its standard error, and what either rule takes."""
    figure = Figure(figsize=(WIDE, 4.4))
    axes = figure.subplots()
    at, (chosen, _) = places(probe.lambdas), probe.chosen
    for a, ratio in enumerate(probe.l1_ratios):
        is_chosen = a == chosen
        look = {"color": style.ACCENT, "lw": 2.0} if is_chosen else {"lw": 1.2, **_other(a)}
        several = len(probe.l1_ratios) > 1
        label = f"l1 ratio {ratio:g}" if several else "mean over folds"
        axes.plot(at, probe.mean[a], label=label if several or plan.folds > 1 else None, **look)
        if is_chosen and np.isfinite(probe.error[a]).any():
            edges = probe.mean[a] - probe.error[a], probe.mean[a] + probe.error[a]
            fill = {"color": style.ACCENT, "alpha": BAND, "lw": 0, "label": "± standard error"}
            axes.fill_between(at, *edges, **fill)
    if 1 < plan.folds <= 10:
        folds = axes.plot(at, probe.scores[:, chosen].T, color=style.ACCENT, lw=0.5, alpha=0.55)
        folds[0].set_label("each fold")
    low, high = _window(probe, guessing)
    _rule_marks(axes, probe, at, plan)
    if guessing is not None and low < guessing < high:
        axes.axhline(guessing, color=style.MUTED, ls=(0, (1, 2)), lw=1.2, label="guessing")
    penalty_axis(axes, probe.lambdas)
    if low > 0 and high > 4 * low:
        style.log_axis(axes, "y", low, high)
    else:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set_ylabel(f"held-out {plan.metric_name(probe.task)}")
    marks, labels = axes.get_legend_handles_labels()
    figure.legend(marks, labels, loc="outside lower center", ncols=6 if len(labels) < 7 else 4)
    return figure


def _rule_marks(axes: Axes, probe: Probe, at, plan: Plan) -> None:
    """A vertical line and a mark at each rule's setting; the threshold of one standard error."""
    shapes = {"best": ("o", "best mean"), "one_standard_error": ("D", "one standard error")}
    for rule, (shape, label) in shapes.items():
        a, k = getattr(probe, rule)
        if rule != "best" and (plan.folds == 1 or (a, k) == probe.best):
            continue
        is_chosen = (a, k) == probe.chosen
        colour = style.WARM if is_chosen else style.INK
        axes.axvline(at[k], color=colour, lw=1.0, ls="-" if is_chosen else (0, (4, 3)))
        look = {"ms": 8, "mfc": colour, "mec": style.PAPER, "mew": 1.2, "ls": "none", "zorder": 5}
        label = f"{label}, chosen" if is_chosen else label
        axes.plot(at[k], probe.mean[a, k], shape, label=label, **look)


def _other(a: int) -> dict:
    styles = [(0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), "-"]
    return {"color": style.MUTED, "ls": styles[a % len(styles)]}


def _window(probe: Probe, guessing: float | None) -> tuple[float, float]:
    """From the lowest thing drawn to the highest, but not far above guessing."""
    spread_of = np.nan_to_num(probe.error)
    values = np.stack([probe.mean - spread_of, probe.mean + spread_of])
    if len(probe.scores) <= 10:
        values = np.concatenate([values, probe.scores])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    high = values.max()
    if guessing is not None:
        high = min(high, max(2 * guessing, 1.5 * float(np.median(values))))
    low = float(values.min())
    return low, float(high) if high > low else low + max(abs(low), 1.0) * 0.05


def _lines(axes: Axes, probe: Probe, w: np.ndarray, refit, names, most: int) -> None:
    """w [F, K, D]: every feature a thin line, the heaviest at the chosen λ in colour with names."""
    at, k = places(probe.lambdas[: w.shape[1]]), probe.chosen[1]
    mean = w.mean(axis=0)  # NaN where a lane has no optimum: a line ends there
    heavy = np.argsort(-np.abs(mean[k]), kind="stable")
    heavy = heavy[np.abs(mean[k, heavy]) > 0]  # none where the chosen lane is separable
    named, rest = heavy[:most], heavy[most:MOST_LINES]
    others = np.concatenate([rest, np.setdiff1d(np.arange(w.shape[2]), heavy)])[:MOST_LINES]
    axes.plot(at, mean[:, others], color=style.MUTED, lw=0.5, alpha=0.5)
    axes.axhline(0, color=style.RULE, lw=0.8)
    for j in named:
        edges = w[..., j].min(axis=0), w[..., j].max(axis=0)
        axes.fill_between(at, *edges, color=style.ACCENT, alpha=BAND, lw=0)
        axes.plot(at, mean[:, j], color=style.ACCENT, lw=1.3)
    axes.axvline(at[k], color=style.WARM, lw=1.0)
    if refit is not None and len(named):
        look = {"mfc": style.WARM, "mec": style.PAPER, "mew": 0.8, "ms": 5, "ls": "none"}
        axes.plot(np.full(len(named), at[k]), refit[named], "o", zorder=4, **look)
    axes.margins(y=0.06)
    axes.autoscale_view()
    if len(named):
        _names(axes, at, mean, named, names)


def _names(axes: Axes, at, mean, named, names) -> None:
    """Names at the weak end of their lines, apart enough to be read."""
    low, high = axes.get_ylim()
    inches = axes.figure.get_figheight() * 0.62 / axes.get_subplotspec().get_gridspec().nrows
    least = (high - low) * 0.16 / inches  # a line of text is 0.16 inches high
    end = np.flatnonzero(np.isfinite(mean).all(axis=1))[-1]
    heights = spread(mean[end, named], least, low, high)
    for j, height in zip(named, heights, strict=True):
        axes.annotate(
            words.clipped(names[j], 22),
            (at[end], mean[end, j]),
            (1.012, height),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": style.MUTED, "lw": 0.5, "shrinkA": 1},
        )
