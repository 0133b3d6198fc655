"""Splits and folds that keep every class of every target wherever something trains.

Rows are dealt out like cards, stratum by stratum, so a stratum's rows lie apart. A row's stratum is
its classes, the rarest first: a rare class is then dealt in one go, whatever its rows are by the
other targets. What a class lacks after that, where there are many, is exchanged for common rows.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence

import jax
import numpy as np

from experiments.datasets import DataError
from experiments.datasets.table import Target
from jaxlr import data
from jaxlr.pytypes import Array

MOST_EXCHANGES = 1_000
TRAIN, TEST = 0, 1


def split(
    key: Array, targets: Sequence[Target], heard: np.ndarray, test_fraction: float, needed: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a (train, test) split, each in ascending order.

    Args:
      key: consumed once.
      targets: labels [N] each.
      heard: bool [N], whether a row has weight; a row without is no row of its class.
      test_fraction: in (0, 1).
      needed: rows of a class that training keeps, but for the class's share of the test rows.

    Raises:
      DataError: the fraction leaves one side empty.
    """
    strata = _strata(targets, heard)
    try:
        _, tested = data.split(key, strata, test_fraction)
    except ValueError:
        raise DataError(
            f"--test-fraction {test_fraction:g} of {len(strata)} rows leaves one side empty; take"
            " another fraction or more rows"
        ) from None
    part = np.full(len(strata), TRAIN)
    part[np.asarray(tested)] = TEST

    def lacking(counts):
        total = counts.sum(axis=1)
        least = np.minimum(needed, total - np.floor(total * test_fraction))
        return [(c, TEST) for c in np.flatnonzero(counts[:, TRAIN] < least)]

    part = _exchanged(part, targets, heard, lacking)
    return np.flatnonzero(part == TRAIN), np.flatnonzero(part == TEST)


def folds(key: Array, targets: Sequence[Target], heard: np.ndarray, num_folds: int) -> np.ndarray:
    """[F, N] float32: 1 where a row trains, 0 where the fold holds it out.

    Fold sizes differ by at most one row. Arguments as of `split`; F is at least 2.

    Raises:
      DataError: a class that is too rare for as many folds, or that a fold has to do without.
    """
    _check_rare(targets, heard, num_folds)
    strata = _strata(targets, heard)
    rows = np.asarray(jax.random.permutation(key, len(strata)))
    held_by = np.empty(len(strata), int)
    held_by[rows[np.argsort(strata[rows], kind="stable")]] = np.arange(len(strata)) % num_folds

    def in_one_fold(counts):
        return np.argwhere((counts > 0) & (counts == counts.sum(axis=1, keepdims=True)))

    held_by = _exchanged(held_by, targets, heard, in_one_fold)
    for target, c, fold in _lacks(held_by, targets, heard, in_one_fold):
        raise DataError(
            f"fold {fold} of --folds {num_folds} would train without a row of {_of(target, c)};"
            f" take more --folds, or {_leave_out(target, [c])}"
        )
    return (held_by != np.arange(num_folds)[:, None]).astype(np.float32)


def validation(key: Array, targets: Sequence[Target], heard: np.ndarray, fraction: float):
    """[1, N] as of `folds`, for a single split that holds a fraction out."""
    _check_rare(targets, heard, 2)
    kept, _ = split(key, targets, heard, fraction, needed=1)
    return np.isin(np.arange(len(heard)), kept).astype(np.float32)[None]


def check_heard(heard: np.ndarray, train: np.ndarray, test: np.ndarray) -> None:
    """Raises DataError where the rows to train on, or to test on, have no weight."""
    for name, part in (("train on", train), ("test on", test)):
        if not heard[part].any():
            raise DataError(
                f"--weights are 0 in each of the {len(part)} rows to {name}; take another --seed or"
                " --test-fraction, or give more rows a weight"
            )


def _counts(targets, heard, part=None) -> Iterator[tuple[Target, np.ndarray]]:
    """Each target that has classes, and the heard rows [C, P] of each class in each part."""
    part = np.zeros(len(heard), int) if part is None else part
    num_parts = part.max() + 1
    for target in targets:
        if target.task != "regression":
            cells = (target.labels * num_parts + part)[heard]
            size = len(target.class_names) * num_parts
            yield target, np.bincount(cells, minlength=size).reshape(-1, num_parts)


def _strata(targets: Sequence[Target], heard: np.ndarray) -> np.ndarray:
    """[N] int32; rows without weight have strata of their own."""
    columns, sizes, first = [], [], 0
    for target, counts in _counts(targets, heard):
        columns.append(target.labels + first)  # a number of its own for every class of all
        sizes.append(counts[target.labels, 0])
        first += len(counts)
    strata = (~heard).astype(int)
    if columns:
        rarest_first = np.argsort(sizes, axis=0, kind="stable")
        for classes in np.take_along_axis(np.array(columns), rarest_first, axis=0):
            strata = np.unique(strata * first + classes, return_inverse=True)[1]
    return strata.astype(np.int32)


def _lacks(part, targets, heard, lacking: Callable) -> Iterator[tuple[Target, int, int]]:
    """Each (target, class, part) where the part holds a row that others need.

    `lacking(counts [C, P])` gives (class, part).
    """
    for target, counts in _counts(targets, heard, part):
        yield from ((target, c, p) for c, p in lacking(counts))


def _exchanged(part: np.ndarray, targets, heard: np.ndarray, lacking: Callable) -> np.ndarray:
    """The parts after as many exchanges as it takes, if that can be, until no class is lacking."""
    sizes = [counts[target.labels, 0] for target, counts in _counts(targets, heard)]
    common = np.min(sizes, axis=0, initial=len(part))
    for _ in range(MOST_EXCHANGES):
        target, c, p = next(_lacks(part, targets, heard, lacking), (None, None, None))
        if target is None:
            break
        row = int(np.argmax((target.labels == c) & (part == p) & heard))
        other = int(np.argmax(np.where(part != p, common, -1)))
        part[[row, other]] = part[[other, row]]
    return part


def _check_rare(targets: Sequence[Target], heard: np.ndarray, num_folds: int) -> None:
    """Raises DataError: two rows of a class can lie in two folds, and every fold trains on one."""
    rows = "rows" if heard.all() else "rows with weight"
    for target, counts in _counts(targets, heard):
        rare, least = np.flatnonzero(counts < 2), counts.min()
        if rare.size:  # of two classes none can go
            leave = f", or {_leave_out(target, rare)}" if len(counts) - rare.size > 1 else ""
            raise DataError(
                f"{_of(target, counts.argmin())} has {least} training"
                f" {rows if least == 0 else rows.replace('rows', 'row')}; add rows or take a"
                f" smaller --test-fraction{leave}"
            )
    if heard.sum() < num_folds:
        raise DataError(
            f"--folds {num_folds}: there are only {heard.sum()} training {rows}; take --folds"
            f" {max(heard.sum(), 2)} at most"
        )


def _of(target: Target, c: int) -> str:
    return f"class {target.class_names[c]!r} of target {target.name!r}"


def _leave_out(target: Target, classes: Sequence[int]) -> str:
    names = shlex.join(target.class_names[c] for c in classes)
    return f"leave out what is rare with --drop-classes {names}"
