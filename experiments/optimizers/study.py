"""One data set, many optimizers: each gets as many settings, the same seeds, the same judge.

A seed is its own fold to be judged on and its own order of the other rows; the start is zero, as
the problem is convex. A lane carries all seeds of its setting, so lanes still share their
minibatches (a block of rows per seed), and an optimizer on a data set is one compiled program.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.datasets import DataError
from experiments.kit import problems, saved, strata
from experiments.kit.optimizers import NUMBERS, RULES, build
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.provenance import provenance
from experiments.kit.report import examine
from experiments.sweep import study
from experiments.sweep.plan import num_evaluations
from jaxlr import data, losses, models, sweeps, training
from jaxlr.pytypes import Array, Batch

LEAST_FOLDS = 4  # a seed never trains on less than three quarters of the rows
LEAST_FORGOTTEN = 1 - NUMBERS["momentum"].high


class Weights(NamedTuple):
    """A row's weight in training [N], and in judging each seed [N, S]: 0 outside its fold."""

    training: Array
    judging: Array


@dataclass(frozen=True)
class Bench:
    """What all optimizers on a data set share.

    batch: the training rows of the problem, weighted by Weights; its test rows are never looked at.
    orders: [T, S·B], a block of B rows for each of S seeds, none out of the seed's own fold.
    start_losses: [S] what zeros give on each seed's fold.
    """

    name: str
    problem: Problem
    batch: Batch
    orders: Array
    start_losses: np.ndarray
    epochs: int
    evaluations: int
    l2: float

    @property
    def num_seeds(self) -> int:
        """S."""
        return len(self.start_losses)

    @property
    def start_loss(self) -> float:
        """What zeros give, averaged over seeds."""
        return float(self.start_losses.mean())

    @property
    def guessing(self) -> float:
        """The loss of one constant answer."""
        return examine.guessing_loss(self.problem)

    @property
    def commonest(self) -> tuple[str, float]:
        """The commonest class, and the accuracy of always saying it."""
        return examine.majority(self.problem, jax.tree.map(np.asarray, self.problem.train))

    @property
    def judged_labels(self) -> np.ndarray:
        """Of the rows that some seed holds out."""
        judged = (np.asarray(self.batch.weights.judging) > 0).any(axis=1)
        return np.asarray(self.batch.labels)[judged]

    @property
    def epochs_each(self) -> int:
        """From one evaluation to the next."""
        return self.epochs // self.evaluations

    @property
    def loss_name(self) -> str:
        """The metric that judges."""
        return LOSS_NAMES[self.problem.table.task]


@dataclass(frozen=True)
class Trial:
    """One optimizer on a bench, K settings by S seeds.

    hypers: {number: [K]}. curves: {metric: [K, evaluations, S]}. best: the setting of the lowest
    final loss. row_losses: [S, N], its loss on every row under each seed.
    """

    optimizer: str
    hypers: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    best: int
    row_losses: np.ndarray

    @property
    def num_points(self) -> int:
        """K."""
        return len(self.hypers["learning_rate"])

    def final(self, metric: str) -> np.ndarray:
        """[K, S] at the end."""
        return self.curves[metric][:, -1]


def bench(name: str, problem: Problem, plan, key: Array) -> Bench:
    """Folds and orders of a problem; `plan` has epochs, batch_size, seeds and l2.

    Raises:
      DataError: too few rows of a class for the folds, or for one batch.
    """
    fold_key, order_key = jax.random.split(key)
    training_folds = _folds(name, problem, fold_key, plan.seeds)
    rows = [np.flatnonzero(fold) for fold in training_folds[: plan.seeds]]
    fewest = min(map(len, rows))
    if plan.batch_size > fewest:
        raise DataError(
            f"--batch-size {plan.batch_size}: larger than the {fewest} rows of {name} that a seed "
            f"trains on; take at most {fewest}"
        )
    seed_keys = jax.random.split(order_key, plan.seeds)
    orders = [
        mine[data.epochs(key, fewest, plan.batch_size, plan.epochs)]
        for mine, key in zip(rows, seed_keys, strict=True)
    ]
    weights = problem.train.weights
    judging = weights[:, None] * (1 - training_folds[: plan.seeds].T).astype(np.float32)
    batch = problem.train._replace(weights=Weights(weights, judging))
    start = _for_seeds(plan.seeds, _zeros(problem))
    judged = jax.jit(_judge(problem))(start, batch)[LOSS_NAMES[problem.table.task]]
    return Bench(
        name,
        problem,
        batch,
        jnp.asarray(np.concatenate(orders, axis=1)),
        np.asarray(judged, np.float64),
        plan.epochs,
        num_evaluations(plan.epochs),
        plan.l2,
    )


def points(optimizer: str, num_points: int, seed: int) -> dict[str, np.ndarray]:
    """A scrambled Sobol design of the optimizer's own space: {learning_rate, momentum?: [K]}.

    Momentum, which is the memory under whatever name, is spread by the logarithm of 1 - momentum.
    """
    rule = RULES[optimizer]
    space = {"learning_rate": sweeps.LogUniform(rule.low, rule.high)}
    if rule.memory:
        space["forgotten"] = sweeps.LogUniform(LEAST_FORGOTTEN, 1.0)
    hypers = sweeps.sobol(space, num_points, seed).hypers
    if rule.memory:
        hypers["momentum"] = 1 - hypers.pop("forgotten")
    return hypers


