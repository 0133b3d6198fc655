"""What must make no difference to a path: an offset of a column, and what rows of weight 0 hold."""

import numpy as np

from jaxlr import paths
from tests.path_judge import Case, fitted
from tests.random_paths import case

SMALLEST = 1e-9  # a risk below this is 0 for all that an offset can do


def plain(seed: int, shapes=None) -> Case:
    """A random problem of any loss and l1_ratio, whose columns have no offsets of their own."""
    family = ["ridge", "elastic", "lasso"][seed % 3]
    for again in range(1000):
        problem = case(
            family, 1000 * seed + 1 + again, shapes, 5 if shapes is None else 4
        )  # not of the larger shapes
        if not any(n.startswith(("offset", "nearly", "constant")) for n in problem.notes):
            break
    if problem.kind == "squared_error" and seed % 2 and shapes is None:
        problem = problem._replace(kind="a user's")
    return problem


def moved(problem: Case, size: float) -> tuple[Case, Case]:
    """The problem, its columns rounded, and the same with `size` sd added to some: exactly."""
    rng = np.random.default_rng(problem.x.size)
    sd = problem.x.std(axis=0)
    # A power of two that is at least as many sd: what is added can be taken off again.
    offset = np.exp2(np.ceil(np.log2(size * np.where(sd > 0, sd, 1))))
    offset = offset * (rng.random(len(sd)) < rng.choice([0.3, 1]))
    away = problem.x + offset
    return problem._replace(x=away - offset), problem._replace(x=away)


def offsets(seeds, size: float, limit: float, shapes=None) -> int:
    """Prints where an offset of `size` sd changes a status, or a risk by more than `limit`."""
    count, changed, worst = 0, 0, 0.0
    for seed in seeds:
        problem = plain(seed, shapes)
        try:
            before, after = (fitted(each) for each in moved(problem, size))
        except ValueError as refusal:
            print(f"offset {size:g} {seed}: refused: {refusal}", flush=True)
            continue
        least = np.fmin(np.abs(before.risk), np.abs(after.risk))
        apart = np.abs(after.risk - before.risk) / np.maximum(least, SMALLEST)
        apart = np.where(np.isnan(before.risk) & np.isnan(after.risk), 0, apart)
        wrong = ~(apart <= limit) | (before.status != after.status)
        count, changed = count + wrong.size, changed + wrong.sum()
        worst = max(worst, np.nan_to_num(apart, nan=np.inf).max())
        for f, k in np.argwhere(wrong)[:1]:
            statuses = [paths.Status(path.status[f, k]).name for path in (before, after)]
            print(
                f"offset {size:g} {seed} {problem.kind} {problem.x.shape} α={problem.l1_ratio:g}"
                f" lane {f},{k} of {wrong.sum()}: {' -> '.join(statuses)}, risk"
                f" {before.risk[f, k]:.12g} -> {after.risk[f, k]:.12g}, λ ="
                f" {problem.lambdas[k]:.3g} [{'; '.join(problem.notes)}]",
                flush=True,
            )
    print(f"== offset {size:g}: {changed} of {count} lanes changed; largest change {worst:.2g}")
    return int(changed)


def absent(seeds, shapes=None) -> int:
    """Prints where what rows of weight 0 hold makes a difference."""
    changed = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        problem = plain(seed, shapes)
        weights = np.where(rng.random(len(problem.x)) < 0.3, 0, problem.weights)
        weights[:2] = problem.weights[:2]
        problem = problem._replace(weights=weights)
        gone = weights == 0
        x, labels = problem.x.copy(), problem.labels.copy()
        x[gone] = rng.choice([np.nan, np.inf, 1e300, -7.0], (gone.sum(), x.shape[1]))
        labels[gone] = -100 if problem.kind == "softmax" else rng.choice([np.nan, 99.0])
        try:
            clean = fitted(problem)
        except ValueError:
            continue
        try:
            dirty = fitted(problem._replace(x=x, labels=labels))
        except ValueError as refusal:
            changed += 1
            print(f"absent {seed} {problem.kind}: refused: {refusal}", flush=True)
            continue
        same = (clean.status == dirty.status) & np.isclose(clean.risk, dirty.risk, rtol=1e-9)
        same |= np.isnan(clean.risk) & np.isnan(dirty.risk)
        if not same.all():
            changed += 1
            print(f"absent {seed} {problem.kind}: {clean.risk} -> {dirty.risk}", flush=True)
    print(f"== absent: {changed} of {len(seeds)} paths changed")
    return changed
