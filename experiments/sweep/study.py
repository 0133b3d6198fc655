"""A study: a design crossed with folds as lanes; the chosen setting refitted, and tested once."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
import pandas as pd

from experiments.kit import problems
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report.examine import Test
from experiments.sweep import groups, tidy
from experiments.sweep.lane import lane
from experiments.sweep.plan import Plan
from jaxlr import data, models, sweeps


@dataclass(frozen=True)
class Findings:
    """Every lane, every configuration, the choice, and how it did on data nobody touched.

    lanes: a row per lane: config, fold, hypers and settings, training risk, validation metrics,
    status, died_at. configs: a row per configuration, best first. curves: {"risk" and each metric:
    [L, S]} at `epochs_seen` [S], in the order of `lanes`. chosen: None when every lane diverged.
    steps: as of `tidy.steps`.
    """

    lanes: pd.DataFrame
    configs: pd.DataFrame
    curves: dict[str, np.ndarray]
    epochs_seen: np.ndarray
    chosen: dict | None
    test: Test | None
    steps: pd.DataFrame


def trained(
    problem: Problem,
    plan: Plan,
    fold_weights,
    *,
    on_segment: Callable[[int, str], str | None] = lambda lanes, told: None,
    checkpoints: Callable[[int], sweeps.Checkpoints] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs every group: the lanes and steps of `Findings`.

    Args:
      problem: data and task.
      plan: what to run.
      fold_weights: [F, N].
      on_segment: called with the number of lanes that finished a segment, and words of how they
        do; "stop" ends the study.
      checkpoints: those of each group, by its number.

    Raises:
      KeyboardInterrupt: it was stopped.
      SettingError: there is too little memory.
    """
    told = [asked(problem, plan, group, fold_weights) for group in plan.groups]
    metric = LOSS_NAMES[problem.table.task]
    ran = groups.train(plan, told, metric, on_segment=on_segment, checkpoints=checkpoints)
    tables = [_rows(plan, *of_one) for of_one in zip(plan.groups, ran, strict=True)]
    lanes = pd.concat(tables, ignore_index=True)
    return lanes, tidy.steps(plan, lanes, ran)


def concluded(
    problem: Problem, plan: Plan, lanes: pd.DataFrame, steps: pd.DataFrame, selection: str
) -> Findings:
    """Ranks configurations, refits the chosen one and tests it.

    `selection` is "best" mean validation loss, or "one_standard_error": the largest l2 whose mean
    is within one standard error of the best.
    """
    configs = rank(lanes, f"val_{LOSS_NAMES[problem.table.task]}")
    chosen = choose(configs, selection)
    test = None if chosen is None else tested(problem, plan, chosen)
    seen = np.arange(1, plan.evaluations + 1) * (plan.epochs // plan.evaluations)
    return Findings(lanes, configs, tidy.curves(steps, plan), seen, chosen, test, steps)


def asked(problem: Problem, plan: Plan, group: sweeps.Group, fold_weights) -> dict:
    """What `sweeps.run` and `sweeps.plan` are given of a group."""
    rows = order(problem, plan.epochs, group.settings["batch_size"], plan.seed)
    return {
        "lane": lane(problem, group.settings, plan.hidden, len(rows)),
        "lanes": sweeps.cross(group.hypers, plan.num_folds),
        "batch": problem.train,
        "order": rows,
        "fold_weights": fold_weights,
        "num_segments": plan.evaluations,
        "memory": plan.memory,
    }


def rank(lanes: pd.DataFrame, by: str) -> pd.DataFrame:
    """A row per configuration, the smallest mean validation loss first, diverged ones last.

    Those that a schedule has pruned come after those that went on to the end.

    Adds `mean` and `se` (the standard error over folds) of `by`, the means of the other metrics and
    the number of diverged folds. A configuration that diverged on any fold has no mean.
    """
    figures = [name for name in lanes if name.startswith("val_")]
    gone = ["fold", "status", "died_at", "risk"]
    pruned = (lanes["status"] == "pruned").groupby(lanes["config"]).any()
    grouped = lanes.groupby("config")
    table = lanes.drop(columns=[*gone, *figures]).groupby("config").first()
    table[figures] = grouped[figures].agg(lambda values: values.mean(skipna=False))
    table["diverged_folds"] = (lanes["status"] == "diverged").groupby(lanes["config"]).sum()
    alive = np.isfinite(table[by]) & (table["diverged_folds"] == 0)
    table["mean"], table["se"] = table[by].where(alive), grouped[by].sem().where(alive)
    if pruned.any():
        table["pruned"] = pruned
    order = ["pruned"] * bool(pruned.any()) + ["mean"]
    return table.reset_index().sort_values(order, na_position="last", kind="stable")


def near_best(configs: pd.DataFrame) -> pd.DataFrame:
    """The configurations within one standard error of the best."""
    best = configs.iloc[0]
    stayed = ~configs["pruned"] if "pruned" in configs else True
    return configs[stayed & (configs["mean"] <= best["mean"] + np.nan_to_num(best["se"]))]


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
    one = lane(problem, group.settings, plan.hidden, len(rows))
    params = refit(problem, one, hypers, rows)
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


def _rows(plan: Plan, group: sweeps.Group, swept: sweeps.Sweep) -> pd.DataFrame:
    names = {"configuration": "config"} | {name: f"val_{name}" for name in swept.metrics}
    table = swept.frame().drop(columns="seed").rename(columns=names)
    table = table.assign(config=group.points[swept.configuration], **group.settings)
    if plan.schedule == "full":
        return table
    return table.assign(epochs=swept.segments * (plan.epochs // plan.evaluations))
