"""What became of every lane: certified, separable, explained by rounding, or a fault.

A lane that isn't certified is explained where the tolerance asks for more than float64 tells of
this objective: its floor is what J, and half of Newton's decrement squared, lose by one rounding
of every loss, every product of a row with the weights, and every weight's slope, columns centred.
"""

from typing import NamedTuple

import numpy as np

from experiments.benchmarks.paths import ours, truth
from experiments.benchmarks.paths.problems import Problem
from tests.truth import losses, newton

NAMES = ("certified", "solved", "stalled", "budget", "separable", "nan")
EPS = np.finfo(np.float64).eps
FLOORS = 100  # roundings that a bound may add up before the tolerance counts as out of reach
FAULTS = ("unproved", "wrong", "LIE")


class Verdict(NamedTuple):
    """Of one lane: its outcome and status, (J - J*) / J, float64's floor, and a line of a fault.

    Outcomes are certified, separable and rounding; or, as faults, "unproved" (right, without
    proof), "wrong" (the error is above the tolerance) and "LIE" (what is claimed is not so).
    """

    outcome: str
    status: str
    error: float = np.nan
    floor: float = np.nan
    told: str = ""


def judged(problem: Problem, path, best: truth.Truth, tol: float = 1e-6) -> list[Verdict]:
    """A verdict on every lane of a `paths.Path`."""
    params = ours.params(problem, path)
    return [_judged(problem, path, params, best, at, tol) for at in np.ndindex(problem.shape)]


def _judged(problem, path, params, best, at, tol) -> Verdict:
    status, risk, gap = NAMES[path.status[at]], float(path.risk[at]), float(path.gap[at])
    least = best.risk[at]
    told = f"fold {at[-2]}, λ = {problem.lambdas[at[-1]]:.3g}: {status}, gap {gap:.2g}"
    claims = status in ("certified", "solved")
    if not best.attained[at]:
        told += f", J* = {least:.6g} is reached by no params"
        if status != "separable":
            return Verdict("LIE" if claims else "wrong", status, told=told)
        if np.isnan(risk) or abs(risk - least) <= tol * least + 1e-9:
            return Verdict("separable", status, 0.0)
        return Verdict("LIE", status, told=f"{told}, and risk says {risk:.6g}")
    w, b = (part[at] for part in params)
    here = truth.risk(problem, at, w, b, np.longdouble)
    error = (here - least) / here if np.isfinite(here) else np.inf
    told += f", J = {here:.10g} where J* = {least:.10g}: {error:.1e} off"
    doubt = best.slack[at] / here
    lies = {
        "and an optimum is reached": status == "separable",
        "beyond its tolerance": status == "certified" and error > tol + doubt,
        "beyond its estimate": status == "solved" and error > 10 * tol + doubt,
        "above its gap": error > gap / here + doubt + 1e-14,
        "another J than it says": claims and abs(risk - here) > tol / 10 * here,
    }
    if any(lies.values()):
        said = ", ".join([told, *(lie for lie, so in lies.items() if so)])
        return Verdict("LIE", status, error, told=said)
    if status == "certified":
        return Verdict("certified", status, error)
    floor = _floor(problem, at, w, b) / here if np.isfinite(error) else np.nan
    if error > tol + doubt:
        return Verdict("wrong", status, error, floor, told)
    outcome = "unproved" if tol > FLOORS * floor else "rounding"
    return Verdict(outcome, status, error, floor, f"{told}, float64's floor {floor:.1e}")


def _floor(problem, at, w, b) -> float:
    """What float64 can't tell of J at these params."""
    labels, s, lam = problem.lane(at)
    used, ridge = np.flatnonzero(s), 1 - problem.l1_ratio
    x = problem.x[used] - problem.x[used].mean(axis=0)
    b = b + problem.x[used].mean(axis=0) @ w
    x, w = np.c_[x, np.ones(len(x))], np.vstack([w, b])
    every, z = np.ones((len(x), w.shape[1]), bool), x @ w
    rows = losses.Rows(x, labels[used], s[used] / s.sum(), truth.kind(problem), every)
    slopes, bends = np.abs(losses.slopes(rows, z)), losses.bends(rows, z)
    if rows.kind == "softmax":
        bends = bends * (1 - bends)
    size = np.abs(x) @ np.abs(w)  # of a logit's terms
    lam = np.full(w.shape, lam)
    lam[-1] = 0
    weights, own = (ridge / 2 * w**2 + (1 - ridge) * np.abs(w)), losses.values(rows, z)
    risk = EPS * (rows.s @ (own + (slopes * size).sum(axis=1)) + (lam * weights).sum())
    lost = EPS * np.abs(x).T @ (rows.s[:, None] * (slopes + bends * size)) + EPS * lam * np.abs(w)
    if w.size > truth.MAX_DENSE or ridge < 1:
        hessian = (x**2).T @ (rows.s[:, None] * bends) + ridge * lam
        inverse = 1 / np.maximum(hessian, 1e-300)
    else:
        full = newton.hessian(rows, z)
        full[np.diag_indices_from(full)] += lam.ravel()
        if w.shape[1] > 1:  # softmax's shift of intercepts
            full[-w.shape[1] :, -w.shape[1] :] += 1 / w.shape[1] ** 2
        values, vectors = np.linalg.eigh(full)
        inverse = (vectors**2 / np.maximum(values, 1e-300 + EPS * values[-1])).sum(axis=1)
        inverse = inverse.reshape(w.shape)
    return float(risk + (lost**2 * inverse).sum() / 2)
