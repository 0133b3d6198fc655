"""The optimum of every lane by numpy in float64: the witness of the path benchmark, without jax.

Newton's method with the full Hessian, by Cholesky, or by conjugate gradients where that is too
large; rows fewer than features are rotated to their span first. With an l1 penalty the barrier
method of Koh, Kim and Boyd (2007), its bounds |w| <= u eliminated: the centre for weight t of the
barrier is within 2 D C t of the optimum. Found optima are kept in files named by their problem.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.linalg

from experiments.benchmarks.paths import newton_cg
from experiments.benchmarks.paths.problems import Problem

PRECISION = 1e-10  # of a truth, relative
MAX_DENSE = 1500  # parameters of a Hessian that is factored
MAX_STEPS = 300


class Truth(NamedTuple):
    """The least objective [T, F, K], and how far above the optimum it may be, relative."""

    risk: np.ndarray
    error: np.ndarray


class Rows(NamedTuple):
    """Training rows of a fold with a last column of ones [n, P], and targets [n, C]."""

    x: np.ndarray
    y: np.ndarray


def optimum(problem: Problem, folder: Path, report=print) -> Truth:
    """The truth of a problem: from its file in `folder`, or found and put there."""
    file = folder / f"{problem.name}-{problem.key()}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for labels in problem.labels:
            for trains in problem.trains:
                paths.append(_path(problem, labels, trains, file.with_suffix(".part.npz")))
                report(f"{problem.name}: optimum of path {len(paths)} found", flush=True)
        shape = (len(problem.labels), len(problem.trains), len(problem.C), 2)
        found = np.array(paths).reshape(shape)
        np.savez(file, risk=found[..., 0], error=found[..., 1])
    kept = np.load(file)
    return Truth(kept["risk"], kept["error"])


def risk(problem: Problem, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Objective [T, F, K] of weights w [T, F, K, D, C] and intercepts b [T, F, K, C]."""
    found = np.empty(w.shape[:3])
    a = problem.l1_ratio
    for t, f, k in np.ndindex(found.shape):
        z = problem.x @ w[t, f, k] + b[t, f, k]
        trains = problem.trains[f]
        loss = _losses(z[trains], targets(problem.labels[t][trains], problem.num_classes)).mean()
        size = (1 - a) / 2 * (w[t, f, k] ** 2).sum() + a * np.abs(w[t, f, k]).sum()
        found[t, f, k] = loss + problem.lambdas[k] * size
    return found


