"""Configurations by their mean validation loss over folds, and which of them is chosen."""

import numpy as np
import pandas as pd


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
