"""What may choose a penalty: figures of logits on rows held out."""

from collections.abc import Callable
from typing import NamedTuple

from experiments.kit import problems
from jaxlr import metrics
from jaxlr.metrics import kinds
from jaxlr.paths import scorers

CLASSES = ("binary", "multiclass")
REGRESSION = ("regression",)


class Metric(NamedTuple):
    """A metric's name in prose, the tasks it is for, and itself; None stands for the mean loss."""

    name: str
    tasks: tuple[str, ...]
    of: Callable | None

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        return self.of is not None and kinds.more_is_better(self.of.__name__)


METRICS = {
    "loss": Metric("loss", (*CLASSES, *REGRESSION), None),
    "accuracy": Metric("accuracy", CLASSES, metrics.accuracy_score),
    "balanced_accuracy": Metric("balanced accuracy", CLASSES, metrics.balanced_accuracy_score),
    "f1": Metric("F1", CLASSES, metrics.f1_score),
    "matthews": Metric("Matthews correlation", CLASSES, metrics.matthews_corrcoef),
    "roc_auc": Metric("AUC", CLASSES, metrics.roc_auc_score),
    "average_precision": Metric("average precision", CLASSES, metrics.average_precision_score),
    "r2": Metric("R²", REGRESSION, metrics.r2_score),
    "absolute_error": Metric("absolute error", REGRESSION, metrics.mean_absolute_error),
}


def scorer(name: str, task: str, num_classes: int | None) -> Callable | None:
    """`metric(y_true, scores, *, sample_weight)` as cross-validation asks it; None of the loss."""
    of, num_classes = METRICS[name].of, num_classes if task == "multiclass" else None
    if of is None:
        return None
    return scorers.scorer(of, None, problems.loss_of(task), num_classes).metric


def others(name: str, task: str) -> list[str]:
    """The metrics that this task could be judged by instead."""
    return [other for other, m in METRICS.items() if task in m.tasks and other != name]


def prose(name: str, task: str) -> str:
    """The metric's name in a sentence about this task."""
    return problems.LOSS_NAMES[task] if name == "loss" else METRICS[name].name
