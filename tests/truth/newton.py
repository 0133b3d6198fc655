"""Newton's method with the whole Hessian; an l1 part by a barrier."""

import numpy as np
import scipy.linalg

from tests.truth import losses

MAX_STEPS = 300


def risk(rows, ridge, lasso, theta):
    """The objective of theta [P, C]."""
    size = ridge @ np.sum(theta**2, axis=1) / 2 + lasso @ np.sum(np.abs(theta), axis=1)
    return rows.s @ losses.values(rows, rows.x @ theta) + size


def minimum(rows, ridge, lasso, t, theta, enough=0.0, limit=MAX_STEPS):
    """Params near the minimum with the barrier of weight t, from theta on.

    It ends where Newton's decrement says that `enough` is left, or that rounding is.
    """
    held = (lasso > 0)[:, None]
    c = np.where(held, t / np.where(held, lasso[:, None], 1), 1)
    gauge = (ridge == 0) & (lasso == 0)

    def smoothed(theta, z):
        u = np.where(held, c + np.hypot(c, theta), 1)
        barrier = lasso[:, None] * u - t * np.log(2 * c * u) if t else 0.0
        smooth = rows.s @ losses.values(rows, z) + ridge @ np.sum(theta**2, axis=1) / 2
        return smooth + np.sum(barrier)

    z, left = rows.x @ theta, np.inf
    value, stuck = smoothed(theta, z), 0
    for _ in range(limit):
        grad = rows.x.T @ (rows.s[:, None] * losses.slopes(rows, z)) + ridge[:, None] * theta
        curvature = np.repeat(ridge[:, None], theta.shape[1], axis=1)
        if t:
            s = np.hypot(c, theta)
            grad = grad + np.where(held, lasso[:, None] * theta / (c + s), 0)
            curvature = curvature + np.where(held, lasso[:, None] * c / (s * (c + s)), 0)
        step = solve(hessian(rows, z), curvature, grad, gauge)
        before, left = left, np.sum(step * grad) / 2
        if left <= enough or stuck > 2:
            break
        move, length = rows.x @ step, 1.0
        while length > 1e-12:
            trial = smoothed(theta - length * step, z - length * move)
            if trial <= value - 0.1 * length * left or (left < 1e-12 * abs(value) and length == 1):
                break
            length /= 2
        else:
            break
        stuck = stuck + 1 if left < 1e-12 * abs(value) and left > 0.7 * before else 0
        theta, z = theta - length * step, z - length * move
        value = trial
    return theta


def solve(hessian, curvature, grad, gauge):
    """(Hessian + curvature)⁻¹ grad, [P, C]; a shift of all classes of a free param is held."""
    num_outputs = grad.shape[1]
    full = hessian.copy()
    full[np.diag_indices_from(full)] += curvature.ravel()
    if num_outputs > 1:
        for j in np.flatnonzero(gauge):
            at = slice(j * num_outputs, (j + 1) * num_outputs)
            full[at, at] += np.trace(full[at, at]) / num_outputs**2 + 1e-300
    scale = np.sqrt(np.maximum(np.diagonal(full), 1e-300))
    full = full / scale[:, None] / scale
    for jitter in 10.0 ** np.arange(-15, 1):
        try:
            factor = scipy.linalg.cho_factor(full + jitter * np.eye(len(full)))
        except scipy.linalg.LinAlgError:
            continue
        wanted = grad.ravel() / scale
        step = scipy.linalg.cho_solve(factor, wanted)
        for _ in range(3):  # what the jitter cost
            step = step + scipy.linalg.cho_solve(factor, wanted - full @ step)
        return (step / scale).reshape(grad.shape)
    return grad


def hessian(rows, z, columns=slice(None)):
    """Of the mean loss among some columns, [P C, P C], class by class within a column."""
    x, num_outputs = rows.x[:, columns], rows.rivals.shape[1]
    if num_outputs == 1:
        return (x * (rows.s * losses.bends(rows, z)[:, 0])[:, None]).T @ x
    p = losses.bends(rows, z)
    out = np.empty((x.shape[1], num_outputs, x.shape[1], num_outputs))
    for a in range(num_outputs):
        for b in range(a + 1):
            pair = rows.s * p[:, a] * ((a == b) - p[:, b])
            block = (x * pair[:, None]).T @ x
            out[:, a, :, b] = block
            out[:, b, :, a] = block.T
    return out.reshape(x.shape[1] * num_outputs, -1)
