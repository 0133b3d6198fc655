"""Random path problems, and a judge of every lane's status against `truth`.

    python -m tests.random_paths --family lasso --seeds 0 500

prints each lie with what makes it again (`--family F --seeds S S+1`), and a summary.
"""

import argparse
import collections
import time
import traceback
from typing import NamedTuple

import numpy as np

from tests import truth

SHAPES = {  # (N, D, C, F): few, since each compiles its own programs
    "log_loss": [(5, 3, None, 1), (24, 5, None, 3), (90, 20, None, 2), (14, 40, None, 2)],
    "softmax": [(24, 5, 3, 3), (90, 8, 7, 2), (14, 30, 3, 1)],
    "squared_error": [(24, 5, None, 3), (90, 20, None, 2), (14, 40, None, 2)],
}
LARGER = {
    "log_loss": [(400, 60, None, 2)],
    "softmax": [(200, 6, 30, 2), (400, 30, 3, 2)],
    "squared_error": [(400, 60, None, 2)],
}
NUM_LAMBDAS = 5
RATIOS = {"ridge": [0.0], "elastic": [1e-3, 0.1, 0.5, 0.9, 0.999], "lasso": [1.0]}


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


class Fault(NamedTuple):
    """What is wrong with lane (fold, k); `lie` is False where a status is honest but too early."""

    what: str
    lie: bool
    fold: int
    k: int
    detail: str


def case(family: str, seed: int, shapes=None) -> Case:
    """A random problem of "ridge", "elastic" or "lasso"."""
    rng = np.random.default_rng([seed, sum(map(ord, family))])
    if shapes is None:
        shapes = [(k, s) for k in SHAPES for s in SHAPES[k] + (LARGER[k] if seed % 5 == 0 else [])]
    kind, (n, d, num_classes, num_folds) = shapes[rng.integers(len(shapes))]
    notes = []
    x = _columns(rng, n, d, notes)
    labels = _labels(rng, x, kind, num_classes, notes)
    x = _spoilt(rng, x, labels, notes)
    weights = _weights(rng, n, notes)
    folds = _folds(rng, n, num_folds, labels, kind, weights, notes)
    l1_ratio = float(rng.choice(RATIOS[family]))
    lambdas = _lambdas(rng, x, labels, weights, kind, l1_ratio, notes)
    return Case(
        x, labels, weights, folds, lambdas, kind, num_classes, l1_ratio, 1e-6, tuple(notes)
    )


def _columns(rng, n, d, notes):
    """[n, d] of one design."""
    design = rng.choice(["normal", "alike", "whole", "dummies", "heavy"])
    notes.append(str(design))
    if design == "normal":
        return rng.normal(size=(n, d))
    if design == "alike":
        return rng.normal(size=(n, 1)) * rng.choice([1, 10]) + rng.normal(size=(n, d))
    if design == "whole":
        return rng.poisson(2.0, size=(n, d)).astype(float)
    if design == "dummies":
        p = rng.pareto(0.7, d) + 0.002
        x = np.eye(d)[rng.choice(d, n, p=p / p.sum())]
        x[:, : d // 3] = rng.normal(size=(n, d // 3))
        return x
    return rng.standard_t(1.5, size=(n, d))


def _labels(rng, x, kind, num_classes, notes):
    sd = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1)
    size = rng.choice([0.0, 0.3, 1, 3, 30])
    notes.append(f"signal {size:g}")
    scores = z @ rng.normal(size=(x.shape[1], num_classes or 1)) * size / np.sqrt(x.shape[1])
    if kind == "squared_error":
        y = scores[:, 0] + rng.choice([0.0, 0.1, 1.0], p=[0.1, 0.4, 0.5]) * rng.normal(size=len(x))
        return y * rng.choice([1, 1, 1e-3, 1e3]) + rng.choice([0, 0, 1e3])
    noise = rng.gumbel(size=scores.shape) * rng.choice([0, 1], p=[0.2, 0.8])
    if kind == "softmax":
        y = (scores + noise + rng.choice([0, 2]) * rng.normal(size=num_classes)).argmax(axis=1)
        # Mostly each class has a row.
        for c in range(num_classes):
            if not np.any(y == c) and rng.random() < 0.95:
                y[rng.integers(len(y))] = c
        if len(np.unique(y)) < 2:
            y[:2] = 0, 1
        return y.astype(np.int32)
    p = scores[:, 0] + rng.logistic(size=len(x)) * np.any(noise != 0) - rng.choice([0, 0, 2])
    if rng.random() < 0.15:
        notes.append("soft labels")
        return np.clip(1 / (1 + np.exp(-np.clip(p, -30, 30))), 0, 1).round(2)
    y = (p > 0).astype(np.float64)
    if y.min() == y.max():
        y[0] = 1 - y[0]
    return y


