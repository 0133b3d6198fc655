"""One data set, many optimizers: each gets as many settings, the same seeds, the same judge.

A seed is its own fold to be judged on and its own order of the other rows; the start is zero, as
the problem is convex. All settings of a seed share their minibatches, and all seeds a program.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from experiments.datasets import DataError
from experiments.kit import problems, saved, strata
from experiments.kit.optimizers import NUMBERS, RULES
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.provenance import provenance
from experiments.kit.report import examine
from experiments.sweep import study
from experiments.sweep.choices import num_evaluations
from experiments.sweep.plan import number, spread
from jaxlr import data, models, sweeps
from jaxlr.pytypes import Array, Batch

LEAST_FOLDS = 4  # a seed never trains on less than three quarters of the rows
MOMENTUM = NUMBERS["momentum"]


@dataclass(frozen=True)
class Bench:
    """What all optimizers on a data set share; the problem's test rows are never looked at.

    folds: [S, N], 1 where a training row trains a seed, 0 where it judges. orders: [S, T, B], none
    out of the seed's own fold. start_losses: [S] what zeros give on each seed's fold.
    """

    name: str
    problem: Problem
    folds: np.ndarray
    orders: Array
    start_losses: np.ndarray
    epochs: int
    l2: float

    @property
    def num_seeds(self) -> int:
        """S."""
        return len(self.folds)

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
    def judging(self) -> np.ndarray:
        """[S, N] what a row weighs in judging each seed: 0 outside its fold."""
        return np.asarray(self.problem.train.weights) * (1 - self.folds)

    @property
    def judged_labels(self) -> np.ndarray:
        """Of the rows that some seed holds out."""
        return np.asarray(self.problem.train.labels)[(self.judging > 0).any(axis=0)]

    @property
    def loss_name(self) -> str:
        """The metric that judges."""
        return LOSS_NAMES[self.problem.table.task]


@dataclass(frozen=True)
class Trial:
    """One optimizer on a bench, K settings by S seeds.

    swept: the lanes of each seed. curves: {metric: [K, evaluations, S]}. best: the setting of the
    lowest final loss. row_losses: [S, N], its loss on every row under each seed.
    """

    optimizer: str
    swept: list[sweeps.Sweep]
    curves: dict[str, np.ndarray]
    best: int
    row_losses: np.ndarray

    @property
    def hypers(self) -> dict[str, np.ndarray]:
        """{number: [K]}."""
        return self.swept[0].hypers

    def final(self, metric: str) -> np.ndarray:
        """[K, S] at the end."""
        return self.curves[metric][:, -1]


def bench(name: str, problem: Problem, plan, key: Array, class_weight=None) -> Bench:
    """Folds and orders of a problem; `plan` has epochs, batch_size, seeds and l2.

    Raises:
      DataError: too few rows of a class for the folds, or for one batch.
      SettingError: as of `problems.weighed`.
    """
    fold_key, order_key = jax.random.split(key)
    folds = _folds(name, problem, fold_key, plan.seeds)[: plan.seeds]
    problem = problems.weighed(problem, class_weight)
    rows = [np.flatnonzero(fold) for fold in folds]
    fewest = min(map(len, rows))
    if plan.batch_size > fewest:
        raise DataError(
            f"--batch-size {plan.batch_size}: larger than the {fewest} rows of {name} that a seed "
            f"trains on; take at most {fewest}"
        )
    orders = [
        mine[data.epochs(key, fewest, plan.batch_size, plan.epochs)]
        for mine, key in zip(rows, jax.random.split(order_key, plan.seeds), strict=True)
    ]
    zeros = models.init_linear(problem.train.x.shape[1], problem.num_outputs, jnp.float32)
    made = Bench(name, problem, folds, jnp.asarray(orders), np.zeros(0), plan.epochs, plan.l2)
    measure = jax.jit(problems.lane_metrics(problem.table.task, models.linear))
    judged = [measure(zeros, problem.train._replace(weights=w)) for w in made.judging]
    start = np.array([figures[made.loss_name] for figures in judged], np.float64)
    return replace(made, start_losses=start)


def points(optimizer: str, num_points: int, seed: int) -> dict[str, np.ndarray]:
    """A scrambled Sobol design of the optimizer's own space: {learning_rate, momentum?: [K]}.

    Momentum, which is the memory under whatever name, is spread by the logarithm of 1 - momentum.
    """
    rule, scales = RULES[optimizer], {"learning_rate": "log"}
    space = {"learning_rate": sweeps.LogUniform(rule.low, rule.high)}
    if rule.memory:
        *span, scales["momentum"] = MOMENTUM
        space["momentum"] = spread(scales["momentum"], *span)
    drawn = sweeps.sobol(space, num_points, seed).hypers
    return {name: number(scales[name], column) for name, column in drawn.items()}


def trial(
    on: Bench,
    optimizer: str,
    num_points: int,
    seed: int,
    checkpoints: Callable[[int], sweeps.Checkpoints] | None = None,
) -> Trial:
    """Every setting of the optimizer, all seeds by one compiled program.

    `checkpoints` are those of the optimizer's sweep of a seed, by its number.
    """
    lane = study.lane(on.problem, {"model": "linear", "optimizer": optimizer})
    hypers = points(optimizer, num_points, seed) | {"l2": np.full(num_points, on.l2)}
    swept = [
        sweeps.run(
            lane,
            sweeps.cross(hypers),
            on.problem.train,
            order,
            fold_weights=fold[None],
            num_segments=num_evaluations(on.epochs),
            checkpoints=checkpoints and checkpoints(number),
        )
        for number, (order, fold) in enumerate(zip(on.orders, on.folds, strict=True))
    ]
    curves = {
        name: np.stack([of_seed.metrics[name] for of_seed in swept], axis=-1)
        for name in swept[0].metrics
    }
    ran = Trial(optimizer, swept, curves, 0, np.zeros(0))
    best = int(np.argmin(worth(on, ran)))
    params = [jax.tree.map(lambda leaf: leaf[best], of_seed.state.params) for of_seed in swept]
    params = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
    losses = np.asarray(_row_losses(on.problem.loss, params, on.problem.train))
    return replace(ran, best=best, row_losses=losses)


def refit(on: Bench, ran: Trial, settings) -> saved.Model:
    """The optimizer's best setting on all training rows."""
    lane = study.lane(on.problem, {"model": "linear", "optimizer": ran.optimizer})
    hypers = {name: float(numbers[ran.best]) for name, numbers in ran.hypers.items()}
    order = study.order(on.problem, on.epochs, settings.batch_size, settings.seed)
    params = study.refit(on.problem, lane, hypers, order)
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
