"""Findings as if trained, of every kind that a page must tell."""

from functools import cache

import numpy as np
import pandas as pd

from experiments.datasets import Table
from experiments.kit import problems
from experiments.kit.clock import Clock
from experiments.kit.problems import Problem
from experiments.kit.report import examine
from experiments.sweep import choosing, study
from experiments.sweep.plan import Plan
from jaxlr import sweeps
from jaxlr.pytypes import Batch

STRANGE = ("<b>&amp;", "$x_1$", "漢字", "a class with a very long name")


def make_problem(task, num_classes=0, rows=240, weighted=False, names=None):
    rng = np.random.default_rng(rows + num_classes)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    if task == "regression":
        labels, scale = rng.normal(size=rows).astype(np.float32), (150.0, 40.0)
    else:
        labels, scale = (np.arange(rows) % num_classes).astype(np.int32), (0.0, 1.0)
    weights = (rng.integers(0, 4, rows) if weighted else np.ones(rows)).astype(np.float32)
    names = names or tuple(f"class {i}" for i in range(num_classes))
    table = Table(
        "made", x, labels, task, names, ("a", "b", "c"), "answer", weights if weighted else None
    )
    half = rows // 2
    parts = [
        Batch(x[part], labels[part], weights[part]) for part in np.split(np.arange(rows), [half])
    ]
    return Problem(table, *parts, ("a", "b", "c"), scale)


def make_plan(configs=24, epochs=(20,), **choices):
    space = {
        "learning_rate": sweeps.LogUniform(1e-3, 1.0),
        "momentum": choices.pop("momentum", sweeps.Uniform(0.0, 0.99)),
        "l2": sweeps.LogUniform(1e-6, 1e-1),
        **{name: sweeps.Choices(options) for name, options in choices.items()},
    }
    space = {
        "model": sweeps.Choices(("linear",)),
        "optimizer": sweeps.Choices(("momentum",)),
    } | space
    space = {"batch_size": sweeps.Choices((64,))} | space
    groups = [
        group._replace(hypers=group.hypers | {"epochs": np.resize(epochs, len(group.points))})
        for group in sweeps.groups(sweeps.random(space, configs, seed=1))
    ]
    return Plan(groups, 3, 20, 10, 0)


def make_findings(problem, plan, diverge=0.7, selection="best"):
    """Findings as if trained: a valley in log learning rate, NaN above the rate `diverge`."""
    rng = np.random.default_rng(5)
    rows, curves_of = [], {"risk": [], "loss": [], "accuracy": []}
    loss_name = problems.LOSS_NAMES[problem.table.task]
    for group in plan.groups:
        for i, config in enumerate(group.points):
            hyper = {name: values[i] for name, values in group.hypers.items()}
            for fold in range(plan.num_folds):
                bottom = 0.3 + 0.2 * np.log10(hyper["learning_rate"] / 0.1) ** 2
                bottom += 0.02 * rng.normal() + hyper["l2"]
                line = bottom * (1 + np.exp(-np.arange(10) / 2))
                dies = hyper["learning_rate"] > diverge
                line[3 + fold if dies else hyper["epochs"] // 2 :] = np.nan
                end = line[hyper["epochs"] // 2 - 1]
                curves_of["risk"].append(line * 0.9)
                curves_of["loss"].append(line)
                curves_of["accuracy"].append(np.exp(-line))
                rows.append(
                    {"config": config, "fold": fold, **hyper, **group.settings}
                    | {"risk": end * 0.9, f"val_{loss_name}": end}
                    | ({"val_accuracy": np.exp(-end)} if problem.table.class_names else {})
                    | {"status": "diverged" if dies else "done", "died_at": 7 if dies else -1}
                )
    lanes = pd.DataFrame(rows)
    configs = choosing.rank(lanes, f"val_{loss_name}")
    chosen = choosing.choose(configs, selection)
    lines = {loss_name if k == "loss" else k: np.array(v) for k, v in curves_of.items()}
    test = make_test(problem) if chosen else None
    seen, last = np.arange(2, 21, 2), lanes.assign(epoch=20)
    return study.Findings(lanes, configs, lines, seen, chosen, test, last)


def make_test(problem):
    rng = np.random.default_rng(9)
    labels, weights = problem.test.labels, problem.test.weights
    num = len(problem.table.class_names)
    if problem.table.task == "multiclass":
        scores = rng.normal(size=(len(labels), num)) + 2.5 * np.eye(num)[labels]
    elif problem.table.task == "binary":
        scores = rng.normal(size=len(labels)) * 1.5 + 2 * labels - 1
    else:
        scores = 0.8 * labels + 0.3 * rng.normal(size=len(labels))
    return examine.Test({}, scores.astype(np.float32), weights, labels, {})


CLOCK = Clock()  # of pages that are the same each time
CLOCK.parts = lambda: {"running": 3.0, "drawing": 1.5}


def make_summary(problem, plan):
    return {
        "device": "2 CPU cores",
        "num_lanes": plan.num_lanes,
        "num_compilations": len(plan.groups),
        "compile_seconds": 2.0,
        "run_seconds": 4.0,
        "data": {
            "name": problem.table.name,
            "task": problem.table.task,
            "target": problem.table.target,
            "classes": list(problem.table.class_names),
            "num_train": len(problem.train.x),
            "num_test": len(problem.test.x),
            "features": list(problem.feature_names),
            "notes": ["A note."],
        },
        "settings": {"learning_rate": (1e-3, 1.0), "overwrite": False, "target": None},
        "command": "python -m experiments.sweep --data 'made & <kept>'",
        "versions": {"jax": "1.2.3"},
    }


# All but one have 120 test rows of some weight, so that pages share their programs.
CASES = {
    "ten classes": (lambda: make_problem("multiclass", 10, 318, weighted=True), {}, {}),
    "binary": (lambda: make_problem("binary", 2), {}, {"selection": "one_standard_error"}),
    "100 classes": (
        lambda: make_problem("multiclass", 100, 400),
        {"configs": 2, "momentum": sweeps.Grid((0.9,))},
        {},
    ),
    "regression": (lambda: make_problem("regression", weighted=True), {}, {}),
    "all diverged": (lambda: make_problem("binary", 2), {"configs": 6}, {"diverge": 0.0}),
    "one": (lambda: make_problem("regression"), {"configs": 1}, {"diverge": 9.0}),
    "groups": (
        lambda: make_problem("multiclass", 4, names=STRANGE),
        {"model": ("linear", "mlp"), "optimizer": ("momentum", "adam"), "batch_size": (16, 64)}
        | {"epochs": (20, 10)},
        {},
    ),
}


@cache
def case(name):
    """(problem, plan, findings)."""
    problem, planned, found = CASES[name]
    problem, plan = problem(), make_plan(**planned)
    return problem, plan, make_findings(problem, plan, **found)
