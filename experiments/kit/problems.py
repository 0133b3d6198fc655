"""From a table to a problem: standardised training and test batches, and what the task means."""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from experiments.datasets import Encoder, Table, encode
from experiments.datasets.table import Target
from experiments.kit import class_weights, strata
from experiments.kit.mistakes import SettingError
from jaxlr import losses, metrics
from jaxlr.pytypes import Array, Batch


class Problem(NamedTuple):
    """A task on data, ready for descent.

    Regression targets are standardised by training rows; `target_scale` (mean, std) undoes it.
    """

    table: Table
    train: Batch
    test: Batch
    feature_names: tuple[str, ...]
    target_scale: tuple[float, float]
    encoder: Encoder | None = None  # what made the features; None where nobody asks
    class_weights: np.ndarray | None = None  # [C], that the training rows' weights have in them

    @property
    def num_outputs(self) -> int | None:
        """C logits for many classes, None for the single score of the other tasks."""
        return len(self.table.class_names) if self.table.task == "multiclass" else None

    @property
    def target(self) -> Target:
        """What the training rows say of the target."""
        return target_of(self.table)._replace(labels=np.asarray(self.train.labels))

    @property
    def commonest(self) -> int:
        """The class of most training rows, whatever classes weigh."""
        counts = np.bincount(np.asarray(self.train.labels), np.asarray(self.train.weights))
        if self.class_weights is not None:
            weigh = self.class_weights[: len(counts)]
            counts = np.divide(counts, weigh, where=weigh > 0, out=0 * counts)
        return int(np.argmax(counts))

    @property
    def heard(self) -> np.ndarray:
        """[N] whether a training row has weight."""
        return np.asarray(self.train.weights) > 0

    @property
    def loss(self):
        """The task's loss of one example."""
        return loss_of(self.table.task)


LOSSES = {
    "binary": "log_loss",
    "multiclass": "softmax_cross_entropy",
    "regression": "squared_error",
}
# What validation loss is called in tables: the metric that the loss is the mean of.
LOSS_NAMES = {"binary": "log_loss", "multiclass": "log_loss", "regression": "squared_error"}


def prepare(table: Table, key: Array, test_fraction: float, num_folds: int = 2) -> Problem:
    """Splits off a stratified test set; scaling statistics come from training rows only.

    Raises:
      DataError: as of `strata.split`; no weight to train or to test on.
    """
    heard = heard_of(table)
    train_rows, test_rows = strata.split(key, [target_of(table)], heard, test_fraction, num_folds)
    strata.check_heard(heard, train_rows, test_rows)
    x, encoder = encode(table, train_rows)
    problem = of_rows(table, x, encoder, train_rows, test_rows)
    train, test = (Batch(*map(jnp.asarray, part)) for part in (problem.train, problem.test))
    return problem._replace(train=train, test=test)


def of_rows(table: Table, x, encoder: Encoder, train_rows, test_rows, centred=True) -> Problem:
    """The problem of encoded features x [N, D], as NumPy arrays.

    Not centred a regression's target is only divided: what goes through the origin goes on so.
    """
    labels, scale = table.labels, (0.0, 1.0)
    if table.task == "regression":
        known = labels[train_rows]
        scale = float(known.mean()) if centred else 0.0, float(known.std()) or 1.0
        labels = ((labels - scale[0]) / scale[1]).astype(np.float32)
    weights = np.ones(len(labels)) if table.weights is None else table.weights

    def batch(rows):
        return Batch(x[rows], labels[rows], weights[rows].astype(np.float32))

    return Problem(table, batch(train_rows), batch(test_rows), encoder.names, scale, encoder)


def check_class_weights(targets: Iterable[Target], asked) -> None:
    """Raises SettingError where classes can't weigh what was `class_weights.asked`."""
    for target in targets if asked is not None else ():
        if target.task == "regression":
            raise SettingError(
                f"--class-weight: target {target.name!r} is a number and has no classes; leave it"
                " out"
            )
        class_weights.of_classes(asked, target.labels, target.class_names)


def weighed(problem: Problem, asked) -> Problem:
    """The problem whose training rows weigh what their class does, as `class_weights.asked`.

    Raises:
      SettingError: as of `check_class_weights`.
    """
    if asked is None:
        return problem
    check_class_weights([target_of(problem.table)], asked)
    own, names = problem.train, problem.table.class_names
    weigh = class_weights.of_classes(asked, own.labels, names, own.weights)
    own = own._replace(weights=own.weights * weigh.astype(np.float32)[own.labels])
    return problem._replace(train=own, class_weights=weigh)


def heard_of(table: Table) -> np.ndarray:
    """[N] whether a row has weight."""
    return np.ones(len(table.labels), bool) if table.weights is None else table.weights > 0


def target_of(table: Table) -> Target:
    """The table's target by itself."""
    return Target(table.target, table.labels, table.task, table.class_names)


def folds(problem: Problem, key: Array, num_folds: int) -> Array:
    """Stratified folds of the training rows as weights [F, N].

    Raises:
      DataError: a class with fewer training rows than folds.
    """
    return jnp.asarray(strata.folds(key, [problem.target], problem.heard, num_folds))


def probabilities(task: str, scores: np.ndarray) -> np.ndarray:
    """[N, C] of the classes, from logits [N] or [N, C]."""
    if task == "binary":
        return np.stack([special.expit(-scores), special.expit(scores)], axis=-1)
    return special.softmax(scores, axis=-1)


def predictions(task: str, scores: Array) -> Array:
    """The most probable class, or the score itself for regression."""
    if task == "regression":
        return scores
    if task == "binary":
        return (scores > 0).astype(jnp.int32)
    return jnp.argmax(scores, axis=-1).astype(jnp.int32)


def loss_of(task: str):
    """A task's loss of one example, by its name in `losses`."""
    return getattr(losses, LOSSES[task])


def lane_metrics(task: str, model):
    """(params, batch) -> {name: []}: what every lane is judged by, on the rows with weight."""
    unpenalised = losses.risk(model, loss_of(task))

    def measure(params, batch):
        figures = {LOSS_NAMES[task]: unpenalised(params, batch)}
        if task != "regression":
            scores = jax.vmap(model, in_axes=(None, 0))(params, batch.x)
            share = metrics.accuracy_score(
                batch.labels, predictions(task, scores), sample_weight=batch.weights
            )
            figures["accuracy"] = jnp.where(jnp.isnan(scores).any(), jnp.nan, share)
        return figures

    return measure