def targets(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """[n, 1] of 0 and 1 for two classes, one-hot [n, C] for more."""
    if num_classes == 2:
        return labels[:, None].astype(float)
    return np.eye(num_classes)[labels]


def _path(problem, labels, trains, checkpoint) -> list[tuple[float, float]]:
    """(risk, relative error) of each penalty of one target and fold, from strong to weak."""
    x = problem.x[trains]
    if len(x) < x.shape[1] and problem.l1_ratio == 0:  # the ridge optimum lies in the rows' span
        x = x @ np.linalg.svd(x, full_matrices=False)[2].T
    rows = Rows(
        np.concatenate([x, np.ones((len(x), 1))], axis=1),
        targets(labels[trains], problem.num_classes),
    )
    size = rows.x.shape[1] * rows.y.shape[1]
    if size > MAX_DENSE and problem.l1_ratio == 0:
        return newton_cg.path(rows.x, labels[trains], problem.lambdas, checkpoint)
    theta, hessian, found = np.zeros((rows.x.shape[1], rows.y.shape[1])), None, []
    for lam in problem.lambdas:
        if problem.l1_ratio == 0:
            theta, value, left, hessian = _newton(rows, _ridge(lam), theta, hessian)
        else:
            theta, value, left = _barrier(rows, lam, problem.l1_ratio, theta)
        found.append((value, left / value))
    return found


def _ridge(lam):
    """Value, slope and curvature of the penalty, elementwise on weights."""
    return lambda w: (lam / 2 * w**2, lam * w, np.full_like(w, lam))


def _smoothed(lam, a, t):
    """The elastic net with t's barrier: |w| as seen by the best u of -t log(u² - w²)."""
    c = t / (lam * a)

    def penalty(w):
        s = np.sqrt(c**2 + w**2)
        u = c + s
        value = lam * (1 - a) / 2 * w**2 + lam * a * u - t * np.log(2 * c * u)
        return value, lam * (1 - a) * w + lam * a * w / u, lam * (1 - a) + lam * a * c / (s * u)

    return penalty


def _barrier(rows, lam, a, theta):
    """Weights, objective and bound on what is left, of an elastic net."""
    t, size, hessian, last = 1e-2, theta.size, None, False
    while True:
        enough = None if last else size * t / 10
        theta, _, left, hessian = _newton(rows, _smoothed(lam, a, t), theta, hessian, enough)
        w = theta[:-1]
        value = _losses(rows.x @ theta, rows.y).mean()
        value += lam * ((1 - a) / 2 * (w**2).sum() + a * np.abs(w).sum())
        if last:
            return theta, value, 2 * size * t + left
        goal = PRECISION * value / (2.1 * size)
        t, last = max(t / 10, goal), t / 10 <= goal


def _newton(rows, penalty, theta, hessian, enough=None):
    """Weights, value, half the squared decrement, and the last Hessian of the loss.

    A Hessian serves until the decrement falls by less than ten in a step; the last is fresh,
    unless `enough` says how far from the minimum is near enough.
    """
    before, fresh = np.inf, False
    if hessian is None:
        hessian, fresh = _hessian(rows, theta), True
    for _ in range(MAX_STEPS):
        z = rows.x @ theta
        value, slope, curvature = penalty(theta[:-1])
        value = _losses(z, rows.y).mean() + value.sum()
        gradient = rows.x.T @ (_probabilities(z) - rows.y) / len(rows.x)
        gradient[:-1] += slope
        step = _solve(hessian, curvature, gradient)
        left = (step * gradient).sum() / 2
        if left <= enough if enough else fresh and left <= PRECISION / 100 * abs(value):
            return theta, value, left, hessian
        if left > before / 10 and not fresh:
            hessian, fresh = _hessian(rows, theta), True
            continue
        size = _step_size(rows, penalty, theta, z, step, value, left)
        if size is None and fresh:  # rounding: no value below this one can be told
            return theta, value, left, hessian
        if size is not None:
            theta, before, fresh = theta - size * step, left, False
        else:
            before = 0.0  # asks for a fresh Hessian
    raise RuntimeError(f"Newton did not end in {MAX_STEPS} steps; {left:.1e} of {value:.3e} left")


def _step_size(rows, penalty, theta, z, step, value, left):
    """The first of 1, 1/2, 1/4 … that decreases the value enough, None where none does."""
    move = rows.x @ step
    for size in 0.5 ** np.arange(30):
        trial = _losses(z - size * move, rows.y).mean()
        trial += penalty(theta[:-1] - size * step[:-1])[0].sum()
        if trial <= value - 0.1 * size * left:
            return size
    return None


def _hessian(rows, theta):
    """Of the mean loss, [C P, C P], class after class."""
    p = _probabilities(rows.x @ theta) / len(rows.x)
    num_classes, q = p.shape[1], p * len(rows.x)
    blocks = [[None] * num_classes for _ in range(num_classes)]
    for a in range(num_classes):
        for b in range(a + 1):
            weight = p[:, a] * ((a == b) - q[:, b])
            blocks[a][b] = (rows.x * weight[:, None]).T @ rows.x
            blocks[b][a] = blocks[a][b].T
    return np.block(blocks)


def _solve(hessian, curvature, gradient):
    """(Hessian + curvature of the penalty)⁻¹ gradient; softmax's free shift of intercepts held."""
    width, num_classes = gradient.shape
    full = hessian.copy()
    diagonal = np.zeros((width, num_classes))
    diagonal[:-1] = curvature
    full[np.diag_indices_from(full)] += diagonal.T.ravel()
    if num_classes > 1:
        intercepts = np.arange(1, num_classes + 1) * width - 1
        full[np.ix_(intercepts, intercepts)] += 1
    flat = scipy.linalg.cho_solve(scipy.linalg.cho_factor(full), gradient.T.ravel())
    return flat.reshape(num_classes, width).T


def _losses(z, y):
    if z.shape[1] == 1:
        return np.logaddexp(0, z[:, 0]) - y[:, 0] * z[:, 0]
    top = z.max(axis=1)
    return np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - (z * y).sum(axis=1)


def _probabilities(z):
    if z.shape[1] == 1:
        return 0.5 + 0.5 * np.tanh(z / 2)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
