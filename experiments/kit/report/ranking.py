"""One class against the rest on test rows: ROC, precision-recall, and what each threshold does.

Two classes: the second. More: the one that is hardest to tell from the rest by AUC.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.kit import style, words
from experiments.kit.report.examine import Classified
from jaxlr import metrics

MOST_CELLS = 1_500  # of a staircase whose cells can still be seen
NUM_RESAMPLES = 300
GRID = np.linspace(0, 1, 101)


class OneClass(NamedTuple):
    """Rows of one class against the rest, N of them."""

    name: str
    positive: np.ndarray  # [N] 0 or 1
    stated: np.ndarray  # [N] probability of the class
    weights: np.ndarray  # [N] > 0


class Areas(NamedTuple):
    """The curves in numbers."""

    roc: float
    low: float  # DeLong's 95 % interval; NaN where it has none
    high: float
    precision: float  # average
    share: float  # of the class: the average precision of guessing
    f1: float  # the largest,
    threshold: float  # and where it is
    resamples: int = NUM_RESAMPLES  # of the curves' bands


class Band(NamedTuple):
    """Pointwise 95% bootstrap intervals over `GRID`."""

    low: np.ndarray
    high: np.ndarray


class Thresholds(NamedTuple):
    """What flagging every row that states at least a threshold does; thresholds ascend."""

    at: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    cost: np.ndarray  # share of the rows that are misses or false alarms


def one_class(rows: Classified, names: tuple[str, ...]) -> OneClass | None:
    """The class to look at; None where every class has all test rows or none."""
    hot = np.eye(len(names), dtype=np.int32)[rows.labels]
    chosen = [c for c in range(len(names)) if 0 < hot[:, c].sum() < len(hot)]
    if len(names) == 2:
        chosen = chosen[-1:]
    if not chosen:
        return None
    areas = [
        float(
            metrics.roc_auc_score(hot[:, c], rows.probabilities[:, c], sample_weight=rows.weights)
        )
        for c in chosen
    ]
    c = chosen[int(np.argmin(areas))]
    return OneClass(names[c], hot[:, c], rows.probabilities[:, c], rows.weights)


def panels(seen: OneClass) -> list[tuple[str, Figure, str]]:
    """(name, figure, what it shows) of the ROC curve, precision-recall and thresholds."""
    bands = _bands(seen)
    flagged = thresholds(seen)
    at_half = flagged_at(flagged, 0.5)
    return [
        ("roc", _roc(seen, bands["roc"], at_half), f"ROC curve of “{seen.name}” on test rows"),
        (
            "precision-recall",
            _precision_recall(seen, bands["precision_recall"]),
            f"Precision against recall of “{seen.name}” on test rows",
        ),
        (
            "thresholds",
            _explorer(flagged),
            f"Precision, recall, F1 and cost against the threshold for “{seen.name}”",
        ),
    ]


def areas(seen: OneClass) -> Areas:
    """The areas under both curves, and the best F1."""
    auc = metrics.roc_auc_interval(seen.positive, seen.stated, sample_weight=seen.weights)
    precision = metrics.average_precision_score(
        seen.positive, seen.stated, sample_weight=seen.weights
    )
    found = thresholds(seen)
    best = int(np.nanargmax(found.f1))
    share = np.average(seen.positive, weights=seen.weights)
    ends = float(auc.estimate), float(auc.low), float(auc.high)
    return Areas(*ends, float(precision), float(share), found.f1[best], found.at[best])


def table_rows(seen: OneClass) -> list[list[str]]:
    """What ten thresholds do: threshold, flagged, precision, recall, F1, cost."""
    found = thresholds(seen)
    total = seen.weights.sum()
    rows = []
    for t in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        flagged = seen.weights[seen.stated >= t].sum() / total
        precision, recall, f1, cost = flagged_at(found, t)
        rows.append([f"{t:.2f}", *map(_share, (flagged, precision, recall, f1, cost))])
    return rows


def thresholds(seen: OneClass) -> Thresholds:
    """Precision, recall, F1 and cost at every stated probability."""
    counts = metrics.confusion_matrix_at_thresholds(
        seen.positive, seen.stated, sample_weight=seen.weights
    )
    tn, fp, fn, tp, at = (np.asarray(part, np.float64)[::-1] for part in counts)
    with np.errstate(invalid="ignore"):
        precision = tp / (tp + fp)
    return Thresholds(
        at, precision, tp / (tp + fn), 2 * tp / (2 * tp + fp + fn), (fp + fn) / (tn + fp + fn + tp)
    )


def flagged_at(found: Thresholds, threshold: float) -> tuple[float, float, float, float]:
    """(precision, recall, F1, cost) when `threshold` or more is flagged."""
    at = int(np.searchsorted(found.at, threshold))
    if at < len(found.at):
        return tuple(float(column[at]) for column in found[1:])
    positives = float(found.precision[0])  # the lowest threshold flags every row
    return float("nan"), 0.0, 0.0, positives


def staircase(seen: OneClass) -> Figure | None:
    """The ROC curve on its grid of pairs: up for a positive, right for a negative, ties slanted.

    None where rows have unequal weights, which make no grid, or too many pairs to be seen.
    """
    positives = int(seen.positive.sum())
    negatives = len(seen.positive) - positives
    if len(set(seen.weights)) > 1 or not 0 < positives * negatives <= MOST_CELLS:
        return None
    curve = metrics.roc_curve(seen.positive, seen.stated, drop_intermediate=False)
    right, up = np.asarray(curve.fpr) * negatives, np.asarray(curve.tpr) * positives
    figure, axes = style.panel(4.7, 3.9)
    axes.fill_between(right, up, color=style.ACCENT, alpha=0.25, lw=0)
    axes.plot(right, up, color=style.ACCENT, lw=2.2, clip_on=False)
    axes.hlines(np.arange(positives + 1), 0, negatives, style.MUTED, lw=0.5, zorder=0.5)
    axes.vlines(np.arange(negatives + 1), 0, positives, style.MUTED, lw=0.5, zorder=0.5)
    axes.grid(False)
    axes.set(xlim=(0, negatives), ylim=(0, positives))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("negatives flagged, one column each")
    axes.set_ylabel("positives flagged, one row each")
    axes.set_title("The staircase: its cells are pairs")
    return figure


def pairs(seen: OneClass) -> tuple[float, int]:
    """How many pairs of a row of the class and one of the rest are ranked rightly, and of all."""
    positives = int(seen.positive.sum())
    number = positives * (len(seen.positive) - positives)
    return round(float(metrics.roc_auc_score(seen.positive, seen.stated)) * number, 1), number


def _curves(positive, stated, weights, *, sample_weight):
    """Both curves over `GRID`, of one resample."""
    weight = weights * sample_weight.astype(weights.dtype)
    roc = metrics.roc_curve(positive, stated, sample_weight=weight)
    pr = metrics.precision_recall_curve(positive, stated, sample_weight=weight)
    grid = jnp.asarray(GRID, roc.fpr.dtype)
    # At the highest threshold that reaches a recall; the least one above 0 stands for 0.
    reached = jnp.searchsorted(pr.recall[::-1], jnp.maximum(grid, 1e-6))
    return {
        "roc": jnp.interp(grid, roc.fpr, roc.tpr),
        "precision_recall": pr.precision[::-1][reached],
    }


def _bands(seen: OneClass) -> dict[str, Band]:
    found = metrics.bootstrap_interval(
        _curves,
        jax.random.key(0),
        seen.positive,
        seen.stated.astype(np.float32),
        seen.weights.astype(np.float32),
        num_resamples=NUM_RESAMPLES,
        strata=seen.positive,
        chunk=max(1, 2_000_000 // len(seen.positive)),
    )
    return {
        name: Band(np.asarray(found.low[name]), np.asarray(found.high[name])) for name in found.low
    }


def _roc(seen: OneClass, band: Band, at_half) -> Figure:
    curve = metrics.roc_curve(seen.positive, seen.stated, sample_weight=seen.weights)
    figure, axes = _square("ROC")
    axes.fill_between(GRID, band.low, band.high, color=style.ACCENT, alpha=0.22, lw=0)
    axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls=(0, (4, 3)))
    axes.plot(curve.fpr, curve.tpr, color=style.ACCENT, lw=1.8, clip_on=False)
    positives = seen.weights[seen.positive == 1].sum()
    alarms = seen.weights[(seen.positive == 0) & (seen.stated >= 0.5)].sum()
    place = (alarms / (seen.weights.sum() - positives), at_half[1])
    axes.plot(*place, "o", color=style.WARM, ms=6, clip_on=False, zorder=3)
    axes.annotate("½", place, (7, -11), textcoords="offset points", color=style.WARM)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate (recall)")
    return figure


def _precision_recall(seen: OneClass, band: Band) -> Figure:
    curve = metrics.precision_recall_curve(seen.positive, seen.stated, sample_weight=seen.weights)
    figure, axes = _square("Precision and recall")
    axes.fill_between(GRID, band.low, band.high, color=style.ACCENT, alpha=0.22, lw=0)
    share = np.average(seen.positive, weights=seen.weights)
    axes.axhline(share, color=style.MUTED, lw=1, ls=(0, (4, 3)))
    axes.step(
        curve.recall, curve.precision, where="post", color=style.ACCENT, lw=1.8, clip_on=False
    )
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    return figure


def _explorer(found: Thresholds) -> Figure:
    figure, axes = style.panel(4.7, 3.9)
    lines = (
        ("recall", found.recall, style.ACCENT, "-"),
        ("precision", found.precision, style.WARM, "-"),
        ("F1", found.f1, style.INK, (0, (5, 2))),
        ("cost: misses and false alarms", found.cost, style.MUTED, (0, (1, 1.2))),
    )
    for name, line, colour, dashes in lines:
        # What holds at a threshold holds from the one below it on.
        axes.step(found.at, line, where="pre", color=colour, ls=dashes, lw=1.6, label=name)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    axes.set_xlabel("threshold: flag where the stated probability is at least")
    axes.set_ylabel("share")
    axes.set_title("Thresholds")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _square(title: str):
    figure, axes = style.panel(4.7, 3.9)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), title=title)
    return figure, axes


def _share(value: float) -> str:
    return "none" if np.isnan(value) else words.percent(value)
