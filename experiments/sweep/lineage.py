"""Where the numbers of a population came from: who took over from whom, when, and with what."""

import numpy as np
import pandas as pd

from experiments.sweep.plan import Plan
from jaxlr import sweeps


def of(plan: Plan, told: list[dict], ran: list[sweeps.Sweep]) -> pd.DataFrame | None:
    """The `table` of all groups of a population, each with what `sweeps.run` was given; or None."""
    if plan.schedule != "population":
        return None
    lanes = [of_one["lanes"] for of_one in told]
    tables = [table(plan, *of_one) for of_one in zip(plan.groups, lanes, ran, strict=True)]
    return pd.concat(tables, ignore_index=True)


def table(plan: Plan, group: sweeps.Group, lanes: sweeps.Lanes, swept: sweeps.Sweep):
    """A row where a configuration began, and one wherever it took over, of one group.

    Columns: config, epoch (done by then), source (the configuration from whose params it went on;
    at first itself), and the numbers that it had from then on.
    """
    first = slice(None, None, plan.num_folds)  # the folds of a configuration move together
    source = swept.configuration[swept.sources[first]]
    names = [name for name in lanes.hypers if name != "num_steps"]  # what never changes
    began = {name: np.asarray(lanes.hypers[name])[first] for name in names}
    config = group.points
    start = pd.DataFrame({"config": config, "epoch": 0, "source": config} | began)
    who, when = np.nonzero(source != np.arange(len(config))[:, None])
    moved = {
        "config": config[who],
        "epoch": (when + 1) * plan.per_segment,
        "source": config[source[who, when]],
    }
    moved |= {name: swept.history[name][first][who, when] for name in names}
    whole = pd.concat([start, pd.DataFrame(moved)], ignore_index=True)
    return whole.sort_values(["config", "epoch"], ignore_index=True)


def followed(lineage: pd.DataFrame, config: int) -> pd.DataFrame:
    """The stretches that led to a configuration, the first one first.

    Columns: config (whose stretch it was), epoch (at which it began), and its numbers.
    """
    stretches, until = [], np.inf
    while until > 0:
        rows = lineage[(lineage["config"] == config) & (lineage["epoch"] < until)]
        stretches.insert(0, rows.tail(1))
        config, until = rows["source"].iloc[-1], rows["epoch"].iloc[-1]
    return pd.concat(stretches, ignore_index=True).drop(columns="source").dropna(axis=1)


def inherited(plan: Plan, lineage: pd.DataFrame, lanes: pd.DataFrame, curves: dict) -> dict:
    """Curves {name: [L, S]} of lanes as those of their ancestors, segment by segment."""
    first, owner = lanes.reset_index().groupby("config")["index"].min(), lanes["config"]
    places = [np.arange(len(lanes))]
    for segment in range(plan.evaluations - 1, 0, -1):
        turned = lineage["epoch"] == segment * plan.per_segment
        owner = owner.replace(lineage[turned].set_index("config")["source"].to_dict())
        places.insert(0, first[owner].to_numpy() + lanes["fold"])
    places = np.stack(places, axis=1)
    return {name: np.take_along_axis(values, places, 0) for name, values in curves.items()}


def founders(lineage: pd.DataFrame) -> dict[int, int]:
    """{configuration: the one from whose beginning it descends}."""
    found = {}
    for _, rows in lineage.groupby("epoch"):
        sources = zip(rows["config"], rows["source"], strict=True)
        found |= {config: found.get(source, source) for config, source in sources}
    return found


def by_segment(plan: Plan, stretches: pd.DataFrame) -> dict[str, np.ndarray]:
    """{name: [1, S]}: the numbers of stretches in every segment."""
    begins = np.arange(plan.evaluations) * plan.per_segment
    place = np.searchsorted(stretches["epoch"], begins, side="right") - 1
    numbers = stretches.drop(columns=["config", "epoch"])
    return {name: numbers[name].to_numpy()[None, place] for name in numbers}
