"""What may choose a penalty: figures of logits on rows held out."""

from collections.abc import Callable
from typing import NamedTuple

CLASSES = ("binary", "multiclass")
REGRESSION = ("regression",)


class Metric(NamedTuple):
    """A metric's name in prose, the tasks it is for, and its name in `jaxlr.metrics`.

    Without one it is the mean loss.
    """

    name: str
    tasks: tuple[str, ...]
    function: str | None

    @property
    def of(self) -> Callable | None:
        """The metric itself."""
        from jaxlr import metrics

        return None if self.function is None else getattr(metrics, self.function)

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        from jaxlr.metrics import kinds

        return self.function is not None and kinds.more_is_better(self.function)


METRICS = {
    "loss": Metric("loss", (*CLASSES, *REGRESSION), None),
    "accuracy": Metric("accuracy", CLASSES, "accuracy_score"),
    "balanced_accuracy": Metric("balanced accuracy", CLASSES, "balanced_accuracy_score"),
    "f1": Metric("F1", CLASSES, "f1_score"),
    "matthews": Metric("Matthews correlation", CLASSES, "matthews_corrcoef"),
    "roc_auc": Metric("AUC", CLASSES, "roc_auc_score"),
    "average_precision": Metric("average precision", CLASSES, "average_precision_score"),
    "r2": Metric("R²", REGRESSION, "r2_score"),
    "absolute_error": Metric("absolute error", REGRESSION, "mean_absolute_error"),
}


def scorer(name: str, task: str, num_classes: int | None) -> Callable | None:
    """`metric(y_true, scores, *, sample_weight)` as cross-validation asks it; None of the loss."""
    from experiments.kit import problems
    from jaxlr.paths import scorers

    of, classes = METRICS[name].of, num_classes if task == "multiclass" else None
    if of is None:
        return None
    return scorers.scorer(of, None, problems.loss_of(task), classes).metric


def others(name: str, task: str) -> list[str]:
    """The metrics that this task could be judged by instead."""
    return [other for other, m in METRICS.items() if task in m.tasks and other != name]


def prose(name: str, task: str) -> str:
    """The metric's name in a sentence about this task."""
    from experiments.kit.problems import LOSS_NAMES

    return LOSS_NAMES[task] if name == "loss" else METRICS[name].name
