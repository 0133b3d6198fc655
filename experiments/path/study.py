"""Layers × targets × folds × l1_ratios × penalties as lanes; each probe refitted, and tested."""

from collections.abc import Callable

import jax
import numpy as np
import pandas as pd

from experiments.datasets.probes import Probes
from experiments.datasets.table import Target
from experiments.kit.mistakes import SettingError
from experiments.kit.problems import LOSS_NAMES, Problem, predictions
from experiments.kit.report.examine import Test
from experiments.path import metrics as path_metrics
from experiments.path import problems as path_problems
from experiments.path.findings import Findings, Probe, leading
from experiments.path.problems import Rows
from experiments.path.settings import RIDGE, SMALLEST_RIDGE_SHARE, SMALLEST_SHARE, Plan
from jaxlr import metrics, paths
from jaxlr.pytypes import Batch


def num_lanes(probes: Probes, plan: Plan) -> int:
    """Layers × targets × folds × l1_ratios × penalties."""
    each = plan.folds * len(plan.l1_ratios) * plan.num
    return len(probes.layers) * len(probes.targets) * each


def run(
    probes: Probes,
    rows: Rows,
    plan: Plan,
    on_lanes: Callable[[pd.DataFrame], None] = lambda lanes: None,
) -> Findings:
    """Cross-validates every probe, refits each at its choice, and tests each once.

    Args:
      probes: layers and targets.
      rows: split and folds.
      plan: penalties, l1_ratios, rule, metric.
      on_lanes: called with the table of the lanes that have ended.
    """
    found, lanes = [], []
    for layer in probes.layers:
        x, encoder = path_problems.features(probes, layer, rows, plan.scaling)
        of_layer = {}
        for group in path_problems.groups(probes.targets, plan.class_weight is not None):
            ended, table = _group(probes, layer, group, rows, plan, x, encoder)
            of_layer |= {probe.target: probe for probe in ended}
            lanes.append(table)
            on_lanes(table)
        found += [of_layer[target.name] for target in probes.targets]
    first = [probe for probe in found if probe.target == probes.targets[0].name]
    return Findings(found, pd.concat(lanes, ignore_index=True), leading(first, plan))


def grid(batch: Batch, first: Problem, plan: Plan, train_weight: float) -> np.ndarray:
    """[K] penalties, descending: those given, those of C, or spread over the data's own range."""
    if plan.lambdas is not None:
        return plan.lambdas
    if plan.costs is not None:
        return 1 / (plan.costs * train_weight)
    high, low = plan.ends
    if high is None:
        smallest = min((ratio for ratio in plan.l1_ratios if ratio > 0), default=RIDGE)
        own = paths.lambda_grid(
            batch,
            loss=first.loss,
            num=2,
            ratio=SMALLEST_SHARE,
            l1_ratio=smallest,
            num_classes=first.num_outputs,
            **without_intercept(plan),
        )
        high = float(np.max(own))
    if low is None:
        low = high * (SMALLEST_SHARE if any(plan.l1_ratios) else SMALLEST_RIDGE_SHARE)
    if not low < high:
        raise SettingError(
            f"--lambda-min {low:g}: must be below the strongest penalty, {high:g} for these data;"
            " lower it, or say --lambda-max"
        )
    return np.geomspace(high, low, plan.num) if plan.num > 1 else np.array([high])


def without_intercept(plan: Plan) -> dict:
    """The option of `paths` that leaves the intercept out, where the plan does."""
    return {} if plan.intercept else {"fit_intercept": False}


def _group(probes, layer: str, group: list[Target], rows: Rows, plan: Plan, x, encoder):
    """The probes of targets that share a loss, and the table of their lanes."""
    problems = [
        path_problems.problem(probes, layer, target, rows, x, encoder, plan) for target in group
    ]
    first, batch = problems[0], path_problems.stacked(problems)
    per_fold = rows.folds @ np.asarray(batch.weights, np.float64)
    lambdas = grid(batch, first, plan, per_fold[0])
    crossed = _crossed(batch, first, rows.folds, lambdas, plan)
    ends = crossed.refit.frame().drop(columns="target")
    ends.insert(2, "C", cost(ends["lambda"], np.asarray(batch.weights, np.float64).sum()))
    made = [
        _probe(layer, problem, t, crossed, end, rows.folds, plan)
        for t, (problem, end) in enumerate(zip(problems, ends.to_dict("records"), strict=True))
    ]
    return made, _lanes(layer, group, crossed, per_fold)


