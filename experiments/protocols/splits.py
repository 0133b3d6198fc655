"""From rows and labels as files hold them to splits whose labels are codes that fit each other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np

from experiments.datasets import DataError
from experiments.datasets.errors import listed, shown
from experiments.datasets.table import Target
from experiments.kit import strata
from experiments.protocols.found import Rows, Splits

ROLES = ("train", "validation", "test")


class Part(NamedTuple):
    """Rows of one role: x [N, D], and names of classes [N], or [N, T] of 0 and 1."""

    x: np.ndarray
    labels: np.ndarray


def of_parts(
    name: str, parts: dict[str, Part], class_names: Sequence[str], drop: Sequence[str] = ()
) -> Splits:
    """The splits of a task.

    Args:
      name: the task's.
      parts: by role; "train" is there.
      class_names: of the training rows, in the order of their codes; of labels [N, T] all T.
      drop: classes to leave out, rows and all; also those that no training row is of.

    Raises:
      DataError: rows, features or labels that don't fit each other; one class; an unknown label; a
        class to leave out that isn't there, or of several labels a row.
    """
    for role, (x, labels) in parts.items():
        if len(x) != len(labels):
            raise DataError(f"{name}: {len(x)} {role} rows and {len(labels)} labels; pair them")
    if drop:
        parts, class_names = _without(name, parts, class_names, drop)
    width, made = parts["train"].x.shape[1], {}
    for role, (x, labels) in parts.items():
        if not len(x):
            left = " left by --drop-classes" if drop else ""
            raise DataError(f"{name} has no {role} rows{left}; give some, or leave {name} out")
        if x.shape[1] != width:
            raise DataError(
                f"{name}: {role} rows have {x.shape[1]} features and training rows {width};"
                " give both from one model"
            )
        code = _flags if labels.ndim == 2 else _codes
        made[role] = Rows(np.asarray(x, np.float32), code(name, role, labels, class_names))
    if len(class_names) < 2:
        only = listed(class_names)
        raise DataError(f"{name}: every training row is {only}; give rows of a second class")
    return Splits(name, *(made.get(role) for role in ROLES), tuple(class_names))


def _codes(name: str, role: str, labels: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    code = {known: at for at, known in enumerate(class_names)}
    found = np.array([code.get(label, -1) for label in labels], np.int32)
    if (found < 0).any():
        unknown = sorted(set(labels[found < 0]))
        raise DataError(
            f"{name}: {(found < 0).sum()} {role} rows are {listed(unknown, 4)}, which no training"
            f" row is; mend the labels, or leave these rows out: --drop-classes {unknown[0]}"
        )
    return found


def _flags(name: str, role: str, labels: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    if labels.shape[1] != len(class_names):
        raise DataError(
            f"{name}: {role} rows have {labels.shape[1]} labels, not {len(class_names)}"
        )
    if not np.isin(labels, (0, 1)).all():
        odd = labels[~np.isin(labels, (0, 1))][0]
        raise DataError(f"{name}: several labels a row are 0 and 1 each, and one is {shown(odd)}")
    return labels.astype(np.int32)


def _without(name: str, parts: dict[str, Part], class_names: Sequence[str], drop: Sequence[str]):
    """The parts and the names of classes without those that are dropped."""
    if parts["train"].labels.ndim == 2:
        raise DataError(f"--drop-classes: {name} has several labels a row; leave it out")
    unknown = set(drop).difference(class_names, *(labels for _, labels in parts.values()))
    if unknown:
        raise DataError(
            f"--drop-classes: {name} has no class {listed(sorted(unknown))}; it has"
            f" {listed(class_names)}"
        )
    stays = {role: ~np.isin(labels, drop) for role, (_, labels) in parts.items()}
    kept = {role: Part(x[stays[role]], labels[stays[role]]) for role, (x, labels) in parts.items()}
    return kept, [known for known in class_names if known not in drop]


def with_test(splits: Splits, seed: int, fraction: float) -> Splits:
    """The splits with a share of the training rows as test rows, each class in both.

    Raises:
      DataError: a class that is too rare for that.
    """
    x, labels = splits.train.x, splits.train.labels
    targets = [Target(splits.name, labels, "multiclass", splits.class_names)]
    if labels.ndim == 2:
        named = zip(splits.class_names, labels.T, strict=True)
        targets = [Target(name, column, "binary", ("0", "1")) for name, column in named]
    train, test = strata.split(jax.random.key(seed), targets, np.ones(len(x), bool), fraction, 2)
    rows = Rows(x[train], labels[train]), Rows(x[test], labels[test])
    return replace(splits, train=rows[0], test=rows[1])
