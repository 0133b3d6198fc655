"""What the page says of the test rows: everything that `tested.html` asks for."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from experiments.kit.problems import Problem
from experiments.kit.report import classes, examine, ranking, regression, uncertainty
from experiments.kit.report.examine import Classified, Regressed, Test


class Figure(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def of(problem: Problem, test: Test | None) -> SimpleNamespace | None:
    """What the chosen setting, refitted on all training rows, does; None where there is none."""
    if test is None:
        return None
    weights = np.asarray(problem.test.weights)
    common = {
        "task": problem.table.task,
        "num_train": len(problem.train.x),
        "num_test": len(problem.test.x),
        "worth": uncertainty.effective_rows(weights) if np.ptp(weights) > 0 else None,
    }
    if problem.table.task == "regression":
        told = _numbers(examine.regressed(problem, test), problem.table.target)
    else:
        told = _classes(problem, examine.classified(problem, test))
    return SimpleNamespace(**common, **told)


def _classes(problem: Problem, rows: Classified) -> dict:
    names = problem.table.class_names
    accuracy = np.average(rows.labels == rows.predicted, weights=rows.weights)
    interval = uncertainty.wilson(accuracy, uncertainty.effective_rows(rows.weights))
    loss, error = uncertainty.mean_and_error(rows.losses, rows.weights)
    low, high = uncertainty.around(loss, error)
    found = examine.reliability(rows)
    stated, true = "confidence in the predicted class", "share predicted rightly"
    surplus = rows.probabilities.max(axis=1) - (rows.labels == rows.predicted)
    if len(names) == 2:
        stated, true = f"stated probability of “{names[1]}”", f"share that is “{names[1]}”"
        surplus = None
    each, averages, weakest = classes.per_class(rows, names)
    one = ranking.one_class(rows, names)
    return {
        "names": names,
        "rows": rows,
        "accuracy": Figure(accuracy, *interval),
        "loss": Figure(loss, max(low, 0), high),
        "majority": examine.majority(problem, rows),
        "guessing": examine.guessing_loss(problem),
        "confusion": classes.confusion(rows, names),
        "mistakes": classes.mistakes(rows),
        "each": each,
        "averages": averages,
        "weakest": weakest,
        "reliability": found,
        "reliable": classes.reliability(found, stated, true),
        "surplus": None if surplus is None else np.average(surplus, weights=rows.weights),
        "one": one,
        **(_one_class(one) if one else {}),
    }


def _one_class(one: ranking.OneClass) -> dict:
    steps = ranking.staircase(one)
    return {
        "ranked": ranking.panels(one),
        "areas": ranking.areas(one),
        "steps": steps,
        "pairs": ranking.pairs(one) if steps else (),
        "thresholds": ranking.table_rows(one),
    }


def _numbers(rows: Regressed, target: str) -> dict:
    figures = regression.figures(rows)
    return {
        "target": target,
        "figures": [Figure(value, *ends) for _, value, ends in figures],
        "names": [name for name, *_ in figures],
        "spread": np.sqrt(np.cov(rows.true, aweights=rows.weights, ddof=0)),
        "panels": regression.panels(rows, target),
        "inside": regression.inside(rows),
        "slope": regression.slope(rows),
    }
