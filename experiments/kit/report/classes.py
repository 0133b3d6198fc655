"""The test rows of a classification: each class, confusions, reliability."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.kit import style, words
from experiments.kit.report import uncertainty
from experiments.kit.report.examine import Classified
from experiments.kit.report.uncertainty import Reliability
from jaxlr import metrics

MOST_SHARES = 12  # more classes than this: cells are too small for row shares,
MOST_COUNTS = 30  # for counts,
MOST_NAMES = 50  # and for the name of every class
MOST_CLASSES, WEAKEST = 30, 15  # rows of a table: of more classes, those of lowest F1 first


def confusion(rows: Classified, names: tuple[str, ...]) -> Figure:
    """Row = truth, column = prediction; blue the row's share that is right, orange its errors."""
    number = len(names)
    size = float(np.clip(0.42 * number + 1.4, 3.6, 8))
    figure, axes = style.panel(size, size * 0.94)
    totals = rows.confusion.sum(axis=1, keepdims=True)
    shares = np.divide(rows.confusion, totals, out=np.zeros_like(rows.confusion), where=totals > 0)
    for diagonal, colour in ((True, style.ACCENT), (False, style.WARM)):
        _cells(axes, shares, np.eye(number, dtype=bool) == diagonal, colour)
    if number <= MOST_COUNTS:
        _numbers(axes, rows.confusion, shares)
    _class_axes(axes, names)
    return figure


def opacity(shares: np.ndarray) -> np.ndarray:
    """How strongly a cell is coloured: by the root of its share, so that rare errors show."""
    return np.sqrt(shares) * 0.92


def reliability(found: Reliability, stated: str, true: str) -> Figure:
    """What was stated against what came true, and how many rows state it."""
    figure = Figure(figsize=(4.7, 4.7))
    axes, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    axes.plot([0, 1], [0, 1], color=style.MUTED, ls=(0, (4, 3)), lw=1)
    axes.text(0.04, 0.09, "perfect", color=style.MUTED, rotation=45, fontsize=9)
    full = found.rows > 0
    ends = [
        np.maximum(found.true - found.low, 0)[full],
        np.maximum(found.high - found.true, 0)[full],
    ]
    look = {"fmt": "o", "color": style.ACCENT, "ms": 5.5, "lw": 1.3, "capsize": 2.5}
    axes.errorbar(found.stated[full], found.true[full], ends, **look)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=true)
    width = np.diff(found.edges) * 0.92
    bars = below.bar(found.edges[:-1], found.rows, width, align="edge", color=style.MUTED)
    below.bar_label(bars, [f"{rows:,}" if rows else "" for rows in found.rows], fontsize=8)
    below.set(ylim=(0, max(found.rows.max() * 1.25, 1)), yticks=[], xlabel=stated, ylabel="rows")
    below.grid(False)
    below.spines["left"].set_visible(False)
    return figure


def mistakes(rows: Classified, most: int = 10) -> list[tuple[int, int]]:
    """(true, predicted) of the commonest confusions, the weightiest first."""
    rest = rows.confusion - np.diag(np.diag(rows.confusion))
    order = np.argsort(-rest, axis=None, kind="stable")[:most]
    return [divmod(int(k), len(rest)) for k in order if rest.flat[k] > 0]


def per_class(rows: Classified, names: tuple[str, ...]):
    """Cells of each class's row, of the averages', and of the weakest where there are many.

    Columns: class, precision, recall, F1, the recall's 95 % interval, support.
    """
    scores = metrics.precision_recall_fscore_support(
        rows.labels, rows.predicted, sample_weight=rows.weights, num_classes=len(names)
    )
    *shares, support = (np.asarray(part, np.float64) for part in scores)
    worth = [uncertainty.effective_rows(rows.weights[rows.labels == c]) for c in range(len(names))]
    low, high = uncertainty.wilson(shares[1], worth)
    each = [
        [
            names[c],
            *(words.percent(part[c]) for part in shares),
            words.interval(low[c], high[c], words.percent) if support[c] else "no row",
            words.number(support[c], 6) if support[c] % 1 else words.amount(support[c]),
        ]
        for c in range(len(names))
    ]
    means = {
        "macro": [part.mean() for part in shares],
        "weighted": [np.average(part, weights=support) for part in shares],
    }
    averages = [[f"{kind} average", *map(words.percent, of), "", ""] for kind, of in means.items()]
    fewest = np.argsort(shares[2], kind="stable")[: WEAKEST if len(names) > MOST_CLASSES else 0]
    return each, averages, [each[c] for c in fewest]


def _cells(axes: Axes, shares: np.ndarray, where: np.ndarray, colour: str) -> None:
    places = np.argwhere(where & (shares > 0))
    boxes = [Rectangle((j - 0.47, i - 0.47), 0.94, 0.94) for i, j in places]
    faces = [(*to_rgb(colour), alpha) for alpha in opacity(shares[tuple(places.T)])]
    axes.add_collection(PatchCollection(boxes, facecolors=faces, linewidths=0))


def _numbers(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    with_shares = len(counts) <= MOST_SHARES
    size = 10 if with_shares else 7
    for i, j in np.argwhere(counts > 0):
        colour = style.PAPER if opacity(shares[i, j]) > 0.6 else style.INK
        share = words.percent(shares[i, j], 0 if shares[i, j] >= 0.01 else 1)
        look = {"color": colour, "ha": "center", "va": "center", "textcoords": "offset points"}
        lift = 3 if with_shares else 0
        axes.annotate(words.amount(counts[i, j]), (j, i), (0, lift), fontsize=size, **look)
        if with_shares:
            axes.annotate(share, (j, i), (0, -8), fontsize=7, **look)


def _class_axes(axes: Axes, names: tuple[str, ...]) -> None:
    number = len(names)
    edges = np.arange(number + 1 if number <= MOST_COUNTS else 0) - 0.5
    for lines in (axes.hlines, axes.vlines):
        lines(edges, -0.5, number - 0.5, style.RULE, lw=0.5, zorder=0.5)
    shown = range(0, number, 1 if number <= MOST_NAMES else 10)
    labels = [words.clipped(names[i], 14) if number <= MOST_NAMES else str(i) for i in shown]
    unit = "" if number <= MOST_NAMES else ", class number from 0"
    long = max(map(len, labels)) > 2 and number > 3
    size = 9.5 if number <= 20 else 7.5
    axes.set_xticks(shown, labels, rotation=90 if long else 0, fontsize=size)
    axes.set_yticks(shown, labels, fontsize=size)
    axes.set(xlim=(-0.5, number - 0.5), ylim=(number - 0.5, -0.5), aspect="equal")
    axes.set(xlabel=f"predicted{unit}", ylabel=f"true{unit}")
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
