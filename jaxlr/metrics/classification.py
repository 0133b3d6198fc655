"""scikit-learn's figures of predicted labels: the door, the confusion tensor, one formula.

All take labels of any kind [N] or indicators [N, C], and inside `jit` integers 0…num_classes-1 with
`num_classes` static. `zero_division` is what 0/0 counts as: 0, 1 or NaN; "warn" means 0, unwarned.
Averages over classes: None (each), "binary" (class `pos_label` alone), "micro" (average the
counts, then the figure), "macro" (the figure, then average), "weighted" (macro by support),
"samples" (over the rows of indicators).
"""

from typing import NamedTuple

import numpy as np

from jaxlr.metrics import checks, figures
from jaxlr.metrics.coding import Coded, coded
from jaxlr.metrics.confusion import tables
from jaxlr.metrics.wide import wide
from jaxlr.pytypes import Array


class Scores(NamedTuple):
    """What precision_recall_fscore_support returns: [] each, or [C] each with the support."""

    precision: Array
    recall: Array
    fscore: Array
    support: Array | None


class _Question(NamedTuple):
    """Tables [C or N, 2, 2], and how a figure of them is to be averaged."""

    table: Array
    average: str | None
    zero_division: float
    options: dict


@wide
def precision_score(
    y_true,
    y_pred,
    *,
    labels=None,
    pos_label=1,
    average="binary",
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Array:
    """TP / (TP + FP): of those flagged, the share that truly are (the fingerprint scanner)."""
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    return figures.precision(ask.table, ask.average, ask.zero_division, **ask.options)


@wide
def recall_score(
    y_true,
    y_pred,
    *,
    labels=None,
    pos_label=1,
    average="binary",
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Array:
    """TP / (TP + FN): of those that are, the share flagged (the dangerous disease)."""
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    return figures.recall(ask.table, ask.average, ask.zero_division, **ask.options)


@wide
def specificity_score(
    y_true,
    y_pred,
    *,
    labels=None,
    pos_label=1,
    average="binary",
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Array:
    """TN / (TN + FP): of those that aren't, the share left alone; recall of the other class."""
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    return figures.specificity(ask.table, ask.average, ask.zero_division, **ask.options)


@wide
def jaccard_score(
    y_true,
    y_pred,
    *,
    labels=None,
    pos_label=1,
    average="binary",
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Array:
    """TP / (TP + FP + FN): intersection over union."""
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    # scikit-learn leaves undefined classes out of an average of F, yet not out of Jaccard's.
    options = ask.options | {"skip_undefined": False}
    return figures.jaccard(ask.table, ask.average, ask.zero_division, **options)


def f1_score(y_true, y_pred, **options) -> Array:
    """2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall.

    Options as in `fbeta_score`, without beta.
    """
    return fbeta_score(y_true, y_pred, beta=1.0, **options)


@wide
def fbeta_score(
    y_true,
    y_pred,
    *,
    beta,
    labels=None,
    pos_label=1,
    average="binary",
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Array:
    """The weighted harmonic mean of precision and recall, recall counting β² times (β static)."""
    _require_beta(beta)
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    return figures.f_beta(ask.table, beta, ask.average, ask.zero_division, **ask.options)


@wide
def precision_recall_fscore_support(
    y_true,
    y_pred,
    *,
    beta=1.0,
    labels=None,
    pos_label=1,
    average=None,
    warn_for=None,
    sample_weight=None,
    zero_division=0.0,
    num_classes=None,
) -> Scores:
    """Precision, recall, F_β and support from one confusion tensor.

    Returns:
      Scores of [C] each with average None; else of [] each, and support None. `warn_for` is
      accepted because scikit-learn has it; nothing here warns.
    """
    del warn_for
    _require_beta(beta)
    ask = _question(
        y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
    )
    return scores_of(ask.table, beta, ask.average, ask.zero_division, **ask.options)


def scores_of(table: Array, beta=1.0, average=None, zero_division=0.0, **options) -> Scores:
    """Precision, recall, F_β and support of tables [C, 2, 2]."""
    return Scores(
        figures.precision(table, average, zero_division, **options),
        figures.recall(table, average, zero_division, **options),
        figures.f_beta(table, beta, average, zero_division, **options),
        table[..., 1, 0] + table[..., 1, 1] if average is None else None,
    )


def zero_value(zero_division) -> float:
    """The number that a zero division counts as; raises on anything but 0, 1, NaN and "warn"."""
    if isinstance(zero_division, str) and zero_division == "warn":
        return 0.0
    number = isinstance(zero_division, int | float | np.number)
    if number and (zero_division in (0, 1) or np.isnan(zero_division)):
        return float(zero_division)
    raise ValueError(f'zero_division must be 0, 1, NaN or "warn", and is {zero_division!r}')


def _require_beta(beta) -> None:
    if isinstance(beta, str) or not beta >= 0:
        raise ValueError(f"beta must be at least 0, and is {beta}")


def _question(
    y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, num_classes
) -> _Question:
    """One table per class or row asked about, from arguments as scikit-learn takes them."""
    checks.one_of("average", average, figures.AVERAGES)
    zero = zero_value(zero_division)
    rows = coded(
        y_true,
        y_pred,
        sample_weight=sample_weight,
        labels=labels,
        num_classes=num_classes,
        two_classes=average == "binary",
    )
    if average == "binary":
        return _Question(tables(_binary(rows, pos_label))[:1], average, zero, {})
    options = {}
    if average == "samples":
        options["weights"] = rows.weights
        # Each row weighs in the average; inside its own table weight would cancel, unless zero.
        rows = rows._replace(weights=None)
    table = tables(rows, samplewise=average == "samples")
    return _Question(table, average, zero, options)


def _binary(rows: Coded, pos_label) -> Coded:
    """The rows with class `pos_label` asked first."""
    if rows.kind != "binary":
        raise ValueError(
            f"average='binary' needs two classes, and the labels are {rows.kind}: choose an "
            f"average among {[a for a in figures.AVERAGES if a != 'binary']}"
        )
    classes = rows.classes.tolist()
    if pos_label not in classes:
        if len(classes) >= 2:
            raise ValueError(f"pos_label={pos_label!r} must be one of the labels {classes}")
        # Only the negative class occurs: no code is positive.
        first = np.asarray([pos_label], object)
        away = {"y_true": rows.y_true + 1, "y_pred": rows.y_pred + 1}
        return rows._replace(classes=np.append(first, classes), num_asked=1, **away)
    if classes.index(pos_label) == 0:
        return rows._replace(num_asked=1)
    flipped = {"y_true": 1 - rows.y_true, "y_pred": 1 - rows.y_pred}
    return rows._replace(classes=rows.classes[::-1], num_asked=1, **flipped)
