"""The losses of the witness on logits [n, C]: values, slopes and bends, precise however near 0."""

from typing import NamedTuple

import numpy as np
from scipy.special import xlog1py, xlogy

ROUNDING = 1e-14  # of a probability that is 1 less the others


class Rows(NamedTuple):
    """x [n, P] with ones last, labels [n], weights s [n] of sum 1, which classes compete [n, C]."""

    x: np.ndarray
    labels: np.ndarray
    s: np.ndarray
    kind: str
    rivals: np.ndarray


def bend_times(rows, z, v):
    """The second derivatives times v [n, C]."""
    bent = bends(rows, z)
    if rows.kind != "softmax":
        return bent * v
    return bent * (v - np.sum(bent * v, axis=1, keepdims=True))


def bends(rows, z):
    """[n, 1] second derivatives; of a softmax the probabilities [n, C]."""
    if rows.kind == "squared_error":
        return np.full_like(z, 2)
    if rows.kind == "log_loss":
        e = np.exp(-np.abs(z))
        return e / (1 + e) ** 2
    p = slopes(rows, z)
    p[np.arange(len(z)), rows.labels] += 1
    return p


def values(rows, z):
    """The losses [n], precise however near 0 they are."""
    if rows.kind == "squared_error":
        return (z[:, 0] - rows.labels) ** 2
    if rows.kind == "log_loss":
        z, y = z[:, 0], rows.labels
        return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
    top, others = _others(rows, z)
    return np.where(top > 0, top, 0) + np.log1p(others.sum(axis=1) + np.expm1(-np.maximum(top, 0)))


def _others(rows, z):
    """How far a row's best rival is above its own class, and exp(z - z_own) / exp(that or 0)."""
    each = np.arange(len(z))
    apart = np.where(rows.rivals, z - z[each, rows.labels][:, None], -np.inf)
    apart[each, rows.labels] = -np.inf
    top = apart.max(axis=1, initial=-np.inf)
    return top, np.exp(apart - np.maximum(top, 0)[:, None])


def slopes(rows, z):
    """The losses' derivatives [n, C], precise however near 0 they are."""
    y = np.reshape(rows.labels, (-1, 1))
    if rows.kind == "squared_error":
        return 2 * (z - y)
    if rows.kind == "log_loss":
        e = np.exp(-np.abs(z))
        above, below = np.where(z > 0, 1, e) / (1 + e), np.where(z > 0, e, 1) / (1 + e)
        return (1 - y) * above - y * below
    top, others = _others(rows, z)
    u = others / (np.exp(-np.maximum(top, 0)) + others.sum(axis=1))[:, None]
    u[np.arange(len(z)), rows.labels] = -u.sum(axis=1)
    return u


def conjugates(rows, u):
    """sup over z of u · z - loss(z), [n]; infinite where u is no slope."""
    if rows.kind == "squared_error":
        return u[:, 0] ** 2 / 4 + u[:, 0] * rows.labels
    if rows.kind == "log_loss":
        y = rows.labels
        return _entropy(np.stack([y + u[:, 0], (1 - y) - u[:, 0]], axis=1))
    p = u.copy()
    own = np.arange(len(u)), rows.labels
    p[own] = 0
    p[own] = 1 - p.sum(axis=1)
    return _entropy(p)


def _entropy(p):
    """Σ p log p of rows that sum to 1, the largest by what the others leave it."""
    p = np.where(np.abs(p) < ROUNDING, np.maximum(p, 0), p)
    bad = p.min(axis=1) < 0
    p = np.maximum(p, 0)
    largest = p.argmax(axis=1)
    rest = p.copy()
    rest[np.arange(len(p)), largest] = 0
    q = np.minimum(rest.sum(axis=1), 1)
    out = np.sum(xlogy(rest, rest), axis=1) + xlog1py(1 - q, -q)
    return np.where(bad, np.inf, out)
