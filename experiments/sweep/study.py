"""A study: a design crossed with folds as lanes; the chosen setting refitted, and tested once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from experiments.kit import problems
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report.examine import Test
from jaxlr import data, losses, models, optimizers, sweeps

# Forms of gradient descent under the lecture's names; the others go by their own.
FORMS = {
    "momentum": optimizers.sgd,
    "nesterov": partial(optimizers.sgd, nesterov=True),
    "momentum_ema": optimizers.momentum_ema,
}
OPTIMIZERS = (*FORMS, "adagrad", "adadelta", "rmsprop", "adam", "adamw", "adamax", "amsgrad")
OPTIMIZERS += ("nadam", "radam", "adabelief", "yogi", "lion", "lamb", "lars", "sign_sgd")


@dataclass(frozen=True)
class Plan:
    """What is run: the design's groups, and how each of their lanes is trained."""

    groups: list[sweeps.Group]
    num_folds: int
    epochs: int
    evaluations: int
    hidden: tuple[int, ...]
    seed: int

    @property
    def num_lanes(self) -> int:
        """Configurations times folds."""
        return sum(len(group.points) for group in self.groups) * self.num_folds


@dataclass(frozen=True)
class Findings:
    """Every lane, every configuration, the choice, and how it did on data nobody touched.

    lanes: a row per lane: config, fold, hypers and settings, training risk, validation metrics,
    status, died_at. configs: a row per configuration, best first. curves: {"risk" and each metric:
    [L, S]} at `epochs_seen` [S], in the order of `lanes`. chosen: None when every lane diverged.
    """

    lanes: pd.DataFrame
    configs: pd.DataFrame
    curves: dict[str, np.ndarray]
    epochs_seen: np.ndarray
    chosen: dict | None
    test: Test | None


def num_evaluations(epochs: int, most: int = 20) -> int:
    """The largest divisor of `epochs` up to `most`: how often lanes are evaluated."""
    return max(n for n in range(1, most + 1) if epochs % n == 0)


def lane(problem: Problem, settings: dict, hidden: tuple[int, ...]) -> sweeps.Lane:
    """A lane of the problem under one group's static settings: model and optimizer by name."""
    x, outputs, task = problem.train.x, problem.num_outputs, problem.table.task
    names = settings["model"], settings["optimizer"]
    return _lane(task, x.shape[1], outputs, x.dtype, tuple(hidden), *names)


@lru_cache  # one object for one lane: compiled programs are found by it
def _lane(task, num_features, num_outputs, dtype, hidden, model_name, optimizer_name):
    if model_name == "linear":
        model = models.linear
        init = partial(_init_linear, num_features, num_outputs)
    else:
        model = models.mlp
        init = partial(
            models.init_mlp,
            num_features=num_features,
            hidden=hidden,
            num_outputs=num_outputs,
            dtype=dtype,
        )

    def risk(hyper):
        return losses.risk(model, problems.loss_of(task), l2=hyper["l2"])

    def optimizer(hyper):
        return named_optimizer(optimizer_name, hyper)

    return sweeps.descent(init, risk, optimizer, problems.lane_metrics(task, model))


def named_optimizer(name: str, hyper: dict):
    """An optimizer whose momentum, where it has one under any name, is hyper["momentum"]."""
    make = FORMS.get(name) or getattr(optimizers, name)
    taken = inspect.signature(make).parameters
    word = next((word for word in ("momentum", "decay", "b1") if word in taken), None)
    if name in FORMS or word in ("momentum", "b1"):
        return make(hyper["learning_rate"], **{word: hyper["momentum"]})
    return make(hyper["learning_rate"])


