"""A judge of paths: every lane's status, risk and gap against the witness in `truth`."""

import collections
import time
import traceback
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import Batch, losses, paths
from tests import truth

KNOWN = 0.1  # of tol: a truth between closer bounds is known


class Case(NamedTuple):
    """A problem as it is handed to `paths.fit`, and what went into it."""

    x: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    folds: np.ndarray
    lambdas: np.ndarray
    kind: str
    num_classes: int | None
    l1_ratio: float
    tol: float
    notes: tuple


class Verdict(NamedTuple):
    """Of lane (fold, k): its status, (J - J*) / (tol J), whether the truth is known, and faults.

    A lie is a fault that a reader would believe; the others are lanes that were left too early.
    """

    fold: int
    k: int
    status: str
    error: float
    known: bool
    lies: list[str]
    others: list[str]
    detail: str


def smooth_distance(logit, label):
    """A user's own convex loss: about |z - y| far away, and (z - y)²/2 near 0."""
    return jnp.sqrt(1 + (logit - label) ** 2) - 1


LOSSES = {
    "log_loss": losses.log_loss,
    "softmax": losses.softmax_cross_entropy,
    "squared_error": losses.squared_error,
    "a user's": smooth_distance,
}


def fitted(case: Case) -> paths.Path:
    """The path that is to be judged."""
    return paths.fit(
        Batch(case.x, case.labels, case.weights),
        case.lambdas,
        loss=LOSSES[case.kind],
        l1_ratio=case.l1_ratio,
        fold_weights=case.folds,
        tol=case.tol,
        num_classes=case.num_classes,
    )


def judged(case: Case, path: paths.Path, folds=None) -> list[Verdict]:
    """A verdict on every lane, or on those of some folds."""
    lanes = np.ndindex(*path.status.shape)
    return [_judged(case, path, *at) for at in lanes if folds is None or at[0] in folds]


def _judged(case, path, f, k) -> Verdict:
    lam, s = case.lambdas[k], case.weights / case.weights.max() * case.folds[f]
    problem = case.x, case.labels, s
    best = truth.optimum(*problem, case.kind, case.num_classes, lam, case.l1_ratio)
    status = paths.Status(path.status[f, k]).name
    risk, gap = path.risk[f, k], path.gap[f, k]
    params = path.params["w"][f, k], path.params["b"][f, k]
    here = truth.objective(*problem, params, case.kind, lam, case.l1_ratio)
    floor = 1e-14 * (1.0 if case.kind != "squared_error" else _spread(case.labels, s))
    error = max(here - best.risk, 0) if np.isfinite(here) else np.inf
    relative = max(error - floor, 0) / max(case.tol * here, 1e-300) if error < np.inf else np.inf
    lies, others = [], []
    if status == "separable":
        relative = 0.0
        if best.attained:
            lies.append("separable, where an optimum is attained")
        low, high = best.bound * (1 - 10 * case.tol), best.risk * (1 + 10 * case.tol)
        if not (np.isnan(risk) or low - 1e-9 <= risk <= high + 1e-9):
            # With a penalty the gap says how far it is; without one a risk is an estimate.
            said = others if lam == 0 or risk - best.risk <= gap else lies
            said.append("separable, with a risk that is not the infimum")
    elif best.attained is False:
        said = lies if status in ("certified", "solved") else others
        said.append(f"no finite optimum, and {status}")
    else:
        if relative > {"certified": 1, "solved": 10}.get(status, np.inf):
            lies.append(f"{status} too far from the optimum")
        if relative > 1 and status in ("stalled", "budget", "nan"):
            others.append(f"{status} while the risk falls")
        if error > gap + 1e-9 * here + floor:
            lies.append("a gap below the error")
        if not abs(risk - here) <= 0.1 * case.tol * here + floor and status != "nan":
            said = lies if status in ("certified", "solved") else others  # which claim nothing
            said.append("a risk that is not J at the params")
        if here < best.bound * (1 - 1e-9) - floor:
            others.append("a risk below the dual's: the judge is wrong")
    return Verdict(
        f,
        k,
        status,
        relative,
        best.risk - best.bound <= KNOWN * case.tol * best.risk + floor,
        lies,
        others,
        f"{status}, λ = {lam:.3g}: risk {risk:.10g}, J at its params {here:.10g}, infimum in"
        f" [{best.bound:.10g}, {best.risk:.10g}], gap {gap:.2g}, decrement"
        f" {path.decrement[f, k]:.2g}, {path.num_steps[f, k]} steps",
    )


def _spread(labels, s):
    s = s / s.sum()
    return s @ (labels - s @ labels) ** 2


def survey(name: str, cases, folds=None) -> tuple[int, int]:
    """Fits and judges (seed, case) pairs, and prints faults and a summary.

    Returns the number of lies, and of lanes that were left too early.
    """
    counts, faults, worst = collections.Counter(), collections.Counter(), {}
    unknown, lies, left, started = 0, 0, 0, time.time()
    for number, (seed, case) in enumerate(cases, start=1):
        if number % 100 == 0:  # rows without weight are absent: many problems, many shapes
            jax.clear_caches()
        shape = (*case.x.shape, case.num_classes, len(case.folds))
        head = f"{name} {seed} {case.kind} {shape} α={case.l1_ratio:g}"
        try:
            path = fitted(case)
        except Exception as error:
            expected = isinstance(error, ValueError) and "nothing to tell apart" in str(error)
            counts["refused" if expected else "RAISED"] += path_size(case)
            lies += not expected
            text = str(error) if expected else traceback.format_exc(limit=-2)
            print(f"{head}: {'refused' if expected else 'LIE: raised'}: {text}", flush=True)
            continue
        seen = collections.Counter()
        for verdict in judged(case, path, folds):
            counts[verdict.status] += 1
            unknown += not verdict.known
            lies += len(verdict.lies)
            left += len(verdict.others)
            worst[verdict.status] = max(worst.get(verdict.status, 0), verdict.error)
            for fault in verdict.lies + verdict.others:
                faults[fault] += 1
                seen[fault] += 1
                if seen[fault] == 1:
                    lie = "LIE: " if fault in verdict.lies else ""
                    print(
                        f"{head} lane {verdict.fold},{verdict.k}: {lie}{fault}: {verdict.detail}"
                        f" [{'; '.join(case.notes)}]",
                        flush=True,
                    )
    print(
        f"== {name}: {dict(counts)}, truth not known for {unknown}; {time.time() - started:.0f} s"
    )
    print(f"   {lies} lies; faults: {dict(faults)}")
    print(f"   largest (J - J*) / tol J: { {s: float(f'{e:.3g}') for s, e in worst.items()} }")
    return lies, left


def path_size(case: Case) -> int:
    """How many lanes a case has."""
    return len(case.folds) * len(case.lambdas)
