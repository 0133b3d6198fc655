"""Splits and folds that keep every class of every target wherever something trains.

Rows are dealt out like cards, stratum by stratum, so a stratum's rows lie apart. A row's stratum is
its classes, the rarest first: a rare class is then dealt in one go, whatever its rows are by the
other targets. Where a deal leaves a class out all the same, the cards are shuffled again.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence

import jax
import numpy as np

from experiments.datasets import DataError
from experiments.datasets.errors import listed
from experiments.datasets.label_columns import Target
from jaxlr import data
from jaxlr.pytypes import Array

SHUFFLES = 100


def split(
    key: Array, targets: Sequence[Target], heard: np.ndarray, test_fraction: float, needed: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a (train, test) split, each in ascending order.

    Args:
      key: consumed once.
      targets: labels [N] each.
      heard: bool [N], whether a row has weight; a row without is no row of its class.
      test_fraction: in (0, 1).
      needed: training rows of a class that are worth another shuffle where it has as many.

    Raises:
      DataError: the fraction leaves one side empty.
    """
    strata = _strata(targets, heard)
    wanted = [
        np.minimum(needed, counts - np.floor(counts * test_fraction))
        for counts in _counts(targets, heard)
    ]

    def deal(key):
        try:
            return tuple(np.asarray(rows) for rows in data.split(key, strata, test_fraction))
        except ValueError:
            raise DataError(
                f"--test-fraction {test_fraction:g} of {len(strata)} rows leaves one side empty;"
                " take another fraction or more rows"
            ) from None

    def keeps_classes(rows):
        trained = np.isin(np.arange(len(heard)), rows[0]) & heard
        have = _counts(targets, trained)
        return all((n >= least).all() for n, least in zip(have, wanted, strict=True))

    return _dealt_well(key, deal, keeps_classes)


def folds(key: Array, targets: Sequence[Target], heard: np.ndarray, num_folds: int) -> np.ndarray:
    """[F, N] float32: 1 where a row trains, 0 where the fold holds it out.

    Fold sizes differ by at most one row. Arguments as of `split`; F is at least 2.

    Raises:
      DataError: a class that is too rare for as many folds, or that a fold has to do without.
    """
    _check_rare(targets, heard, num_folds)
    strata = _strata(targets, heard)

    def deal(key):
        rows = np.asarray(jax.random.permutation(key, len(strata)))
        held_by = np.empty(len(strata), int)
        held_by[rows[np.argsort(strata[rows], kind="stable")]] = np.arange(len(strata)) % num_folds
        return (held_by != np.arange(num_folds)[:, None]).astype(np.float32)

    found = _dealt_well(key, deal, lambda dealt: not list(_lost(targets, heard, dealt)))
    for fold, target, missing in _lost(targets, heard, found):
        raise DataError(
            f"fold {fold} of --folds {num_folds} would train without a row of"
            f" {_of(target, missing)}; take more --folds, or {_leave_out(missing)}"
        )
    return found


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


def _dealt_well(key: Array, deal: Callable, is_good: Callable):
    """The first good deal; the last one where none is."""
    dealt = deal(key)
    for shuffle in range(1, SHUFFLES):
        if is_good(dealt):
            break
        dealt = deal(jax.random.fold_in(key, shuffle))
    return dealt


def _classed(targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if target.task != "regression"]


def _counts(targets: Sequence[Target], heard: np.ndarray) -> list[np.ndarray]:
    """Rows of each class, for each target that has classes."""
    return [
        np.bincount(target.labels[heard], minlength=len(target.class_names))
        for target in _classed(targets)
    ]


def _strata(targets: Sequence[Target], heard: np.ndarray) -> np.ndarray:
    """[N] int32; rows without weight have strata of their own."""
    columns, sizes, first = [~heard], [np.zeros(len(heard), int)], 0
    for target, counts in zip(_classed(targets), _counts(targets, heard), strict=True):
        columns.append(target.labels + first)  # a number of its own for every class of all
        sizes.append(counts[target.labels] + 1)
        first += len(counts)
    rarest_first = np.argsort(np.stack(sizes, axis=1), axis=1, kind="stable")
    rows = np.take_along_axis(np.stack(columns, axis=1).astype(int), rarest_first, axis=1)
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel().astype(np.int32)


def _lost(targets, heard, trains) -> Iterator[tuple[int, Target, list[str]]]:
    """(fold, target, classes) wherever a fold [F, N] trains without a class."""
    for fold, weights in enumerate(trains):
        for target, counts in zip(
            _classed(targets), _counts(targets, heard & (weights > 0)), strict=True
        ):
            if not counts.all():
                yield fold, target, _named(target, counts == 0)


def _check_rare(targets: Sequence[Target], heard: np.ndarray, num_folds: int) -> None:
    for target, counts in zip(_classed(targets), _counts(targets, heard), strict=True):
        least, rarest = int(counts.min()), target.class_names[int(counts.argmin())]
        found = f"{_of(target, [rarest])} has {'only ' * (least > 1)}{least} training"
        found += f" {_rows(least, heard)}"
        cures = [f"take --folds {least}"] if least > 1 else ["add rows"]
        rare = counts < max(num_folds, 2)
        if (~rare).sum() > 1:
            cures.append(_leave_out(_named(target, rare)))
        if least < max(num_folds, 2):
            asked = f"--folds {num_folds}: " * (least > 1)
            raise DataError(f"{asked}{found}; {', or '.join(cures)}")
    if heard.sum() < num_folds:
        raise DataError(
            f"--folds {num_folds}: there are only {heard.sum()} training {_rows(0, heard)}; take"
            f" --folds {max(heard.sum(), 2)} at most"
        )


def _rows(number: int, heard: np.ndarray) -> str:
    return ("row" if number == 1 else "rows") + ("" if heard.all() else " with weight")


def _named(target: Target, chosen: np.ndarray) -> list[str]:
    return [name for name, is_one in zip(target.class_names, chosen, strict=True) if is_one]


def _of(target: Target, classes: list[str]) -> str:
    word = "class" if len(classes) == 1 else "classes"
    return f"{word} {listed(classes)} of target {target.name!r}"


def _leave_out(classes: list[str]) -> str:
    return f"leave out what is rare with --drop-classes {shlex.join(classes)}"