def run(
    problem: Problem,
    plan: Plan,
    fold_weights,
    order: Callable[[int], jax.Array],
    *,
    selection: str = "best",
    on_segment: Callable[[int], None] = lambda lanes: None,
    on_group: Callable[[pd.DataFrame], None] = lambda lanes: None,
) -> Findings:
    """Runs every group, ranks configurations, refits the chosen one and tests it.

    Args:
      problem: data and task.
      plan: what to run.
      fold_weights: [F, N].
      order: batch size -> order [T, B].
      selection: "best" mean validation loss, or "one_standard_error": the largest l2 whose mean is
        within one standard error of the best.
      on_segment: called with the number of lanes that finished a segment.
      on_group: called with the table of the lanes that have ended.
    """
    ran, tables = [], []
    for group in plan.groups:
        lanes = sweeps.cross(group.hypers, plan.num_folds)
        swept = sweeps.run(
            lane(problem, group.settings, plan.hidden),
            lanes,
            problem.train,
            order(group.settings["batch_size"]),
            fold_weights=fold_weights,
            num_segments=plan.evaluations,
            on_segment=lambda done, progress: on_segment(len(progress.died_at)),
        )
        ran.append((group, swept))
        tables.append(_lane_rows(group, swept))
        on_group(tables[-1])
    loss_name = LOSS_NAMES[problem.table.task]
    curves = {name: np.concatenate([s.metrics[name] for _, s in ran]) for name in ran[0][1].metrics}
    curves["risk"] = np.concatenate([swept.losses for _, swept in ran])
    table = pd.concat(tables, ignore_index=True)
    configs = rank(table, f"val_{loss_name}")
    chosen = choose(configs, selection)
    test = None if chosen is None else refit(problem, plan, chosen, order)
    return Findings(
        lanes=table,
        configs=configs,
        curves=curves,
        epochs_seen=np.arange(1, plan.evaluations + 1) * (plan.epochs // plan.evaluations),
        chosen=chosen,
        test=test,
    )


def rank(lanes: pd.DataFrame, by: str) -> pd.DataFrame:
    """A row per configuration, the smallest mean validation loss first, diverged ones last.

    Adds `mean` and `se` (the standard error over folds) of `by`, the means of the other metrics and
    the number of diverged folds. A configuration that diverged on any fold has no mean.
    """
    named = [c for c in lanes.columns if c not in {"lane", "fold", "status", "died_at", "risk"}]
    figures = [c for c in named if c.startswith("val_")]
    settings = [c for c in named if c != "config" and c not in figures]
    grouped = lanes.groupby("config", sort=True)
    table = grouped[settings].first()
    for name in figures:
        table[name] = grouped[name].mean().where(grouped[name].count() == grouped.size())
    finite = np.isfinite(table[by])
    table["mean"] = table[by].where(finite)
    table["se"] = (grouped[by].std() / np.sqrt(grouped.size())).where(finite)
    table["diverged_folds"] = grouped["status"].agg(lambda s: int((s == "diverged").sum()))
    table["mean"] = table["mean"].where(table["diverged_folds"] == 0)
    return table.reset_index().sort_values("mean", na_position="last", kind="stable")


def choose(configs: pd.DataFrame, selection: str) -> dict | None:
    """The chosen configuration's row, or None when every configuration diverged."""
    finite = configs[configs["mean"].notna()]
    if finite.empty:
        return None
    best = finite.iloc[0]
    if selection == "one_standard_error":
        near = finite[finite["mean"] <= best["mean"] + best["se"]]
        best = near.sort_values("l2", ascending=False, kind="stable").iloc[0]
    return best.to_dict()


def refit(problem: Problem, plan: Plan, chosen: dict, order) -> Test:
    """One lane on all training rows, then one look at the test rows."""
    group = next(g for g in plan.groups if chosen["config"] in g.points)
    one = lane(problem, group.settings, plan.hidden)
    hypers = {name: np.array([chosen[name]]) for name in group.hypers}
    swept = sweeps.run(
        one, sweeps.cross(hypers), problem.train, order(group.settings["batch_size"])
    )
    params = jax.tree.map(lambda leaf: leaf[0], swept.state.params)
    model = models.linear if group.settings["model"] == "linear" else models.mlp
    scores = jax.vmap(model, in_axes=(None, 0))(params, problem.test.x)
    figures = problems.lane_metrics(problem.table.task, model)(params, problem.test)
    return Test(
        {name: float(value) for name, value in figures.items()},
        np.asarray(scores),
        np.asarray(problem.test.weights),
        np.asarray(problem.test.labels),
        jax.tree.map(np.asarray, params),
    )


def _lane_rows(group: sweeps.Group, swept: sweeps.Sweep) -> pd.DataFrame:
    columns = {
        "config": group.points[swept.configuration],
        "fold": swept.fold,
        **{name: v[swept.configuration] for name, v in group.hypers.items()},
        **dict.fromkeys(group.settings),
        "risk": swept.losses[:, -1],
        **{f"val_{name}": values[:, -1] for name, values in swept.metrics.items()},
        "status": np.where(swept.died_at >= 0, "diverged", "done"),
        "died_at": swept.died_at,
    }
    columns |= group.settings
    return pd.DataFrame(columns)


def orders(problem: Problem, epochs: int, seed: int) -> Callable[[int], jax.Array]:
    """Batch size -> the order that every lane of that size shares."""
    num_rows = len(problem.train.x)

    def order(batch_size):
        return data.epochs(jax.random.key(seed), num_rows, batch_size, epochs)

    return order


def _init_linear(num_features, num_outputs, key):
    del key  # a convex problem starts at zero
    return models.init_linear(num_features, num_outputs, jnp.float32)