def lane(on: Bench, optimizer: str) -> sweeps.Lane:
    """A lane that trains one setting under every seed at once; its metrics are [S]."""
    risk = losses.risk(models.linear, on.problem.loss, l2=on.l2)
    judge = _judge(on.problem)

    def init(hyper, key):
        del key  # a convex problem starts at zero
        return _for_seeds(on.num_seeds, training.init(build(optimizer, hyper), _zeros(on.problem)))

    def step(hyper, state, batch):
        def seed_step(state, batch):
            return training.step(risk, build(optimizer, hyper), state, batch)

        batch = batch._replace(weights=batch.weights.training)
        blocks = jax.tree.map(lambda leaf: leaf.reshape(on.num_seeds, -1, *leaf.shape[1:]), batch)
        state, values = jax.vmap(seed_step)(state, blocks)
        return state, jnp.mean(values)

    def evaluate(hyper, state, batch):
        del hyper
        return judge(state.params, batch)

    return sweeps.Lane(init, step, evaluate)


def trial(on: Bench, optimizer: str, num_points: int, seed: int) -> Trial:
    """Every setting of the optimizer, as one compiled program."""
    swept = sweeps.run(
        lane(on, optimizer),
        sweeps.cross(points(optimizer, num_points, seed)),
        on.batch,
        on.orders,
        num_segments=on.evaluations,
    )
    ran = Trial(optimizer, swept.hypers, swept.metrics, 0, np.zeros(0))
    best = int(np.argmin(worth(on, ran)))
    params = jax.tree.map(lambda leaf: np.asarray(leaf)[best], swept.state.params)
    row_losses = np.asarray(_row_losses(on.problem.loss, params, on.batch))
    return dataclasses.replace(ran, best=best, row_losses=row_losses)


def refit(on: Bench, ran: Trial, settings) -> saved.Model:
    """The optimizer's best setting on all training rows."""
    one = study.lane(on.problem, {"model": "linear", "optimizer": ran.optimizer})
    hypers = {name: float(numbers[ran.best]) for name, numbers in ran.hypers.items()}
    hypers["l2"] = on.l2
    order = study.orders(on.problem, on.epochs, settings.seed)(settings.batch_size)
    params = study.refit(on.problem, one, hypers, order)
    told = provenance(settings) | {"best": {"optimizer": ran.optimizer, **hypers}}
    return saved.of(on.problem, params, provenance=told)


def worth(on: Bench, ran: Trial) -> np.ndarray:
    """[K] mean final loss over seeds; a setting that ends above the start is worth the start.

    Nobody would use such a setting (the zeros it began with are better), and its loss, which may be
    infinite, must not decide an average.
    """
    ends = ran.final(on.loss_name).astype(np.float64)
    means = np.where(np.isfinite(ends).all(axis=1), ends.mean(axis=1), np.inf)
    return np.minimum(means, on.start_loss)


@partial(jax.jit, static_argnums=0)
def _row_losses(loss, params, batch: Batch) -> Array:
    """[S, N] loss of each row under each seed; params have a leading axis S."""

    def row(params, x, label):
        return loss(models.linear(params, x), label)

    rows = jax.vmap(row, in_axes=(None, 0, 0))
    return jax.vmap(rows, in_axes=(0, None, None))(params, batch.x, batch.labels)


def _judge(problem: Problem):
    """(params with a leading axis S, batch) -> {metric: [S]}, each seed on its own fold."""
    measure = problems.lane_metrics(problem.table.task, models.linear)

    def on_fold(params, weights, batch):
        return measure(params, batch._replace(weights=weights))

    seeds = jax.vmap(on_fold, in_axes=(0, 1, None))
    return lambda params, batch: seeds(params, batch.weights.judging, batch)


def _folds(name: str, problem: Problem, key: Array, num_seeds: int) -> np.ndarray:
    """[F, N] stratified folds, 1 where a row trains; F is at least the number of seeds."""
    num_folds = max(LEAST_FOLDS, num_seeds)
    labels, classes = problem.target.labels, problem.target.class_names
    strata_of = labels if classes else np.zeros(len(labels), int)
    counts = np.bincount(strata_of, minlength=len(classes))
    if counts.min() < num_folds:
        rare = f"class {classes[counts.argmin()]!r} of {name}" if classes else name
        cure = f", or --drop-classes {classes[counts.argmin()]}" if classes else ""
        raise DataError(
            f"{rare} has {counts.min()} training rows, fewer than the {num_folds} folds that "
            f"--seeds {num_seeds} makes; take fewer seeds or more rows{cure}"
        )
    return strata.folds(key, [problem.target], problem.heard, num_folds)


def _for_seeds(num_seeds: int, tree):
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_seeds, *leaf.shape)), tree)


def _zeros(problem: Problem):
    return models.init_linear(problem.train.x.shape[1], problem.num_outputs, jnp.float32)
