"""What trials amount to: a row per lane, and the optimizers ranked with how sure one can be."""

import numpy as np
import pandas as pd

from experiments.kit.optimizers import RULES
from experiments.kit.report import uncertainty
from experiments.optimizers import budget
from experiments.optimizers.study import Bench, Trial, worth

NEAR = 1.05  # a setting within 5 % of the best counts as near it
FEW = 8  # a small tuning budget, for the tables
EDGE = 0.03  # the share of a range that counts as its edge


def lanes(on: Bench, ran: Trial) -> pd.DataFrame:
    """A row per setting and seed."""
    names = {"configuration": "point"} | {name: f"val_{name}" for name in ran.curves}
    rows = pd.concat([of.frame().assign(seed=seed) for seed, of in enumerate(ran.swept)])
    rows = rows.rename(columns=names).sort_values(["point", "seed"], ignore_index=True)
    ends, steps = rows[f"val_{on.loss_name}"], on.orders.shape[1] // on.epochs
    useful = ends < on.start_losses[rows["seed"]]
    rows["status"] = np.where(useful, "done", "no better than the start")
    rows.loc[~np.isfinite(ends), "status"] = "diverged"
    rows["died_by_epoch"] = np.where(rows["died_at"] < 0, -1, rows["died_at"] // steps + 1)
    told = {"data": on.name, "optimizer": ran.optimizer, "family": RULES[ran.optimizer].family}
    return rows.drop(columns=["fold", "risk"]).assign(**told)


def ranking(on: Bench, trials: list[Trial]) -> pd.DataFrame:
    """A row per optimizer, the lowest mean validation loss of its best setting first.

    mean, se: over seeds. behind, behind_se: the mean and standard error, over held-out rows, of
    the loss's excess over the first optimizer's on the same row. near_own, near_all: shares of
    settings within 5 % of the optimizer's own best and of everybody's. useless: the share no better
    than the start, diverged ones included. median: the middle setting. few: the expected best of 8.
    """
    table = pd.DataFrame([_standing(on, ran) for ran in trials])
    least = NEAR * table["mean"].min()
    table["near_all"] = [np.mean(worth(on, ran) <= least) for ran in trials]
    first = trials[int(table["mean"].argmin())]
    table[["behind", "behind_se"]] = [_gap(on, ran, first) for ran in trials]
    table["tied"] = table["behind"] <= 2 * table["behind_se"]
    table.loc[table["optimizer"] == first.optimizer, "tied"] = True
    table = table.sort_values("mean", kind="stable", ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))


def _standing(on: Bench, ran: Trial) -> dict:
    means, best, ends = worth(on, ran), ran.best, ran.final(on.loss_name)
    after, rule = budget.expected_best(means), RULES[ran.optimizer]
    rate = ran.hypers["learning_rate"][best]
    has_error = on.num_seeds > 1 and np.isfinite(ends[best]).all()
    return {
        "optimizer": ran.optimizer,
        "family": rule.family,
        "mean": means[best],
        "se": ends[best].std(ddof=1) / np.sqrt(on.num_seeds) if has_error else np.nan,
        "accuracy": ran.final("accuracy")[best].mean() if "accuracy" in ran.curves else np.nan,
        "learning_rate": rate,
        "momentum": ran.hypers["momentum"][best] if rule.memory else np.nan,
        "point": best,
        "at_edge": _edge(rate, rule),
        "median": np.median(means),
        "few": after[min(FEW, len(after)) - 1],
        "near_own": np.mean(means <= NEAR * means[best]),
        "useless": np.mean(means >= on.start_loss),
        "diverged": np.mean(~np.isfinite(ends).all(axis=1)),
    }


def _edge(rate: float, rule) -> str:
    place = np.log(rate / rule.low) / np.log(rule.high / rule.low)
    return "lower" if place < EDGE else "upper" if place > 1 - EDGE else ""


def _gap(on: Bench, ran: Trial, first: Trial) -> tuple[float, float]:
    """Mean and standard error over judging rows of the loss beyond the first's on the same row."""
    judged = on.judging > 0
    losses, others = ran.row_losses[judged], first.row_losses[judged]
    if not (np.isfinite(losses).all() and np.isfinite(others).all()):
        return np.nan, np.nan
    return uncertainty.mean_and_error(losses - others, on.judging[judged])
