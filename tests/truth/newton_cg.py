"""Softmax regression too large for a Hessian: Newton by conjugate gradients, in numpy.

Gradients and values in float64; products with the Hessian in float32, since they only choose the
direction. The metric is each class's own Hessian, taken where the path last was, projected onto
directions that sum to zero over classes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.linalg

from tests.truth import losses

PRECISION = 1e-10  # estimated distance left, relative to the objective
MAX_STEPS = 200
MAX_PRODUCTS = 250


def path(x, labels, weights, lambdas, checkpoint: Path) -> Iterator[tuple[float, float, bool]]:
    """(objective, estimate of what is left, True) per penalty, which fall.

    What is found is kept in `checkpoint` after each penalty.
    """
    x = np.c_[x, np.ones(len(x))]
    every = np.ones((len(x), labels.max() + 1), bool)
    rows = losses.Rows(x, labels, weights / weights.sum(), "softmax", every)
    narrow = x.astype(np.float32)
    found, points = [], [np.zeros((x.shape[1], every.shape[1]))]
    if checkpoint.exists():
        kept = np.load(checkpoint)
        found, points = kept["found"].tolist(), list(kept["points"])
    for lam in lambdas[len(found) :]:
        # On by half the last move: penalties are even in their logarithm.
        start = points[-1] if len(points) < 2 else 1.5 * points[-1] - 0.5 * points[-2]
        theta, value, left = _newton(rows, narrow, lam, start)
        points = [*points[-1:], theta]
        found.append((value, left))
        np.savez(checkpoint, found=found, points=points)
        print(f"λ = {lam:.2e}: {value:.12f}, {left / value:.0e} left", flush=True)
    return ((value, left, True) for value, left in found)


def _newton(rows, narrow, lam, theta):
    """Optimum, its objective, and half the squared decrement there."""

    def objective(theta, z):
        return rows.s @ losses.values(rows, z) + lam / 2 * (theta[:-1] ** 2).sum()

    for step_number in range(MAX_STEPS):
        z = rows.x @ theta
        value, p = objective(theta, z), losses.bends(rows, z)
        gradient = rows.x.T @ (rows.s[:, None] * losses.slopes(rows, z))
        gradient[:-1] += lam * theta[:-1]
        if step_number % 6 == 0:
            metric = _metric(rows, narrow, p, lam)
        step = _direction(rows, narrow, p, lam, gradient, metric)
        left = (step * gradient).sum() / 2
        if left <= PRECISION * value:
            return theta, value, left
        move, size = rows.x @ step, 1.0
        while objective(theta - size * step, z - size * move) > value - 0.1 * size * left:
            size /= 2
            if size < 1e-6:
                return theta, value, left
        theta = theta - size * step
    raise RuntimeError(f"no end in {MAX_STEPS} steps; {left:.1e} of {value:.3e} left at λ = {lam}")


def _metric(rows, narrow, p, lam):
    """Factors of each class's Hessian [P, P], with a little added for columns without variance."""
    factors = []
    for weight in (rows.s[:, None] * p * (1 - p)).astype(np.float32).T:
        root = narrow * np.sqrt(weight)[:, None]
        full = (root.T @ root).astype(np.float64)
        full[np.diag_indices_from(full)] += lam + 1e-7 * np.trace(full) / len(full)
        factors.append(scipy.linalg.cho_factor(full))
    return factors


def _direction(rows, narrow, p, lam, gradient, metric):
    """Newton's step [P, C] by conjugate gradients."""
    p, s = p.astype(np.float32), rows.s.astype(np.float32)[:, None]

    def product(v):
        pu = p * (narrow @ v.astype(np.float32))
        back = (narrow.T @ (s * (pu - p * pu.sum(axis=1, keepdims=True)))).astype(np.float64)
        back[:-1] += lam * v[:-1]
        return back

    def solve(r):
        r = r - r.mean(axis=1, keepdims=True)
        columns = [scipy.linalg.cho_solve(f, c) for f, c in zip(metric, r.T, strict=True)]
        z = np.stack(columns, axis=1)
        return z - z.mean(axis=1, keepdims=True)

    step, r = np.zeros_like(gradient), gradient.copy()
    d = z = solve(r)
    rz = first = (r * z).sum()
    for _ in range(MAX_PRODUCTS):
        hd = product(d)
        size = rz / (d * hd).sum()
        step, r = step + size * d, r - size * hd
        z = solve(r)
        rz, last = (r * z).sum(), rz
        if rz <= 1e-3 * first:
            break
        d = z + rz / last * d
    return step
