"""What became of every lane: certified, separable, explained by rounding, or a fault.

A lane that isn't certified is explained where the tolerance asks for more than float64 tells of
this objective: its floor is what J, and half of Newton's decrement squared, lose by one rounding
of every loss, every product of a row with the weights, and every weight's slope, columns centred.
"""

from typing import NamedTuple

import numpy as np

from experiments.benchmarks.paths import zoo_truth
from experiments.benchmarks.paths.zoo_problems import Case

NAMES = ("certified", "solved", "stalled", "budget", "separable", "nan")
EPS = np.finfo(np.float64).eps
FLOORS = 100  # roundings that a bound may add up before the tolerance counts as out of reach


class Verdict(NamedTuple):
    """Of one lane.

    Attributes:
      outcome: certified, separable or rounding; or, as faults, "unproved" (right, without proof),
        "wrong" (the error is above the tolerance) and "LIE" (what is claimed is not so).
      status: as the lane says.
      error: (J - J*) / J at its params.
      floor: of float64, relative; NaN where it wasn't needed.
      told: one line, of a fault.
    """

    outcome: str
    status: str
    error: float
    floor: float
    told: str


FAULTS = ("unproved", "wrong", "LIE")


def judged(case: Case, path, truth: zoo_truth.Truth, tol: float = 1e-6) -> list[Verdict]:
    """A verdict on every lane of a `paths.Path` with axes [F, K]."""
    return [_judged(case, path, truth, at, tol) for at in np.ndindex(truth.risk.shape)]


def _judged(case, path, truth, at, tol) -> Verdict:
    f, k = at
    status = NAMES[path.status[at]]
    least, slack = truth.risk[at], truth.slack[at]
    risk, gap = float(path.risk[at]), float(path.gap[at])
    w = path.params["w"][at].reshape(case.x.shape[1], -1)
    b = path.params["b"][at].reshape(-1)
    where = f"fold {f}, λ = {case.lambdas[k]:.3g}: {status}, gap {gap:.2g}"
    if not truth.attained[at]:
        finite = status in ("certified", "solved")
        told = f"{where}, J* = {least:.6g} is reached by no params"
        if status == "separable" and (np.isnan(risk) or abs(risk - least) <= tol * least + 1e-9):
            return Verdict("separable", status, 0.0, np.nan, "")
        if status == "separable":
            return Verdict("LIE", status, np.nan, np.nan, f"{told}, and risk says {risk:.6g}")
        return Verdict("LIE" if finite else "wrong", status, np.nan, np.nan, told)
    with np.errstate(all="ignore"):
        here = zoo_truth.risk(case, case.folds[f], k, w, b)
    error = float((here - least) / here) if np.isfinite(here) else np.inf
    told = f"{where}, J = {float(here):.10g} where J* = {least:.10g}: {error:.1e} off"
    doubt = float(slack / here)
    if status == "separable":
        return Verdict("LIE", status, error, np.nan, told + ", and an optimum is reached")
    lies = {
        "beyond its tolerance": status == "certified" and error > tol + doubt,
        "beyond its estimate": status == "solved" and error > 10 * tol + doubt,
        "above its gap": error > gap / float(here) + doubt + 1e-14,
        "another J than it says": status in ("certified", "solved")
        and abs(risk - float(here)) > tol / 10 * float(here),
    }
    if any(lies.values()):
        return Verdict("LIE", status, error, np.nan, told + ", " + ", ".join(_true(lies)))
    if status == "certified":
        return Verdict("certified", status, error, np.nan, "")
    floor = _floor(case, f, k, w, b) / float(here) if np.isfinite(error) else np.nan
    if error > tol + doubt:
        return Verdict("wrong", status, error, floor, told)
    reach = tol > FLOORS * floor
    told += f", float64's floor {floor:.1e}"
    return Verdict("unproved" if reach else "rounding", status, error, floor, told)


def _true(named: dict) -> list[str]:
    return [name for name, so in named.items() if so]


def _floor(case, f, k, w, b) -> float:
    """What float64 can't tell of J at these params."""
    s = case.weights * case.folds[f]
    used = np.flatnonzero(s)
    s = s[used] / s.sum()
    centre = case.x[used].mean(axis=0)
    x, b = case.x[used] - centre, b + centre @ w
    x, w = np.c_[x, np.ones(len(x))], np.vstack([w, b])
    y, z = zoo_truth.targets(case)[used], x @ w
    p = zoo_truth.probabilities(z)
    size = np.abs(x) @ np.abs(w)  # of a logit's terms
    lam = np.full(w.shape, case.lambdas[k])
    lam[-1] = 0
    slopes, bends = np.abs(p - y), p * (1 - p)
    risk = EPS * (s @ (zoo_truth.losses(z, y) + (slopes * size).sum(axis=1)))
    risk += EPS * case.lambdas[k] * zoo_truth.penalty(w[:-1], case.l1_ratio)
    lost = EPS * np.abs(x).T @ (s[:, None] * (slopes + bends * size)) + EPS * lam * np.abs(w)
    hessian = (x**2).T @ (s[:, None] * bends) + lam * (1 - case.l1_ratio)
    if w.size > zoo_truth.MAX_DENSE or case.l1_ratio > 0:
        inverse = 1 / np.maximum(hessian, 1e-300)
    else:
        rows = zoo_truth.Rows(x, y, s)
        full = zoo_truth.hessian(rows, p, lam[:-1])
        values, vectors = np.linalg.eigh(full)
        inverse = (vectors**2 / np.maximum(values, 1e-300 + EPS * values[-1])).sum(axis=1)
        inverse = inverse.reshape(w.T.shape).T
    return float(risk + (lost**2 * inverse).sum() / 2)