def _spoilt(rng, x, labels, notes):
    """A few of the things that columns have."""
    d = x.shape[1]
    things = ["constant", "twice", "nearly twice", "scales", "offset", "sum", "powers", "tells"]
    for thing in rng.choice(things, rng.integers(0, 4), replace=False):
        j, k = rng.choice(d, 2, replace=False)
        sd = np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
        if thing == "constant":
            x[:, j] = rng.choice([0, 1, 0.1, -3e7])
        elif thing == "twice":
            x[:, j] = x[:, k] * rng.choice([1, 1, -2])
        elif thing == "nearly twice":
            noise = rng.choice([1e-9, 1e-6, 1e-3])
            x[:, j] = x[:, k] + noise * sd[k] * rng.normal(size=len(x))
            thing = f"nearly twice {noise:g}"
        elif thing == "scales":
            big = rng.choice([1, 3, 8])
            x = x * 10 ** rng.uniform(-big, big, d)
            thing = f"scales 1e±{big}"
        elif thing == "offset":
            size = 10 ** rng.integers(0, 10)
            x = x + size * sd * (rng.random(d) < rng.choice([0.2, 1]))
            thing = f"offset {size:g} sd"
        elif thing == "sum":
            x[:, j] = x.sum(axis=1) - x[:, j]
        elif thing == "powers":
            top = min(d, 7)
            x[:, :top] = (x[:, k] / sd[k])[:, None] ** np.arange(1, top + 1)
        elif thing == "tells":
            x[:, j] = labels + rng.choice([0, 0.1]) * rng.normal(size=len(x))
        notes.append(str(thing))
    return x


def _weights(rng, n, notes):
    how = rng.choice(["ones", "ones", "random", "tiny", "counts", "huge"])
    notes.append(f"weights {how}")
    if how == "random":
        return rng.exponential(size=n) + 1e-3
    if how == "tiny":
        return 10 ** rng.uniform(-6, 0, n)
    if how == "counts":
        out = rng.poisson(1.0, n).astype(float)
        return out if out.sum() > 2 else np.ones(n)
    return np.full(n, 1e300 if how == "huge" else 1.0)


def _folds(rng, n, num_folds, labels, kind, weights, notes):
    folds = (rng.integers(0, max(num_folds, 2) + 1, n) != np.arange(num_folds)[:, None]) * 1.0
    if num_folds == 1:
        folds[:] = 1
    if kind != "squared_error" and num_folds > 1 and rng.random() < 0.35:
        gone = rng.choice(np.unique(labels[labels == np.round(labels)]) if kind == "log_loss" else np.unique(labels))
        folds[0, labels == gone] = 0
        notes.append("a class missing from fold 0")
    for fold in folds:
        if np.count_nonzero(fold * weights) < 2:
            fold[:] = 1
    return folds


def _lambdas(rng, x, labels, weights, kind, l1_ratio, notes):
    """Descending from about where all is 0."""
    s = weights / weights.max()
    s = s / s.sum()
    y = labels if kind != "softmax" else labels == labels[0]
    steepest = np.abs((x - s @ x).T @ (s * (y - s @ y))).max() + 1e-12
    top = steepest / max(l1_ratio, 1e-3)
    if rng.random() < 0.3:
        top = 1.0
    low = 10 ** rng.uniform(-8, -2) * top
    out = np.geomspace(top, low, NUM_LAMBDAS)
    if rng.random() < 0.4:
        out[-1] = 0
        notes.append("λ = 0")
    return out


def moved(problem: Case, size: float) -> tuple[Case, Case]:
    """The problem, its columns rounded, and the same with `size` sd added to some: exactly."""
    rng = np.random.default_rng(problem.x.size)
    sd = problem.x.std(axis=0)
    # A power of two that is at least as many sd: what is added can be taken off again.
    offset = np.exp2(np.ceil(np.log2(size * np.where(sd > 0, sd, 1))))
    offset = offset * (rng.random(len(sd)) < rng.choice([0.3, 1]))
    away = problem.x + offset
    return problem._replace(x=away - offset), problem._replace(x=away)


def smooth_distance(logit, label):
    """A user's own convex loss: about |z - y| far away, and (z - y)²/2 near 0."""
    import jax.numpy as jnp

    return jnp.sqrt(1 + (logit - label) ** 2) - 1


def fitted(problem: Case):
    """The path that jaxlr finds."""
    from jaxlr import Batch, losses, paths

    loss = {
        "log_loss": losses.log_loss,
        "softmax": losses.softmax_cross_entropy,
        "squared_error": losses.squared_error,
        "a user's": smooth_distance,
    }[problem.kind]
    return paths.fit(
        Batch(problem.x, problem.labels, problem.weights),
        problem.lambdas,
        loss=loss,
        l1_ratio=problem.l1_ratio,
        fold_weights=problem.folds,
        tol=problem.tol,
        num_classes=problem.num_classes,
    )


class Lane(NamedTuple):
    """Of one lane: its status, (J - J*) / J* / tol, and whether the truth is known well enough."""

    status: str
    error: float
    known: bool


