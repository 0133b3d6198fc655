"""Every evaluation of every lane as one tidy table, `steps.parquet`, and as curves."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from experiments.sweep.plan import Plan
from jaxlr import sweeps

OUTCOMES = ("died_at", "epochs_run", "rows")  # of a lane as a whole


def steps(
    plan: Plan, lanes: pd.DataFrame, ran: list[sweeps.Sweep], moved: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A row per lane and evaluation, until the lane ended.

    Columns: lane (its row in `lanes`), config, fold, seed (the command's), the numbers and static
    settings, rung (how many prunings lanes of its group had seen), step, epoch, risk (the mean over
    the steps since the last evaluation), val_ and each metric, and status: running, or in a lane's
    last row how it ended. Numbers of a population, whose lineage is `moved`, are those of the time.
    """
    seen = joined((swept.steps() for swept in ran), (len(swept.fold) for swept in ran))
    seen["epoch"] = plan.epochs_seen[seen["segment"] - 1]
    names = {"rung": "rung", "step": "step", "epoch": "epoch", "risk": "risk"}
    names |= {name: f"val_{name}" for name in ran[0].metrics} | {"status": "status"}
    own = lanes.drop(columns=[*names.values(), *OUTCOMES], errors="ignore").loc[seen["lane"]]
    own.insert(own.columns.get_loc("fold") + 1, "seed", plan.seed)
    own.insert(0, "lane", own.index)
    found = seen[list(names)].rename(columns=names)
    whole = pd.concat([own.reset_index(drop=True), found], axis=1)
    if moved is None:
        return whole
    then = whole[["config", "epoch"]].reset_index().sort_values("epoch", kind="stable")
    moved = moved.drop(columns="source").sort_values("epoch", kind="stable")
    then = pd.merge_asof(then, moved, on="epoch", by="config", allow_exact_matches=False)
    return whole.assign(**then.set_index("index").sort_index().drop(columns=["config", "epoch"]))


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
    at = table["lane"], table.groupby("lane").cumcount()
    found = {}
    for name in ("risk", *figures(table)):
        found[name] = np.full((plan.num_lanes, plan.evaluations), np.nan, table[name].dtype)
        found[name][at] = table[name]
    return {name.removeprefix("val_"): lines for name, lines in found.items()}
