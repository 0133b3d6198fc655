"""What may choose a penalty: figures of logits on rows held out."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from experiments import problems
from jaxlr import activations, metrics

CLASSES = ("binary", "multiclass")
REGRESSION = ("regression",)


class Metric(NamedTuple):
    """A metric's name in prose, the tasks it is for, which way is better, and its function.

    `of(task, num_classes, labels, logits, sample_weight)`: [N] labels, [N] or [N, C] logits.
    None stands for the mean loss.
    """

    name: str
    tasks: tuple[str, ...]
    maximise: bool
    of: Callable | None


def _accuracy(task, num_classes, labels, logits, sample_weight):
    del num_classes
    predicted = problems.predictions(task, logits)
    return metrics.accuracy_score(labels, predicted, sample_weight=sample_weight)


def _of_classes(metric, task, num_classes, labels, logits, sample_weight):
    predicted = problems.predictions(task, logits)
    return metric(labels, predicted, sample_weight=sample_weight, num_classes=num_classes)


def _f1(task, num_classes, labels, logits, sample_weight):
    average = "binary" if task == "binary" else "macro"
    metric = partial(metrics.f1_score, average=average)
    return _of_classes(metric, task, num_classes, labels, logits, sample_weight)


def _ranking(metric, task, num_classes, labels, logits, sample_weight):
    del num_classes
    if task == "binary":
        return metric(labels, logits, sample_weight=sample_weight)
    options = {"multi_class": "ovr"} if metric is metrics.roc_auc_score else {}
    return metric(labels, activations.softmax(logits), sample_weight=sample_weight, **options)


def _of_numbers(metric, task, num_classes, labels, predicted, sample_weight):
    del task, num_classes
    return metric(labels, predicted, sample_weight=sample_weight)


METRICS = {
    "loss": Metric("loss", (*CLASSES, *REGRESSION), False, None),
    "accuracy": Metric("accuracy", CLASSES, True, _accuracy),
    "balanced_accuracy": Metric(
        "balanced accuracy",
        CLASSES,
        True,
        partial(_of_classes, metrics.balanced_accuracy_score),
    ),
    "f1": Metric("F1", CLASSES, True, _f1),
    "matthews": Metric(
        "Matthews correlation", CLASSES, True, partial(_of_classes, metrics.matthews_corrcoef)
    ),
    "roc_auc": Metric("AUC", CLASSES, True, partial(_ranking, metrics.roc_auc_score)),
    "average_precision": Metric(
        "average precision", CLASSES, True, partial(_ranking, metrics.average_precision_score)
    ),
    "r2": Metric("R²", REGRESSION, True, partial(_of_numbers, metrics.r2_score)),
    "absolute_error": Metric(
        "absolute error", REGRESSION, False, partial(_of_numbers, metrics.mean_absolute_error)
    ),
}


@cache
def scorer(name: str, task: str, num_classes: int | None) -> Callable | None:
    """`metric(y_true, scores, *, sample_weight)` as `paths.cross_validate` takes it.

    The same question has the same object, so that its program is compiled once.
    """
    of = METRICS[name].of
    if of is None:
        return None

    def metric(y_true, scores, *, sample_weight=None):
        return of(task, num_classes, y_true, scores, sample_weight)

    return metric


def others(name: str, task: str) -> list[str]:
    """The metrics that this task could be judged by instead."""
    return [other for other, m in METRICS.items() if task in m.tasks and other != name]


def prose(name: str, task: str) -> str:
    """The metric's name in a sentence about this task."""
    return problems.LOSS_NAMES[task] if name == "loss" else METRICS[name].name
