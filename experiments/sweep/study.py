"""A study: a design crossed with folds as lanes; the chosen setting refitted, and tested once."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
import pandas as pd

from experiments.kit import problems
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report.examine import Test
from experiments.sweep import choosing, groups, lineage, schedules, tidy
from experiments.sweep.lane import RATES, lane
from experiments.sweep.plan import Plan
from jaxlr import data, models, sweeps


@dataclass(frozen=True)
class Findings:
    """Every lane, every configuration, the choice, and how it did on data nobody touched.

    lanes: a row per lane: config, fold, hypers and settings, training risk, validation metrics,
    status, died_at. configs: a row per configuration, best first. curves: {"risk" and each metric:
    [L, S]} at `epochs_seen` [S], in the order of `lanes`; of a population they are those of each
    one's ancestors. chosen: None when every lane diverged. steps: as of `tidy.steps`. lineage: of a
    population, as `lineage.table`; `chosen` then has its schedule of numbers.
    """

    lanes: pd.DataFrame
    configs: pd.DataFrame
    curves: dict[str, np.ndarray]
    epochs_seen: np.ndarray
    chosen: dict | None
    test: Test | None
    steps: pd.DataFrame
    lineage: pd.DataFrame | None = None


def trained(
    problem: Problem,
    plan: Plan,
    fold_weights,
    *,
    on_segment: Callable[[int, str], str | None] = lambda lanes, told: None,
    checkpoints: Callable[[int], sweeps.Checkpoints] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
    """Runs every group: the lanes, steps and lineage of `Findings`.

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
    lanes, moved = pd.concat(tables, ignore_index=True), lineage.of(plan, told, ran)
    return lanes, tidy.steps(plan, lanes, ran, moved), moved


def concluded(
    problem: Problem,
    plan: Plan,
    lanes: pd.DataFrame,
    steps: pd.DataFrame,
    moved: pd.DataFrame | None,
    selection: str,
) -> Findings:
    """Ranks configurations, refits the chosen one and tests it.

    `selection` is "best" mean validation loss, or "one_standard_error": the largest l2 whose mean
    is within one standard error of the best.
    """
    configs = choosing.rank(lanes, f"val_{LOSS_NAMES[problem.table.task]}")
    chosen = choosing.choose(configs, selection)
    curves = tidy.curves(steps, plan)
    if moved is not None:
        curves = lineage.inherited(plan, moved, lanes, curves)
    if chosen and moved is not None:
        chosen["schedule"] = lineage.followed(moved, chosen["config"]).to_dict("records")
    test = None if chosen is None else tested(problem, plan, chosen)
    return Findings(lanes, configs, curves, plan.epochs_seen, chosen, test, steps, moved)


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
