"""One class against the rest on test rows: ROC, precision-recall, and what each threshold does.

Two classes: the second. More: the one that is hardest to tell from the rest by AUC.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
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

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """What a metric compares."""
        return self.positive, self.stated

    @property
    def weighted(self) -> dict[str, np.ndarray]:
        """How a metric is told of the weights."""
        return {"sample_weight": self.weights}

    @property
    def share(self) -> float:
        """Of the class."""
        return float(np.average(self.positive, weights=self.weights))


def one_class(rows: Classified, names: tuple[str, ...]) -> OneClass | None:
    """The class to look at; None where every class has all test rows or none."""
    hot = np.eye(len(names), dtype=np.int32)[rows.labels]
    chosen = [c for c in range(len(names)) if 0 < hot[:, c].sum() < len(hot)]
    if len(names) == 2:
        chosen = chosen[-1:]
    if not chosen:
        return None
    seen = [OneClass(names[c], hot[:, c], rows.probabilities[:, c], rows.weights) for c in chosen]
    return min(seen, key=lambda one: float(metrics.roc_auc_score(*one.pairs, **one.weighted)))


def panels(seen: OneClass) -> dict[str, Figure]:
    """The ROC curve, precision-recall and thresholds."""
    bands = _bands(seen)
    curves = {"roc": _roc(seen, bands), "precision_recall": _precision_recall(seen, bands)}
    return curves | {"thresholds": _explorer(thresholds(seen))}


def areas(seen: OneClass) -> dict[str, float]:
    """The areas under both curves, and the best F1.

    roc, between low and high, DeLong's 95 % interval, NaN where it has none; precision, on average,
    where guessing has `share`; f1, the largest, at `threshold`; resamples, of the curves' bands.
    """
    auc = metrics.roc_auc_interval(*seen.pairs, **seen.weighted)
    found = thresholds(seen)["f1"]
    return {
        "roc": float(auc.estimate),
        "low": float(auc.low),
        "high": float(auc.high),
        "precision": float(metrics.average_precision_score(*seen.pairs, **seen.weighted)),
        "share": seen.share,
        "f1": found.max(),
        "threshold": found.idxmax(),
        "resamples": NUM_RESAMPLES,
    }


def table_rows(seen: OneClass) -> list[list[str]]:
    """What ten thresholds do: threshold, flagged, precision, recall, F1, cost."""
    found, rows = thresholds(seen), []
    for t in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        shares = (np.average(seen.stated >= t, weights=seen.weights), *flagged_at(found, t))
        rows.append([f"{t:.2f}", *("none" if np.isnan(s) else words.percent(s) for s in shares)])
    return rows


def thresholds(seen: OneClass) -> pd.DataFrame:
    """What flagging every row that states a probability or more does: a row for each of these.

    Columns precision, recall, f1, and cost, the share of rows that are misses or false alarms;
    probabilities ascend, and the last is inf, by which none is flagged.
    """
    counts = metrics.confusion_matrix_at_thresholds(*seen.pairs, **seen.weighted)
    found = np.array(counts, np.float64)[:, ::-1]
    negatives, positives = found[[1, 3], 0]  # the lowest threshold flags every row
    _, fp, fn, tp, at = np.c_[found, [negatives, 0, positives, 0, np.inf]]
    with np.errstate(invalid="ignore"):
        shares = {"precision": tp / (tp + fp), "recall": tp / (tp + fn)}
    shares |= {"f1": 2 * tp / (2 * tp + fp + fn), "cost": (fp + fn) / (negatives + positives)}
    return pd.DataFrame(shares, at)


def flagged_at(found: pd.DataFrame, threshold: float) -> tuple[float, float, float, float]:
    """(precision, recall, F1, cost) when `threshold` or more is flagged."""
    return tuple(found.iloc[found.index.searchsorted(threshold)])


def staircase(seen: OneClass) -> Figure | None:
    """The ROC curve on its grid of pairs: up for a positive, right for a negative, ties slanted.

    None where rows have unequal weights, which make no grid, or too many pairs to be seen.
    """
    positives = int(seen.positive.sum())
    negatives = len(seen.positive) - positives
    if len(set(seen.weights)) > 1 or not 0 < positives * negatives <= MOST_CELLS:
        return None
    curve = metrics.roc_curve(*seen.pairs, drop_intermediate=False)
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
    axes.set(xlabel="negatives flagged, one column each", ylabel="positives flagged, one row each")
    axes.set_title("The staircase: its cells are pairs")
    return figure


def pairs(seen: OneClass) -> tuple[float, int]:
    """How many pairs of a row of the class and one of the rest are ranked rightly, and of all."""
    positives = int(seen.positive.sum())
    number = positives * (len(seen.positive) - positives)
    return round(float(metrics.roc_auc_score(*seen.pairs)) * number, 1), number


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


def _bands(seen: OneClass):
    """Pointwise 95 % bootstrap intervals over `GRID`: low and high of each curve."""
    return metrics.bootstrap_interval(
        _curves,
        jax.random.key(0),
        seen.positive,
        seen.stated.astype(np.float32),
        seen.weights.astype(np.float32),
        num_resamples=NUM_RESAMPLES,
        strata=seen.positive,
        chunk=max(1, 2_000_000 // len(seen.positive)),
    )


def _roc(seen: OneClass, bands) -> Figure:
    curve = metrics.roc_curve(*seen.pairs, **seen.weighted)
    figure, axes = _with_band("roc", bands, "ROC")
    axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls=(0, (4, 3)))
    axes.plot(curve.fpr, curve.tpr, color=style.ACCENT, lw=1.8, clip_on=False)
    flagged = seen.stated >= 0.5
    of_each = (seen.weights * (seen.positive == one) for one in (0, 1))
    place = [np.average(flagged, weights=weights) for weights in of_each]
    axes.plot(*place, "o", color=style.WARM, ms=6, clip_on=False, zorder=3)
    axes.annotate("½", place, (7, -11), textcoords="offset points", color=style.WARM)
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    return figure


def _precision_recall(seen: OneClass, bands) -> Figure:
    curve = metrics.precision_recall_curve(*seen.pairs, **seen.weighted)
    figure, axes = _with_band("precision_recall", bands, "Precision and recall")
    axes.axhline(seen.share, color=style.MUTED, lw=1, ls=(0, (4, 3)))
    line = {"color": style.ACCENT, "lw": 1.8, "clip_on": False}
    axes.step(curve.recall, curve.precision, where="post", **line)
    axes.set(xlabel="recall", ylabel="precision")
    return figure


def _with_band(name: str, bands, title: str) -> tuple[Figure, Axes]:
    figure, axes = style.panel(4.7, 3.9)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), title=title)
    ends = (np.asarray(end[name]) for end in (bands.low, bands.high))
    axes.fill_between(GRID, *ends, color=style.ACCENT, alpha=0.22, lw=0)
    return figure, axes


def _explorer(found: pd.DataFrame) -> Figure:
    figure, axes = style.panel(4.7, 3.9)
    looks = {
        "recall": ("recall", style.ACCENT, "-"),
        "precision": ("precision", style.WARM, "-"),
        "f1": ("F1", style.INK, (0, (5, 2))),
        "cost": ("cost: misses and false alarms", style.MUTED, (0, (1, 1.2))),
    }
    for column, (name, colour, dashes) in looks.items():
        # What holds at a threshold holds from the one below it on.
        line = found[column][:-1]
        axes.step(line.index, line, where="pre", color=colour, ls=dashes, lw=1.6, label=name)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), title="Thresholds", ylabel="share")
    axes.set_xlabel("threshold: flag where the stated probability is at least")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
