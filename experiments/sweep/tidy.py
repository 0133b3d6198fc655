"""Every evaluation of every lane as one tidy table, `steps.parquet`, and as curves."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from experiments.sweep.plan import Plan
from jaxlr import sweeps


def steps(plan: Plan, ran: list[sweeps.Sweep]) -> pd.DataFrame:
    """A row per lane and evaluation, until the lane ended.

    Columns: lane (its row in `results.parquet`), config, fold, seed (the command's), the numbers
    and static settings, rung (how many prunings lanes of its group had seen), step, epoch, risk
    (the mean over the steps since the last evaluation), val_ and each metric, and status: running,
    or in a lane's last row how it ended.
    """
    tables = []
    for group, swept in zip(plan.groups, ran, strict=True):
        table = swept.steps().rename(columns={"configuration": "config"})
        table = table.rename(columns={name: f"val_{name}" for name in swept.metrics})
        table["config"], table["seed"] = group.points[table["config"]], plan.seed
        table["epoch"] = table.pop("segment") * (plan.epochs // plan.evaluations)
        tables.append(table.assign(**group.settings))
    table = joined(tables, [len(swept.fold) for swept in ran])
    last = ["rung", "step", "epoch", "risk", *figures(table), "status"]
    return table[[*(name for name in table if name not in last), *last]]


def joined(tables: Iterable[pd.DataFrame], num_lanes: Iterable[int]) -> pd.DataFrame:
    """Tables of so many lanes each as one, its lanes counted on."""
    before, counted = 0, []
    for table, num in zip(tables, num_lanes, strict=True):
        counted.append(table.assign(lane=table["lane"] + before))
        before += num
    return pd.concat(counted, ignore_index=True)


def figures(table: pd.DataFrame) -> list[str]:
    """The columns of validation metrics."""
    return [name for name in table if name.startswith("val_")]


def curves(table: pd.DataFrame, plan: Plan) -> dict[str, np.ndarray]:
    """{"risk" and each metric: [L, S]}, NaN after a lane's end."""
    at = table["lane"], table["epoch"] * plan.evaluations // plan.epochs - 1
    found = {}
    for name in ("risk", *figures(table)):
        found[name] = np.full((plan.num_lanes, plan.evaluations), np.nan, table[name].dtype)
        found[name][at] = table[name]
    return {name.removeprefix("val_"): lines for name, lines in found.items()}
