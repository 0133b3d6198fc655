"""Softmax regression too large for a Hessian: Newton by conjugate gradients, in numpy.

Gradients and values in float64; products with the Hessian in float32, since they only choose the
direction. The metric is each class's own Hessian, taken where the path last was, projected onto
directions that sum to zero over classes.
"""

from pathlib import Path

import numpy as np
import scipy.linalg

PRECISION = 1e-10  # estimated distance left, relative to the objective
MAX_STEPS = 200
MAX_PRODUCTS = 250


def path(x, labels, lambdas, checkpoint: Path) -> list[tuple[float, float]]:
    """(objective, relative estimate of what is left) per penalty, which fall.

    x [N, P] has ones as its last column. What is found is kept in `checkpoint` after each penalty.
    """
    y = np.eye(labels.max() + 1)[labels]
    narrow = x.astype(np.float32)
    found, points = [], [np.zeros((x.shape[1], y.shape[1]))]
    if checkpoint.exists():
        kept = np.load(checkpoint)
        found, points = [tuple(pair) for pair in kept["found"]], list(kept["points"])
    for lam in lambdas[len(found) :]:
        theta, value, left = _newton(x, narrow, y, lam, _start(points))
        points = [*points[-1:], theta]
        found.append((value, left / value))
        np.savez(checkpoint, found=found, points=points)
        print(f"λ = {lam:.2e}: {value:.12f}, {left / value:.0e} left", flush=True)
    return found


def _start(points):
    """The last point, moved on by half the last move: penalties are even in their logarithm."""
    return points[-1] if len(points) < 2 else 1.5 * points[-1] - 0.5 * points[-2]


def _newton(x, narrow, y, lam, theta):
    """Optimum, its objective, and half the squared decrement there."""
    metric = None
    for step_number in range(MAX_STEPS):
        p, value, gradient = _look(x, y, lam, theta)
        if metric is None or step_number % 6 == 5:
            metric = _metric(narrow, p, lam)
        step, decrement = _direction(narrow, p, lam, gradient, metric)
        left = decrement / 2
        if left <= PRECISION * value:
            return theta, value, left
        size = 1.0
        while _look(x, y, lam, theta - size * step, value_only=True) > value - 0.1 * size * left:
            size /= 2
            if size < 1e-6:
                return theta, value, left
        theta = theta - size * step
    raise RuntimeError(f"no end in {MAX_STEPS} steps; {left:.1e} of {value:.3e} left at λ = {lam}")


def _look(x, y, lam, theta, value_only=False):
    """Probabilities [N, C], objective and gradient [P, C]; or the objective alone."""
    z = x @ theta
    top = z.max(axis=1, keepdims=True)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    value = (np.log(total[:, 0]) + top[:, 0] - (z * y).sum(axis=1)).mean()
    value += lam / 2 * (theta[:-1] ** 2).sum()
    if value_only:
        return value
    p = e / total
    gradient = x.T @ (p - y) / len(x)
    gradient[:-1] += lam * theta[:-1]
    return p, value, gradient


def _metric(narrow, p, lam):
    """Factors of each class's Hessian [P, P], with a little added for columns without variance."""
    factors = []
    for weight in (p * (1 - p)).astype(np.float32).T / len(p):
        root = narrow * np.sqrt(weight)[:, None]
        full = (root.T @ root).astype(np.float64)
        full[np.diag_indices_from(full)] += lam + 1e-7 * np.trace(full) / len(full)
        factors.append(scipy.linalg.cho_factor(full))
    return factors


def _direction(narrow, p, lam, gradient, metric):
    """Newton's step [P, C] by conjugate gradients, and gradient · step."""
    p32 = p.astype(np.float32)

    def product(v):
        u = narrow @ v.astype(np.float32)
        pu = p32 * u
        back = narrow.T @ (pu - p32 * pu.sum(axis=1, keepdims=True)) / np.float32(len(p))
        back = back.astype(np.float64)
        back[:-1] += lam * v[:-1]
        return back

    def solve(r):
        r = r - r.mean(axis=1, keepdims=True)
        columns = [scipy.linalg.cho_solve(f, c) for f, c in zip(metric, r.T, strict=True)]
        z = np.stack(columns, axis=1)
        return z - z.mean(axis=1, keepdims=True)

    step, r = np.zeros_like(gradient), gradient.copy()
    z = solve(r)
    d, rz = z, (r * z).sum()
    first = rz
    for _ in range(MAX_PRODUCTS):
        hd = product(d)
        size = rz / (d * hd).sum()
        step, r = step + size * d, r - size * hd
        z = solve(r)
        rz, last = (r * z).sum(), rz
        if rz <= 1e-3 * first:
            break
        d = z + rz / last * d
    return step, (step * gradient).sum()
