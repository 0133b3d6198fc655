"""From probes to problems: one split of the rows for all, features scaled once per layer."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.datasets import DataError, encode
from experiments.datasets.errors import shown
from experiments.datasets.label_columns import Target
from experiments.datasets.probes import Probes
from experiments.path_settings import VALIDATION_FRACTION, Plan
from experiments.problems import Problem
from jaxlr import data
from jaxlr.pytypes import Array, Batch


class Rows(NamedTuple):
    """Which rows train and which test, and the folds of the training rows as weights [F, N]."""

    train: np.ndarray
    test: np.ndarray
    folds: np.ndarray


def rows(probes: Probes, plan: Plan, seed: int, test_fraction: float) -> Rows:
    """The split and the folds, stratified by the classes of all targets as far as these suffice.

    Raises:
      DataError: a class without training rows, or with fewer than there are folds.
    """
    split_key, fold_key = jax.random.split(jax.random.key(seed))
    strata = _strata(probes.targets, 2)
    train, test = (np.asarray(part) for part in data.split(split_key, strata, test_fraction))
    targets = [target._replace(labels=target.labels[train]) for target in probes.targets]
    _check_weights(probes, train, test)
    _check_classes(targets, _heard(probes)[train], plan.folds)
    strata = _strata(targets, max(plan.folds, 2))
    if plan.folds > 1:
        return Rows(train, test, np.asarray(data.folds(fold_key, strata, plan.folds)))
    kept, _ = data.split(fold_key, strata, VALIDATION_FRACTION)
    folds = np.zeros((1, len(train)), np.float32)
    folds[0, np.asarray(kept)] = 1
    return Rows(train, test, folds)


def check_scaling(probes: Probes, scaling: str) -> None:
    """Raises DataError for features to be taken as they are, where some are no numbers."""
    for table in probes.layers.values():
        if scaling == "none" and not isinstance(table.features, np.ndarray):
            raise DataError(
                f"features as they are (--scaling none, --protocol clip) must all be numbers, and"
                f" {shown(table.name)} has categories or gaps; choose --scaling standard"
            )


def features(probes: Probes, layer: str, chosen: Rows, scaling: str) -> tuple[np.ndarray, tuple]:
    """Features [N, D] of every row as float32, and their names."""
    table = probes.layers[layer]
    if scaling == "standard":
        encoded = encode(table, chosen.train)
        return encoded.features, encoded.names
    return np.asarray(table.features, np.float32), table.feature_names


def problem(probes: Probes, layer: str, target: Target, chosen: Rows, x, names) -> Problem:
    """One target on one layer; a regression's labels are standardised by training rows."""
    table = probes.table(layer, target)
    labels, scale = target.labels, (0.0, 1.0)
    if target.task == "regression":
        known = labels[chosen.train]
        scale = float(known.mean()), float(known.std()) or 1.0
        labels = ((labels - scale[0]) / scale[1]).astype(np.float32)
    weights = np.ones(len(labels)) if table.weights is None else table.weights

    def batch(part):
        return Batch(x[part], labels[part], weights[part].astype(np.float32))

    return Problem(table, batch(chosen.train), batch(chosen.test), names, scale)


def stacked(problems: list[Problem]) -> Batch:
    """The training rows of several targets on one layer: labels [T, N]."""
    first = problems[0].train
    labels = np.stack([one.train.labels for one in problems])
    return Batch(jnp.asarray(first.x), jnp.asarray(labels), jnp.asarray(first.weights))


def groups(targets: tuple[Target, ...]) -> list[list[Target]]:
    """Targets of one loss and one number of classes, which are lanes of one program."""
    kinds = {}
    for target in targets:
        kinds.setdefault((target.task, len(target.class_names)), []).append(target)
    return list(kinds.values())


def _strata(targets, least: int) -> Array | np.ndarray:
    """[N] the classes of all targets at once; those rarer than `least` join the commonest."""
    classes = [target.labels for target in targets if target.task != "regression"]
    if not classes:
        return np.zeros(len(targets[0].labels), np.int32)
    _, codes = np.unique(np.stack(classes), axis=1, return_inverse=True)
    if len(classes) == 1:
        return codes.astype(np.int32)
    counts = np.bincount(codes)
    codes = np.where(counts[codes] < least, counts.argmax(), codes)
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)


def _heard(probes: Probes) -> np.ndarray:
    """[N] whether a row has weight."""
    weights = next(iter(probes.layers.values())).weights
    return np.ones(len(probes.targets[0].labels), bool) if weights is None else weights > 0


def _check_weights(probes: Probes, train: np.ndarray, test: np.ndarray) -> None:
    heard = _heard(probes)
    for name, part in (("train on", train), ("test on", test)):
        if not heard[part].any():
            raise DataError(
                f"--weights are 0 in each of the {len(part)} rows to {name}; take another --seed or"
                " --test-fraction, or give more rows a weight"
            )


def _check_classes(targets, heard: np.ndarray, folds: int) -> None:
    for target in targets:
        if target.task == "regression":
            continue
        counts = np.bincount(target.labels[heard], minlength=len(target.class_names))
        name, least = target.class_names[counts.argmin()], int(counts.min())
        of = f"class {name!r} of target {target.name!r}"
        if least < 2:
            raise DataError(f"{of} has {least} training rows; leave that class out, or add rows")
        if least < folds:
            raise DataError(
                f"--folds {folds}: {of} has only {least} training rows; take --folds {least} or"
                " leave that class out"
            )
