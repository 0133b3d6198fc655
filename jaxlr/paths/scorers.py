"""Metrics as cross-validation asks them: of logits, and knowing which way is better."""

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr import losses, metrics
from jaxlr.glm.losses import loss as loss_of
from jaxlr.pytypes import Array
from jaxlr.results.predictions import LINKS, loss_name

CLASSES, TABLES, PROBABILITIES, RANKS, NUMBERS = range(5)
# What a metric is given, whether more is better, and what of more than two classes is meant:
# averages over classes where each counts alike, areas of each class against the rest.
KNOWN = {
    "accuracy_score": (CLASSES, True, {}),
    "hamming_loss": (CLASSES, False, {}),
    "zero_one_loss": (CLASSES, False, {}),
    "balanced_accuracy_score": (TABLES, True, {}),
    "cohen_kappa_score": (TABLES, True, {}),
    "matthews_corrcoef": (TABLES, True, {}),
    "f1_score": (TABLES, True, {"average": "macro"}),
    "fbeta_score": (TABLES, True, {"average": "macro"}),
    "jaccard_score": (TABLES, True, {"average": "macro"}),
    "precision_score": (TABLES, True, {"average": "macro"}),
    "recall_score": (TABLES, True, {"average": "macro"}),
    "specificity_score": (TABLES, True, {"average": "macro"}),
    "brier_score_loss": (PROBABILITIES, False, {}),
    "d2_brier_score": (PROBABILITIES, True, {}),
    "d2_log_loss_score": (PROBABILITIES, True, {}),
    "expected_calibration_error": (PROBABILITIES, False, {}),
    "log_loss": (PROBABILITIES, False, {}),
    "top_k_accuracy_score": (PROBABILITIES, True, {}),
    "average_precision_score": (RANKS, True, {}),
    "roc_auc_score": (RANKS, True, {"multi_class": "ovr"}),
    "d2_absolute_error_score": (NUMBERS, True, {}),
    "explained_variance_score": (NUMBERS, True, {}),
    "max_error": (NUMBERS, False, {}),
    "mean_absolute_error": (NUMBERS, False, {}),
    "mean_squared_error": (NUMBERS, False, {}),
    "median_absolute_error": (NUMBERS, False, {}),
    "r2_score": (NUMBERS, True, {}),
    "root_mean_squared_error": (NUMBERS, False, {}),
}


class Scorer(NamedTuple):
    """metric(labels [N], logits [N] or [N, C], *, sample_weight [N]) -> [], and what it asks for.

    Attributes:
      metric: see above; the same object for the same question, by which its program is found.
      maximise: whether more is better.
      of_classes: whether labels must be whole.
    """

    metric: Callable[..., Array]
    maximise: bool
    of_classes: bool = False


def scorer(
    metric: Callable[..., Array] | None,
    maximise: bool | None,
    loss: Callable[[Array, Array], Array],
    num_classes: int | None,
) -> Scorer:
    """A metric of `metrics`, with options in a `partial` or without, a caller's own, or the loss.

    Raises:
      ValueError: a metric that is no single figure, or not one of this loss; one of scikit-learn.
    """
    if metric is None:
        return Scorer(_mean_loss(loss, num_classes), bool(maximise))
    plain = metric.func if isinstance(metric, partial) else metric
    plain = inspect.unwrap(plain, stop=_is_ours)
    if not _is_ours(plain):
        if getattr(plain, "__module__", "").split(".")[0] == "sklearn":
            raise ValueError(
                f"metric is scikit-learn's {plain.__name__}, which no compiled program can call:"
                f" give jaxlr.metrics.{plain.__name__}"
            )
        return Scorer(metric, bool(maximise))
    name = plain.__name__
    if name not in KNOWN:
        raise ValueError(f"metric {name} is no single figure of predictions to choose by")
    wants, more_is_better, _ = KNOWN[name]
    whose = loss_name(loss)
    if wants == NUMBERS and whose in LINKS:
        raise ValueError(f"metric {name} is one of numbers, and {whose} predicts classes")
    if wants == PROBABILITIES and whose not in LINKS:
        raise ValueError(f"metric {name} is one of probabilities, and {whose} predicts none")
    if wants != NUMBERS and loss is losses.squared_error:
        raise ValueError(f"metric {name} is one of classes, and {whose} predicts numbers")
    found = _of_logits(metric, name, whose, num_classes)
    return Scorer(found, more_is_better if maximise is None else bool(maximise), wants != NUMBERS)


def _is_ours(function: Any) -> bool:
    return getattr(metrics, getattr(function, "__name__", ""), None) is function


@lru_cache
def _of_logits(metric, name, loss, num_classes) -> Callable[..., Array]:
    """The metric, given what it wants."""
    wants, _, of_many = KNOWN[name]
    options = {"num_classes": num_classes or 2} if wants == TABLES else {}
    options |= of_many if (num_classes or 2) > 2 else {}
    options = {k: v for k, v in options.items() if k not in getattr(metric, "keywords", {})}

    def scored(labels, logits, *, sample_weight):
        if wants in (CLASSES, TABLES):
            said = jnp.argmax(logits, axis=-1) if num_classes else logits > 0
            said = said.astype(labels.dtype)
        elif wants == RANKS and (num_classes or 2) == 2:
            said = logits[:, 1] - logits[:, 0] if num_classes else logits
        elif wants == NUMBERS:
            said = logits
        else:
            said = LINKS[loss](logits)
        return metric(labels, said, sample_weight=sample_weight, **options)

    return scored


@lru_cache  # one object for one loss: programs are found by it
def _mean_loss(loss: Callable, num_classes: int | None) -> Callable[..., Array]:
    def mean_loss(labels, logits, *, sample_weight):
        family = loss_of(loss, num_classes)
        value = family.value(logits.T if num_classes else logits[None], labels)
        return jnp.vdot(value, sample_weight) / jnp.sum(sample_weight)

    return mean_loss


def whole(labels: np.ndarray) -> np.ndarray:
    """Labels [T, N] as the classes that they are.

    Raises:
      ValueError: probabilities among them.
    """
    if labels.dtype.kind != "f":
        return labels
    odd = labels[labels != np.round(labels)]
    if len(odd):
        raise ValueError(f"the metric is one of classes, and labels hold {odd[0]}, which is none")
    return labels.astype(np.int64)
