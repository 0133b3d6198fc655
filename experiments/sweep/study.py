"""A study: a design crossed with folds as lanes; the chosen setting refitted, and tested once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from experiments.kit import optimizers, problems
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report.examine import Test
from experiments.sweep.plan import Plan
from jaxlr import data, losses, models, sweeps


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


def lane(problem: Problem, settings: dict, hidden: tuple[int, ...] = ()) -> sweeps.Lane:
    """A lane of the problem under one group's static settings: model and optimizer by name."""
    x, outputs, task = problem.train.x, problem.num_outputs, problem.table.task
    names = settings["model"], settings["optimizer"]
    return _lane(task, x.shape[1], outputs, x.dtype, tuple(hidden), *names)


@lru_cache  # one object for one lane: compiled programs are found by it
def _lane(task, num_features, num_outputs, dtype, hidden, model_name, optimizer_name):
    model = getattr(models, model_name)
    if model_name == "linear":

        def init(key):
            del key  # a convex problem starts at zero
            return models.init_linear(num_features, num_outputs, jnp.float32)

    else:
        shape = {"num_features": num_features, "hidden": hidden, "num_outputs": num_outputs}
        init = partial(models.init_mlp, **shape, dtype=dtype)

    def risk(hyper):
        return losses.risk(model, problems.loss_of(task), l2=hyper["l2"])

    optimizer = partial(optimizers.build, optimizer_name)
    return sweeps.descent(init, risk, optimizer, problems.lane_metrics(task, model))


def run(
    problem: Problem,
    plan: Plan,
    fold_weights,
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
      selection: "best" mean validation loss, or "one_standard_error": the largest l2 whose mean is
        within one standard error of the best.
      on_segment: called with the number of lanes that finished a segment.
      on_group: called with the table of the lanes that have ended.
    """
    ran, tables = [], []
    for group in plan.groups:
        swept = sweeps.run(
            lane(problem, group.settings, plan.hidden),
            sweeps.cross(group.hypers, plan.num_folds),
            problem.train,
            order(problem, plan.epochs, group.settings["batch_size"], plan.seed),
            fold_weights=fold_weights,
            num_segments=plan.evaluations,
            on_segment=lambda done, progress: on_segment(len(progress.died_at)),
        )
        ran.append(swept)
        tables.append(_rows(group, swept))
        on_group(tables[-1])
    loss_name = LOSS_NAMES[problem.table.task]
    curves = {name: np.concatenate([s.metrics[name] for s in ran]) for name in ran[0].metrics}
    curves["risk"] = np.concatenate([swept.losses for swept in ran])
    lanes = pd.concat(tables, ignore_index=True)
    configs = rank(lanes, f"val_{loss_name}")
    chosen = choose(configs, selection)
    test = None if chosen is None else tested(problem, plan, chosen)
    seen = np.arange(1, plan.evaluations + 1) * (plan.epochs // plan.evaluations)
    return Findings(lanes, configs, curves, seen, chosen, test)


def rank(lanes: pd.DataFrame, by: str) -> pd.DataFrame:
    """A row per configuration, the smallest mean validation loss first, diverged ones last.

    Adds `mean` and `se` (the standard error over folds) of `by`, the means of the other metrics and
    the number of diverged folds. A configuration that diverged on any fold has no mean.
    """
    figures = [name for name in lanes if name.startswith("val_")]
    gone = ["fold", "status", "died_at", "risk"]
    grouped = lanes.groupby("config")
    table = lanes.drop(columns=[*gone, *figures]).groupby("config").first()
    table[figures] = grouped[figures].agg(lambda values: values.mean(skipna=False))
    table["diverged_folds"] = (lanes["status"] == "diverged").groupby(lanes["config"]).sum()
    alive = np.isfinite(table[by]) & (table["diverged_folds"] == 0)
    table["mean"], table["se"] = table[by].where(alive), grouped[by].sem().where(alive)
    return table.reset_index().sort_values("mean", na_position="last", kind="stable")


def near_best(configs: pd.DataFrame) -> pd.DataFrame:
    """The configurations within one standard error of the best."""
    best = configs.iloc[0]
    return configs[configs["mean"] <= best["mean"] + np.nan_to_num(best["se"])]


def choose(configs: pd.DataFrame, selection: str) -> dict | None:
    """The chosen configuration's row, or None when every configuration diverged."""
    near = near_best(configs)
    if near.empty:
        return None
    if selection == "one_standard_error":
        near = near.sort_values("l2", ascending=False, kind="stable")
    return near.iloc[0].to_dict()


def tested(problem: Problem, plan: Plan, chosen: dict) -> Test:
    """The chosen setting refitted on all training rows, then one look at the test rows."""
    group = next(g for g in plan.groups if chosen["config"] in g.points)
    hypers = {name: chosen[name] for name in group.hypers}
    rows = order(problem, plan.epochs, group.settings["batch_size"], plan.seed)
    params = refit(problem, lane(problem, group.settings, plan.hidden), hypers, rows)
    model = getattr(models, group.settings["model"])
    figures = problems.lane_metrics(problem.table.task, model)(params, problem.test)
    return Test(
        {name: float(value) for name, value in figures.items()},
        np.asarray(jax.vmap(model, in_axes=(None, 0))(params, problem.test.x)),
        np.asarray(problem.test.weights),
        np.asarray(problem.test.labels),
        jax.tree.map(np.asarray, params),
    )


def order(problem: Problem, epochs: int, batch_size: int, seed: int) -> jax.Array:
    """[T, B], which all lanes of a batch size share."""
    return data.epochs(jax.random.key(seed), len(problem.train.x), batch_size, epochs)


def refit(problem: Problem, one: sweeps.Lane, hypers: dict[str, float], rows: jax.Array):
    """Params of a single lane on all training rows, met in the order of rows [T, B]."""
    lanes = sweeps.cross({name: np.array([number]) for name, number in hypers.items()})
    swept = sweeps.run(one, lanes, problem.train, rows)
    return jax.tree.map(lambda leaf: leaf[0], swept.state.params)


def _rows(group: sweeps.Group, swept: sweeps.Sweep) -> pd.DataFrame:
    names = {"configuration": "config"} | {name: f"val_{name}" for name in swept.metrics}
    table = swept.frame().drop(columns="seed").rename(columns=names)
    return table.assign(config=group.points[swept.configuration], **group.settings)
