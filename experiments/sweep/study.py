"""A study: a design crossed with folds as lanes; the chosen setting refitted, and tested once."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
import pandas as pd

from experiments.kit import problems
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report.examine import Test
from experiments.sweep import groups, lineage, schedules
from experiments.sweep.lane import RATES, lane
from experiments.sweep.plan import Plan
from jaxlr import data, models, sweeps
from jaxlr.sweeps import Ending


@dataclass(frozen=True)
class Findings:
    """Every lane, every configuration, the choice, and how it did on data nobody touched.

    lanes: a row per lane: config, fold, hypers and settings, training risk, validation metrics,
    status, died_at. configs: a row per configuration, best first. curves: {"risk" and each metric:
    [L, S]} at `epochs_seen` [S], in the order of `lanes`; of a population they are those of each
    one's ancestors. chosen: None when every lane diverged. lineage: of a population, as
    `lineage.table`; `chosen` then has its schedule of numbers.
    """

    lanes: pd.DataFrame
    configs: pd.DataFrame
    curves: dict[str, np.ndarray]
    epochs_seen: np.ndarray
    chosen: dict | None
    test: Test | None
    lineage: pd.DataFrame | None = None


def trained(
    problem: Problem,
    plan: Plan,
    fold_weights,
    *,
    on_segment: Callable[[int, str], str | None] = lambda lanes, told: None,
    checkpoints: Callable[[int], sweeps.Checkpoints] | None = None,
) -> tuple[pd.DataFrame, dict[str, np.ndarray], pd.DataFrame | None]:
    """Runs every group: the lanes, curves and lineage of `Findings`.

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
    curves = {
        name: np.concatenate([_until(s, s.metrics[name]) for s in ran]) for name in ran[0].metrics
    }
    curves["risk"] = np.concatenate([_until(swept, swept.losses) for swept in ran])
    tables = [_rows(plan, *of_one) for of_one in zip(plan.groups, ran, strict=True)]
    return pd.concat(tables, ignore_index=True), curves, lineage.of(plan, told, ran)


def concluded(
    problem: Problem, plan: Plan, lanes: pd.DataFrame, curves: dict, moved, selection: str
) -> Findings:
    """Ranks configurations, refits the chosen one and tests it.

    `selection` is "best" mean validation loss, or "one_standard_error": the largest l2 whose mean
    is within one standard error of the best.
    """
    configs = rank(lanes, f"val_{LOSS_NAMES[problem.table.task]}")
    chosen = choose(configs, selection)
    if moved is not None:
        curves = lineage.inherited(plan, moved, lanes, curves)
    if chosen and moved is not None:
        chosen["schedule"] = lineage.followed(moved, chosen["config"]).to_dict("records")
    test = None if chosen is None else tested(problem, plan, chosen)
    return Findings(lanes, configs, curves, plan.epochs_seen, chosen, test, moved)


def asked(problem: Problem, plan: Plan, group: sweeps.Group, fold_weights) -> dict:
    """What `sweeps.run` and `sweeps.plan` are given of a group."""
    rows = order(problem, plan.epochs, group.settings["batch_size"], plan.seed)
    epochs = group.hypers["epochs"]
    numbers = _numbers(group.hypers, epochs * len(rows) / plan.epochs)
    segments = None if plan.rows else np.int32(epochs * plan.evaluations / plan.epochs)
    lanes = sweeps.cross(numbers, plan.num_folds, segments=segments)
    metric = LOSS_NAMES[problem.table.task]
    steered = schedules.steered(plan, group, lanes, rows, metric)
    return {
        "lane": lane(problem, group.settings),
        "batch": problem.train,
        "fold_weights": fold_weights,
        "memory": plan.memory,
        **steered,
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
    rows, again = order(problem, chosen["epochs"], group.settings["batch_size"], plan.seed), {}
    hypers = {name: chosen[name] for name in group.hypers}
    if "schedule" in chosen:
        numbers = lineage.by_segment(plan, pd.DataFrame(chosen["schedule"]))
        hypers |= {name: column[0, 0] for name, column in numbers.items()}
        again = {"num_segments": plan.evaluations, "schedule": sweeps.replay(numbers)}
    hypers = _numbers(hypers, len(rows))
    params = refit(problem, lane(problem, group.settings), hypers, rows, **again)
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


def refit(problem: Problem, one: sweeps.Lane, hypers: dict[str, float], rows, **options):
    """Params of a single lane on all training rows, met in the order of rows [T, B].

    `options` are those of `sweeps.run`.
    """
    lanes = sweeps.cross({name: np.array([number]) for name, number in hypers.items()})
    swept = sweeps.run(one, lanes, problem.train, rows, **options)
    return jax.tree.map(lambda leaf: leaf[0], swept.state.params)


def _numbers(hypers: dict, num_steps) -> dict:
    """What lanes take of hypers: epochs as their `num_steps`, and that only where rates change."""
    taken = {name: number for name, number in hypers.items() if name != "epochs"}
    return taken | {"num_steps": num_steps} if RATES.keys() & taken.keys() else taken


def _rows(plan: Plan, group: sweeps.Group, swept: sweeps.Sweep) -> pd.DataFrame:
    names = {"configuration": "config"} | {name: f"val_{name}" for name in swept.metrics}
    table = swept.frame().drop(columns=["seed", "num_steps"], errors="ignore").rename(columns=names)
    table = table.assign(config=group.points[swept.configuration], **group.settings)
    table["epochs"] = np.int32(group.hypers["epochs"])[swept.configuration]
    if plan.schedule in ("full", "population"):
        return table
    if plan.rows:  # how many there are on the last rung that a lane reached
        rung = np.searchsorted(np.cumsum(plan.parts), swept.segments)
        return table.assign(rows=np.take(plan.rows, rung))
    return table.assign(epochs_run=swept.segments * plan.per_segment)


def _until(swept: sweeps.Sweep, values: np.ndarray) -> np.ndarray:
    """Figures [L, S] of each segment, NaN after a lane has been pruned or has made its epochs."""
    gone = np.arange(values.shape[1]) >= swept.segments[:, None]
    left = np.isin(swept.ending, (Ending.PRUNED, Ending.DONE))
    return np.where(gone & left[:, None], np.nan, values)
