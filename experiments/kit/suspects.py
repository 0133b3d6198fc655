"""Columns that are no features, know the answer, or know nothing: noted beside the headline.

A row number, an id or a date fits nothing that a new row will have; a column that tells the target
all alone is mostly written down after it. Nothing of that is certain, so nothing is refused.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from experiments.datasets import Table
from experiments.datasets.table import Target
from experiments.kit import pages
from experiments.kit.problems import Problem

SAID = pages.macros("suspects.html", plain=True)
ENOUGH = 20  # rows: among fewer, whole numbers often differ and columns tell classes by luck
MOST_ROWS = 2_000  # looked at for what tells the target
FEW = 8  # rows of a class: of as many, all right, 68 to 100 % may be (Wilson)
RECURS = 10  # rows to a value on average, from which on numbers may stand for categories
LEFT = {"classes": 0.02, "numbers": 1e-4}  # of the commonest class's mistakes; of the variance
UNRELATED = 1e-6  # a correlation no sample shows by chance
DAY = re.compile(r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3(\d\d|\d{4}))([ T].*)?")
ID = re.compile(r"(?i:(.*[_\W])?(id|uuid|guid|nr|no)|index|row|key|unnamed.*)|.*[a-z](Id|ID)")
TIME = re.compile(r"(?i)(.*[_\W])?(date|datetime|timestamp|datum|epoch)([_\W].*)?")


def notes(table: Table, targets: Sequence[Target]) -> list[str]:
    """A sentence for each kind of suspect column, with the option that leaves it out."""
    columns, said = _columns(table), {}
    for name, values in columns.items():
        why = _no_feature(name, values)
        if why:
            said.setdefault(why, []).append(name)
    told = [SAID.no_feature(names, why) for why, names in said.items()]
    for target in targets if len(columns) > 1 else ():
        names = list(_telling(columns, target, table.weights))
        told += [SAID.telling(names, target.name)] * bool(names)
    return told


def few(target: Target, labels: np.ndarray, which: str, cure: str) -> list[str]:
    """A sentence where a class has few of the rows that judge.

    Args:
      target: its classes.
      labels: of those rows.
      which: what the rows are called.
      cure: the option that makes them more.
    """
    if not target.class_names:
        return []
    counts = np.bincount(labels, minlength=len(target.class_names))
    rare = {name: n for name, n in zip(target.class_names, counts, strict=True) if n < FEW}
    others = len(counts) - len(rare)
    return [SAID.few(target.name, which, rare, others, cure)] if rare else []


def nothing_to_learn(problems: Sequence[Problem]) -> list[str]:
    """A sentence for each problem whose features are all unrelated to the target."""
    return [SAID.nothing_to_learn(problem.table) for problem in problems if is_unrelated(problem)]


def is_unrelated(problem: Problem) -> bool:
    """Whether no feature varies with the target in the training rows: w = 0 is the optimum then."""
    x, labels = np.asarray(problem.train.x), np.asarray(problem.train.labels)
    weights = np.asarray(problem.train.weights, np.float64)
    weights = weights / weights.sum()
    if problem.table.task == "regression":
        labels = labels - weights @ labels
        variance, pulled = weights @ labels**2, lambda column: column @ labels
    else:
        share = np.bincount(labels, weights)
        variance, pulled = share * (1 - share), lambda column: np.bincount(labels, column)
    for column in x.T:  # mostly the first one varies with the target
        column = column - weights @ column
        pull = pulled(weights * column)
        if (pull**2 > UNRELATED**2 * (weights @ column**2) * variance).any():
            return False
    return True


def _columns(table: Table) -> dict[str, np.ndarray | pd.Categorical]:
    if isinstance(table.features, np.ndarray):
        return dict(zip(table.feature_names, table.features.T, strict=True))
    return {name: table.features[name].array for name in table.features}


def _no_feature(name: str, values) -> str | None:
    if isinstance(values, pd.Categorical):
        return _no_category(name, values)
    values = np.asarray(values)
    first = values[:50].astype(np.float64)
    if not (np.isfinite(first) & (first == np.floor(first))).all():
        return None
    if (np.diff(first) == 1).all() and (np.diff(values.astype(np.float64)) == 1).all():
        return "counts the rows"
    is_named = bool(ID.fullmatch(name))
    if is_named or len(np.unique(first)) == len(first):
        number = len(np.unique(values[values == np.floor(values)]))
        if number == len(values) and (is_named or number >= ENOUGH):
            return "has another whole number in each row, as an id has"
        if is_named and number > max(ENOUGH, len(values) / 10):
            return "is called like an id"
    if TIME.fullmatch(name) or (_is_day(first).all() and _is_day(values).all()):
        return "holds dates or times, and a new row's will lie elsewhere"
    return None


def _is_day(values: np.ndarray) -> np.ndarray:
    """Whether whole numbers are dates like 20210301."""
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    ends = ((year, 1900, 2100), (month, 1, 12), (day, 1, 31))
    return np.all([(part >= low) & (part <= high) for part, low, high in ends], axis=0)


def _no_category(name: str, values: pd.Categorical) -> str | None:
    categories = list(map(str, values.categories))
    if categories and all(map(DAY.fullmatch, categories)):
        return "holds dates, each a category of its own"
    if len(values) >= ENOUGH and 2 * len(categories) > len(values):
        return "has another text in most rows, as an id has"
    if ID.fullmatch(name) and len(categories) > max(ENOUGH, len(values) / 10):
        return "is called like an id"
    return None


def _telling(columns: dict, target: Target, weights: np.ndarray | None) -> Iterator[str]:
    """The columns that tell the target alone, by their order or as categories."""
    rows = np.arange(len(target.labels)) if weights is None else np.flatnonzero(weights > 0)
    rows = np.random.default_rng(0).permutation(rows)[:MOST_ROWS]  # equal values in any order
    labels = target.labels[rows]
    is_class = target.task != "regression"
    if len(rows) < ENOUGH or np.ptp(labels) == 0:
        return
    if is_class and len(rows) - np.bincount(labels).max() < 5:
        return
    limit = LEFT["classes" if is_class else "numbers"]
    for name, values in columns.items():
        is_ordered, by_order = not isinstance(values, pd.Categorical), np.inf
        values = np.asarray(values[rows], np.float64) if is_ordered else values.codes[rows]
        known, codes = np.unique(values, return_inverse=True)  # gaps are one value of them
        if len(known) > 1 and is_ordered:
            by_order = _left_by_order(codes, labels, is_class)
        recurs = 1 < len(known) <= len(rows) / RECURS
        if by_order <= limit or (recurs and _left_by_value(codes, labels, is_class) <= limit):
            yield name


def _left_by_order(codes: np.ndarray, labels: np.ndarray, is_class: bool) -> float:
    """How much of the target is left to tell where rows stand in the order of a column."""
    if not is_class:
        ranks = np.argsort(np.argsort(labels, kind="stable"), kind="stable")
        return 1 - np.corrcoef(codes, ranks)[0, 1] ** 2
    told = labels[np.argsort(codes, kind="stable")]
    counts = np.bincount(labels)
    at = np.argsort(np.bincount(told, np.arange(len(told))) / np.maximum(counts, 1))
    return float(np.sum(np.repeat(at, counts[at]) != told) / (len(labels) - counts.max()))


def _left_by_value(codes: np.ndarray, labels: np.ndarray, is_class: bool) -> float:
    """How much of the target is left to tell where each value is a category."""
    if not is_class:
        means = np.bincount(codes, labels)[codes] / np.bincount(codes)[codes]
        return float(np.mean((labels - means) ** 2) / labels.var())
    table = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(table, (codes, labels), 1)
    counts = table.sum(axis=0)
    return float((len(labels) - table.max(axis=1).sum()) / (len(labels) - counts.max()))
