"""The classification report, as text or as a dictionary, from one confusion tensor."""

from typing import NamedTuple

import jax
import numpy as np

from jaxlr.metrics import checks
from jaxlr.metrics.classification import Scores, scores_of, zero_value
from jaxlr.metrics.coding import Coded, coded
from jaxlr.metrics.confusion import tables
from jaxlr.metrics.wide import wide

HEADERS = ("precision", "recall", "f1-score", "support")


class _Line(NamedTuple):
    """A row of the report: its name, its three figures, and the support."""

    name: str
    precision: float
    recall: float
    fscore: float
    support: float


@wide
def classification_report(
    y_true,
    y_pred,
    *,
    labels=None,
    target_names=None,
    sample_weight=None,
    digits=2,
    output_dict=False,
    zero_division=0.0,
    num_classes=None,
) -> str | dict:
    """Precision, recall, F1 and support of every class, and their averages.

    Args:
      y_true: [N] labels or [N, C] indicators, as `precision_score` takes them, values known.
      y_pred: likewise.
      labels: which classes, in which order.
      target_names: a name for each, or None for the labels themselves.
      sample_weight: [N], or None for ones.
      digits: decimals of the text.
      output_dict: a dictionary of floats instead of text.
      zero_division: what 0/0 counts as.
      num_classes: C, when classes that don't occur are to be listed too.

    Returns:
      Text in scikit-learn's layout, or {name: {"precision": …, …}, …}. The micro average is called
      accuracy when every class is listed, and is then one number.

    Raises:
      ValueError: called inside `jit`, where there are no numbers to print; names too few or many.
    """
    if checks.traced(y_true, y_pred, sample_weight):
        raise ValueError("y_true must be known values: inside jit, report on confusion tensors")
    digits = checks.whole("digits", digits, at_least=0)
    rows = coded(
        y_true, y_pred, sample_weight=sample_weight, labels=labels, num_classes=num_classes
    )
    asked = rows.classes[: rows.num_asked]
    names = [str(label) for label in asked] if target_names is None else list(target_names)
    if len(names) != len(asked):
        raise ValueError(f"target_names must name {len(asked)} classes, and names {len(names)}")
    zero = zero_value(zero_division)
    classes, averages = _class_lines(rows, names, zero), _average_lines(rows, zero)
    if output_dict:
        return _dictionary(classes + averages)
    return _text(classes, averages, digits)


def _class_lines(rows: Coded, names: list[str], zero: float) -> list[_Line]:
    scores = jax.tree.map(np.asarray, scores_of(tables(rows), zero_division=zero))
    return [_Line(*line) for line in zip(names, *(s.tolist() for s in scores), strict=True)]


def _average_lines(rows: Coded, zero: float) -> list[_Line]:
    table = tables(rows)
    support = float(np.asarray(scores_of(table).support).sum())
    whole = rows.num_asked == len(rows.classes) and rows.kind != "multilabel"
    lines = [
        _averaged("accuracy" if whole else "micro avg", scores_of(table, 1.0, "micro", zero)),
        _averaged("macro avg", scores_of(table, 1.0, "macro", zero)),
        _averaged("weighted avg", scores_of(table, 1.0, "weighted", zero)),
    ]
    if rows.kind == "multilabel":
        each = tables(rows._replace(weights=None), samplewise=True)
        scores = scores_of(each, 1.0, "samples", zero, weights=rows.weights)
        lines.append(_averaged("samples avg", scores))
    return [line._replace(support=support) for line in lines]


def _averaged(name: str, scores: Scores) -> _Line:
    return _Line(name, float(scores.precision), float(scores.recall), float(scores.fscore), 0.0)


def _dictionary(lines: list[_Line]) -> dict:
    report = {line.name: dict(zip(HEADERS, map(float, line[1:]), strict=True)) for line in lines}
    if "accuracy" in report:
        report["accuracy"] = report["accuracy"]["precision"]
    return report


def _text(classes: list[_Line], averages: list[_Line], digits: int) -> str:
    width = max(*(len(line.name) for line in classes), len("weighted avg"), digits)
    head = " " * width + " " + "".join(f" {header:>9}" for header in HEADERS)
    body = [_row(line, width, digits) for line in classes]
    whole = all(isinstance(line.support, int) for line in classes)
    feet = [line._replace(support=int(line.support)) if whole else line for line in averages]
    return "\n".join([head, "", *body, "", *(_row(line, width, digits) for line in feet), ""])


def _row(line: _Line, width: int, digits: int) -> str:
    shown = [f"{value:>9.{digits}f}" for value in line[1:4]]
    if line.name == "accuracy":
        shown[:2] = [" " * 9, " " * 9]
    return f"{line.name:>{width}}  " + " ".join([*shown, f"{line.support:>9}"])
