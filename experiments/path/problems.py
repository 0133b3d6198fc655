"""From probes to problems: one split of the rows for all, features scaled once per layer."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.datasets import DataError, Encoder, encode
from experiments.datasets.errors import shown
from experiments.datasets.probes import Probes
from experiments.datasets.table import Target
from experiments.kit import strata
from experiments.kit.mistakes import SettingError
from experiments.kit.problems import Problem, heard_of, of_rows, weighed
from experiments.path import metrics
from experiments.path.settings import VALIDATION_FRACTION, Plan
from jaxlr.pytypes import Batch


class Rows(NamedTuple):
    """Which rows train and which test, and the folds of the training rows as weights [F, N]."""

    train: np.ndarray
    test: np.ndarray
    folds: np.ndarray


def rows(probes: Probes, plan: Plan, seed: int, test_fraction: float) -> Rows:
    """The split and the folds, each class of each target in all that trains.

    Raises:
      DataError: as of `strata.split` and `strata.folds`; no weight to train or to test on.
    """
    split_key, fold_key = jax.random.split(jax.random.key(seed))
    heard = _heard(probes)
    needed = max(plan.folds, 2)
    train, test = strata.split(split_key, probes.targets, heard, test_fraction, needed)
    strata.check_heard(heard, train, test)
    targets = [target._replace(labels=target.labels[train]) for target in probes.targets]
    if plan.folds > 1:
        folds = strata.folds(fold_key, targets, heard[train], plan.folds)
    else:
        folds = strata.validation(fold_key, targets, heard[train], VALIDATION_FRACTION)
    return Rows(train, test, folds)


def check_scaling(probes: Probes, scaling: str) -> None:
    """Raises DataError for features to be taken as they are, where some are no numbers."""
    for table in probes.layers.values():
        if scaling == "none" and not isinstance(table.features, np.ndarray):
            raise DataError(
                f"features as they are (--scaling none, --protocol clip) must all be numbers, and"
                f" {shown(table.name)} has categories or gaps; choose --scaling standard"
            )


def check_metric(probes: Probes, plan: Plan) -> None:
    """Raises SettingError where the metric has no meaning for a target."""
    for target in probes.targets:
        metric = metrics.METRICS[plan.metric]
        if target.task not in metric.tasks:
            fine = metrics.others(plan.metric, target.task)
            asked = f"--metric {plan.metric}"
            if plan.costs is not None:
                asked = "--protocol clip, which chooses by accuracy"
            raise SettingError(
                f"{asked}: not for target {target.name!r}, a {target.task} task; choose --metric"
                f" {', '.join(fine)}"
            )


def check_held_out(probes: Probes, plan: Plan, rows: Rows) -> None:
    """Raises SettingError where R² is asked of a single row."""
    heard = _heard(probes)[rows.train]
    held = ((rows.folds == 0) & heard).sum(axis=1)
    if plan.metric == "r2" and held.min() < 2:
        raise SettingError(
            f"--metric r2: fold {held.argmin()} holds out {held.min()} row, and R² needs two;"
            f" take --folds {max(heard.sum() // 2, 2)} or fewer, or --metric"
            f" {', '.join(metrics.others('r2', 'regression'))}"
        )


def features(probes: Probes, layer: str, chosen: Rows, scaling: str) -> tuple[np.ndarray, Encoder]:
    """Features [N, D] of every row as float32, and what makes them of a table."""
    table = probes.layers[layer]
    if scaling == "standard":
        return encode(table, chosen.train)
    return np.asarray(table.features, np.float32), Encoder.as_it_is(table, chosen.train)


def problem(
    probes: Probes, layer: str, target: Target, chosen: Rows, x, encoder, plan: Plan
) -> Problem:
    """One target on one layer; a regression's labels are standardised by training rows."""
    table = probes.table(layer, target)
    made = of_rows(table, x, encoder, chosen.train, chosen.test, plan.intercept)
    return weighed(made, plan.class_weight)


def stacked(problems: list[Problem]) -> Batch:
    """The training rows of several targets on one layer: labels [T, N]."""
    first = problems[0].train
    labels = np.stack([one.train.labels for one in problems])
    return Batch(jnp.asarray(first.x), jnp.asarray(labels), jnp.asarray(first.weights))


def groups(targets: tuple[Target, ...], apart: bool = False) -> list[list[Target]]:
    """Targets of one loss and one number of classes, which are lanes of one program.

    They share the weights of rows; `apart` are those that don't, as classes weigh.
    """
    kinds = {}
    for target in targets:
        kind = target.name if apart else (target.task, len(target.class_names))
        kinds.setdefault(kind, []).append(target)
    return list(kinds.values())


def _heard(probes: Probes) -> np.ndarray:
    """[N] whether a row has weight."""
    return heard_of(next(iter(probes.layers.values())))
