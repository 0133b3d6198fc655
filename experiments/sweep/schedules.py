"""A sweep's schedules by name: who goes on, from where, with which numbers and on which rows."""

from dataclasses import replace

import jax
import numpy as np

from experiments.kit import words
from experiments.kit.mistakes import SettingError
from experiments.sweep.plan import Plan, number, spread
from experiments.sweep.settings import SCALES
from jaxlr import sweeps
from jaxlr.pytypes import Array
from jaxlr.sweeps.row_halving import FACTOR
from jaxlr.sweeps.schedules import Schedule, rungs

PRUNING = {"halving": sweeps.halving, "hyperband": sweeps.hyperband}
RUNGS = 3  # of halving over rows, where batches are small enough
PARTS = 10  # of a run, from one turnover of a population to the next


def fitted(plan: Plan, num_rows: int) -> Plan:
    """The plan with its rungs of rows, if it has any: fewer where batches are large.

    Raises:
      SettingError: a third of the rows is less than a batch, or there is no segment to prune or
        turn over after.
    """
    if plan.schedule not in ("full", "rows") and not rungs(plan.evaluations):
        raise SettingError(
            f"--schedule {plan.schedule}: --epochs {plan.epochs} has no divisor to"
            f" {'turn over' if plan.schedule == 'population' else 'prune'} after; take one with"
            " many, like 40"
        )
    if plan.schedule != "rows":
        return plan
    largest = max(group.settings["batch_size"] for group in plan.groups)
    sizes = [num_rows // FACTOR**rung for rung in range(RUNGS)]
    sizes = tuple(size for size in reversed(sizes) if size >= largest)
    if len(sizes) < 2:
        raise SettingError(
            f"--schedule rows: begins with a third of the {num_rows} training rows at most, and"
            f" --batch-size is {largest}; take at most {num_rows // FACTOR}"
        )
    plan = replace(plan, rows=sizes)
    return replace(plan, evaluations=sum(plan.parts))


def steered(plan: Plan, group: sweeps.Group, lanes: sweeps.Lanes, order: Array, metric: str):
    """What `sweeps.run` is given of a group beside its lane and data, by name.

    Raises:
      SettingError: too few configurations for a population.
    """
    given = {"lanes": lanes, "order": order, "num_segments": plan.evaluations, "schedule": None}
    if plan.schedule == "rows":
        sizes = plan.rows[-1], order.shape[1], plan.epochs
        key, num_rungs = jax.random.key(plan.seed), len(plan.rows)
        made = sweeps.halving_rows(key, lanes, *sizes, metric, num_rungs=num_rungs)
        given = {name: getattr(made, name) for name in given}
        if "num_steps" in lanes.hypers:  # a rate changes along all rungs
            steps = np.full_like(lanes.hypers["num_steps"], len(made.order))
            hypers = made.lanes.hypers | {"num_steps": steps}
            given["lanes"] = made.lanes._replace(hypers=hypers)
    elif plan.schedule != "full":
        if plan.schedule == "population":
            given["schedule"] = _population(plan, group, lanes, metric)
        else:
            configuration = np.asarray(lanes.configuration)
            given["schedule"] = PRUNING[plan.schedule](configuration, metric, plan.evaluations)
    return given


def between(plan: Plan) -> int:
    """Segments from one turnover of a population to the next."""
    return max(round(plan.evaluations / PARTS), 1)


def _population(plan: Plan, group: sweeps.Group, lanes: sweeps.Lanes, metric: str) -> Schedule:
    """Numbers change as they were drawn: of a memory what it forgets; whole ones stay whole."""
    ranges = plan.ranges[group.settings["optimizer"]]
    space = {name: spread(SCALES[name], *ends) for name, ends in ranges.items()}
    try:
        change = sweeps.population(lanes, metric, space, every=between(plan), seed=plan.seed)
    except ValueError as error:
        of = ", ".join(f"{words.name(n)} {s}" for n, s in group.settings.items() if s != "")
        raise SettingError(
            f"--schedule population: {error} of {of}: more --configs, or fewer choices"
        ) from None

    def turned(hypers):  # there and back: 1 - x is its own inverse, exact in float64
        return {n: number(SCALES[n], np.asarray(hypers[n], np.float64)) for n in space}

    def schedule(done: int, progress: sweeps.Progress) -> sweeps.Turnover | None:
        answer = change(done, progress._replace(hypers=progress.hypers | turned(progress.hypers)))
        if answer is None:
            return None
        hypers = answer.hypers | turned(answer.hypers)
        like = progress.hypers
        return answer._replace(hypers={n: v.astype(like[n].dtype) for n, v in hypers.items()})

    return schedule