def judged(problem: Case, path, folds=None) -> tuple[list[Lane], list[Fault]]:
    """Every lane of all folds, or of some, against the truth."""
    from jaxlr.paths import Status

    lanes, faults = [], []
    c = problem
    for f, k in np.ndindex(*path.status.shape):
        if folds is not None and f not in folds:
            continue
        lam, s = c.lambdas[k], c.weights / c.weights.max() * c.folds[f]
        best = truth.optimum(c.x, c.labels, s, c.kind, c.num_classes, lam, c.l1_ratio)
        status = Status(path.status[f, k]).name
        params = path.params["w"][f, k], path.params["b"][f, k]
        here = np.inf
        if np.all(np.isfinite(params[0])) and np.all(np.isfinite(params[1])):
            here = truth.objective(c.x, c.labels, s, params, c.kind, lam, c.l1_ratio)
        least = min(best.risk, here)
        floor = 1e-14 * _scale(c, s)
        risk, gap = path.risk[f, k], path.gap[f, k]
        error = max(here - least, 0) if status != "separable" else np.nan
        limit = c.tol * here
        relative = (error - floor) / max(limit, 1e-300) if error > floor else 0.0
        known = best.risk - best.bound <= 0.1 * c.tol * best.risk + floor
        lanes.append(Lane(status, relative, known))

        def fault(what, lie=True, f=f, k=k, best=best, risk=risk, gap=gap, here=here, status=status):
            detail = (
                f"{status}, λ = {c.lambdas[k]:.3g}: risk {risk:.10g}, J at its params {here:.10g},"
                f" infimum in [{best.bound:.10g}, {best.risk:.10g}], gap {gap:.2g},"
                f" decrement {path.decrement[f, k]:.2g}, steps {path.num_steps[f, k]}"
            )
            faults.append(Fault(what, lie, f, k, detail))

        if here < best.bound - 1e-9 * abs(best.bound) - floor and status != "separable":
            fault("THE JUDGE IS WRONG", lie=False)
        if status == "separable":
            if best.attained:
                fault("separable, where an optimum is attained")
            elif not np.isnan(risk) and not (
                best.bound - 1e-9 <= risk * (1 + 10 * c.tol)
                and risk * (1 - 10 * c.tol) <= best.risk + 1e-9
            ):
                fault("separable, with a risk that is not the infimum")
            continue
        if best.attained is False:
            fault("no finite optimum, and not separable", lie=status in ("certified", "solved"))
            continue
        if status == "certified" and relative > 1:
            fault("certified beyond tol")
        if status == "solved" and relative > 10:
            fault("solved beyond 10 tol")
        if error > gap + 1e-9 * here + floor:
            fault("gap below the error")
        if not abs(risk - here) <= 1e-8 * here + floor and status != "nan":
            fault("risk is not J at the params")
        if status in ("stalled", "budget", "nan") and not relative <= 1:
            fault(f"{status} while the risk falls", lie=False)
    return lanes, faults


def _scale(problem, s):
    """The risk without features, or 1."""
    if problem.kind != "squared_error":
        return 1.0
    y = problem.labels
    mean = s @ y / s.sum()
    return s @ (y - mean) ** 2 / s.sum()


def survey(name, cases, verbose=True, folds=None):
    """Fits and judges (seed, case) pairs; prints faults and a summary. Returns the lies."""
    counts, kinds, worst, lies = collections.Counter(), collections.Counter(), {}, []
    unknown, started = 0, time.time()
    for seed, problem in cases:
        try:
            path = fitted(problem)
        except ValueError as refusal:
            counts["refused"] += problem.folds.shape[0] * len(problem.lambdas)
            print(f"{name} {seed}: refused: {refusal}", flush=True)
            continue
        except Exception:
            kinds["raised"] += 1
            lies.append((seed, problem, Fault("raised", True, 0, 0, "")))
            print(f"{name} {seed}: RAISED: {traceback.format_exc(limit=-2)}", flush=True)
            continue
        lanes, faults = judged(problem, path, folds)
        for lane in lanes:
            counts[lane.status] += 1
            unknown += not lane.known
            if np.isfinite(lane.error):
                worst[lane.status] = max(worst.get(lane.status, 0), lane.error)
        for fault in faults:
            kinds[fault.what] += 1
            if fault.lie:
                lies.append((seed, problem, fault))
        said = collections.Counter(fault.what for fault in faults)
        for fault in faults:
            if not verbose or not said[fault.what]:
                continue
            shape = (*problem.x.shape, problem.num_classes, len(problem.folds))
            print(
                f"{name} {seed} {problem.kind} {shape} α={problem.l1_ratio:g} lane"
                f" {fault.fold},{fault.k} (and {said.pop(fault.what) - 1} more):"
                f" {'LIE: ' if fault.lie else ''}{fault.what}:"
                f" {fault.detail} [{'; '.join(problem.notes)}]",
                flush=True,
            )
    print(f"== {name}: lanes {dict(counts)}; truth not known well for {unknown}")
    print(f"   faults {dict(kinds)}; {len(lies)} lies; {time.time() - started:.0f} s")
    for status, error in worst.items():
        print(f"   largest error of {status}: {error:.3g} tol", flush=True)
    return lies


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="lasso", choices=[*RATIOS, "all"])
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 100))
    options = parser.parse_args()
    for family in RATIOS if options.family == "all" else [options.family]:
        survey(family, ((seed, case(family, seed)) for seed in range(*options.seeds)))


if __name__ == "__main__":
    main()