def _probe(layer, problem: Problem, t: int, crossed, refit: dict, folds, plan: Plan) -> Probe:
    """Target t of the group, refitted as told."""
    (a, k), mean = crossed.chosen[t], crossed.mean[t]
    params = {name: leaf[t] for name, leaf in crossed.refit.params.items()}
    w = crossed.path.params["w"][t].copy()
    w[crossed.path.status[t] == paths.Status.separable] = np.nan
    return Probe(
        layer=layer,
        problem=problem,
        lambdas=crossed.lambdas,
        l1_ratios=crossed.l1_ratios,
        coefficients=w,
        scores=crossed.scores[t],
        mean=mean,
        error=crossed.standard_error[t],
        left_out=_left_out(problem, folds, crossed.scores[t]),
        best=tuple(crossed.best_mean[t].tolist()),
        one_standard_error=tuple(crossed.one_standard_error[t].tolist()),
        chosen=(int(a), int(k)),
        refit=refit,
        test=_test(problem, params, plan.metric) if np.isfinite(mean[a, k]) else None,
    )


def cost(lam, weight):
    """scikit-learn's C = 1 / (λ Σ s), ∞ for λ = 0."""
    with np.errstate(divide="ignore"):
        return np.divide(1.0, np.asarray(lam, np.float64) * weight)


def _crossed(batch: Batch, first: Problem, folds, lambdas, plan: Plan) -> paths.CrossValidation:
    """Every target's lanes, scores and choice."""
    options = {"loss": first.loss, "tol": plan.tol, "num_classes": first.num_outputs}
    options |= without_intercept(plan)
    if plan.folds == 1:  # as published: one validation split, and a refit that keeps C
        options["hold"] = "C"
    try:
        return paths.cross_validate(
            batch,
            lambdas,
            fold_weights=folds,
            l1_ratio=plan.l1_ratios,
            metric=path_metrics.METRICS[plan.metric].of,
            rule=plan.rule,
            **options,
        )
    except ValueError as error:
        told = " ".join(str(error).split())
        raise SettingError(
            f"--metric {plan.metric} with --folds {plan.folds}: {told}; take fewer --folds, or"
            f" --metric {', '.join(path_metrics.others(plan.metric, first.table.task))}"
        ) from error


def _left_out(problem: Problem, folds: np.ndarray, scores) -> list[dict]:
    """The folds [F, N] that have no score [F, A, K] where others do, and what they lack."""
    scored = np.isfinite(scores).any(axis=(1, 2))
    return [
        {
            "fold": int(f),
            "trains_without": _lacking(problem, folds[f] > 0),
            "holds_out_without": _lacking(problem, folds[f] == 0),
        }
        for f in np.flatnonzero(~scored & scored.any())
    ]


def _lacking(problem: Problem, rows: np.ndarray) -> list[str]:
    """The classes that none of these training rows is of."""
    there = set(problem.target.labels[rows & problem.heard].tolist())
    return [name for c, name in enumerate(problem.table.class_names) if c not in there]


def _lanes(layer: str, group: list[Target], crossed: paths.CrossValidation, per_fold):
    """A row per lane: the results' own table, with names, C, and weights that aren't 0."""
    table = crossed.frame().rename(columns={"score": "held_out"})
    w = crossed.path.params["w"].reshape(len(table), -1)
    table.insert(0, "layer", layer)
    table["target"] = np.take([target.name for target in group], table["target"])
    table.insert(5, "C", cost(table["lambda"], per_fold[table["fold"]]))
    table.insert(len(table.columns) - 1, "nonzero", np.count_nonzero(w, axis=1))
    return table


def _test(problem: Problem, params: dict, metric: str) -> Test:
    """The refit on the test rows: loss, accuracy or R², and the metric that chose."""
    batch, task = problem.test, problem.table.task
    w, b = (np.asarray(params[name], np.float64) for name in "wb")
    scores = np.asarray(np.asarray(batch.x) @ w + b, np.float32)
    losses = jax.vmap(problem.loss)(scores, batch.labels)
    figures = {LOSS_NAMES[task]: np.average(losses, weights=batch.weights)}
    if task == "regression":
        figures["r2"] = metrics.r2_score(batch.labels, scores, sample_weight=batch.weights)
    else:
        said = np.asarray(predictions(task, scores))
        figures["accuracy"] = np.average(said == batch.labels, weights=batch.weights)
    chooser = path_metrics.scorer(metric, task, len(problem.table.class_names))
    if chooser is not None and metric not in figures:
        figures[metric] = chooser(batch.labels, scores, sample_weight=batch.weights)
    figures = {name: float(value) for name, value in figures.items()}
    return Test(figures, scores, batch.weights, batch.labels, params)
