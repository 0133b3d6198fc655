"""Ridge and ordinary least squares: every λ, fold and target from one factor per fold.

In NumPy, always in float64, its residuals in twice that.
"""

from typing import NamedTuple

import numpy as np

from jaxlr.solvers import extended

REFINED_FROM = 1e3  # the condition number from which refinement gains digits
REFINEMENTS = 3  # at most, until a step changes less than
SETTLED = 1e-10  # which the next would square
EPS = np.finfo(np.float64).eps


class _Factors(NamedTuple):
    """√s (x - x̄) / scale = U diag(values) Vᵀ, for rows x of weights s."""

    u: np.ndarray
    values: np.ndarray
    vt: np.ndarray
    scale: np.ndarray
    centre: np.ndarray
    weights: np.ndarray

    def known(self, lam):
        """Which singular values are more than rounding; a penalty makes all of them so."""
        size = max(len(self.u), self.vt.shape[1])
        return (self.values > size * EPS * self.values.max(initial=0)) | (lam > 0)

    def split(self, f, total=0.0):
        """Mean of f [N, T], the rest √s (f - mean), and Uᵀ of that."""
        # Of a constant target exactly that: nothing is left to explain.
        mean = f[0] + (self.weights @ (f - f[0]) + total) / self.weights.sum()
        rest = np.sqrt(self.weights)[:, None] * (f - mean)
        return mean, rest, self.u.T @ rest

    def params(self, lam, mean, along, across=0.0):
        """(w, b) [P, T] with Vᵀ (w scale) = (values · along + across) / (values² + λ), and that."""
        squares = np.where(self.known(lam), self.values**2 + lam, np.inf)[:, None]
        coefficients = (self.values[:, None] * along + across) / squares
        w = (self.vt.T @ coefficients) / self.scale[:, None]
        return np.vstack([w, mean - self.centre @ w]), coefficients

    def solution(self, lam, f, g):
        """Of r + X θ = f and Xᵀ S r - λ w = -g: params θ = (w, b) [P, T], and r [N, T]."""
        mean, rest, along = self.split(f, g[-1])
        across = self.vt @ ((g[:-1] - self.centre[:, None] * g[-1]) / self.scale[:, None])
        params, coefficients = self.params(lam, mean, along, across)
        r = rest - self.u @ (self.values[:, None] * coefficients)
        return params, r / np.sqrt(self.weights)[:, None]


def least_squares(
    x: np.ndarray, labels: np.ndarray, weights: np.ndarray, lambdas: np.ndarray
) -> np.ndarray:
    """The exact minimum of Σ s (x · w + b - y)² / Σ s + λ/2 ‖w‖² for all targets, folds and λ.

    From a singular value decomposition of the centred rows, never from the normal equations. At
    λ = 0 the columns are first brought to one length, so that no digits are lost where their
    scales differ; where columns depend on each other the answer is the one of least ‖w‖, from the
    columns as they are. Where the condition number is above 1000, iterative refinement follows,
    whose residuals are summed in twice the precision: the digits are then
    those of the data. For λ > 0 this holds while √λ is above the rounding of the longest column.

    Args:
      x: [N, P] features, and a last column of ones.
      labels: [T, N], a row per target.
      weights: [F, N] >= 0, a row per fold; none of zeros alone.
      lambdas: [K] >= 0.

    Returns:
      [T, F, K, P] params in float64, the intercept last.

    Reference:
      Björck, Iterative refinement of linear least squares solutions (1967).
    """
    x, lambdas = np.asarray(x, np.float64), np.asarray(lambdas, np.float64)
    labels, weights = np.asarray(labels, np.float64).T, np.asarray(weights, np.float64)
    out = np.empty((labels.shape[1], len(weights), len(lambdas), x.shape[1]))
    for fold, row in enumerate(weights):
        kept = row > 0
        row = row[kept] / row.max()  # folds of zeros and ones stay so, and their sums exact
        rows, targets = x[kept], labels[kept]
        factors = _even(rows[:, :-1], row) if np.any(lambdas == 0) else None
        even, plain = factors and (factors, factors.split(targets)), None
        for k, lam in enumerate(lambdas * (row.sum() / 2)):
            if plain is None and (lam > 0 or even is None):
                factors = _factors(rows[:, :-1], row, np.ones(x.shape[1] - 1))
                plain = factors, factors.split(targets)
            factors, parts = even if lam == 0 and even else plain
            params = factors.params(lam, parts[0], parts[2])[0]
            out[:, fold, k] = _refined(factors, rows, targets, lam, params).T
    return out


def _even(rows, weights) -> _Factors | None:
    """Factors of columns of one length; None where they depend on each other."""
    centre = weights @ rows / weights.sum()
    lengths = np.sqrt(weights @ (rows - centre) ** 2)
    constant = lengths <= 8 * EPS * np.sqrt(weights @ rows**2)
    varying = len(lengths) - constant.sum()
    if varying >= len(rows):
        return None
    factors = _factors(rows, weights, np.where(constant, np.inf, lengths))
    return factors if factors.known(0).sum() == varying else None


def _factors(rows, weights, scale) -> _Factors:
    centre = weights @ rows / weights.sum()
    scaled = np.sqrt(weights)[:, None] * ((rows - centre) / scale)
    return _Factors(*np.linalg.svd(scaled, full_matrices=False), scale, centre, weights)


def _refined(factors: _Factors, rows, labels, lam, params):
    """Params [P, T] at one penalty, to more digits where they lack some."""
    squares = factors.values[factors.known(lam)] ** 2 + lam
    if squares.max(initial=0) <= REFINED_FROM**2 * squares.min(initial=np.inf):
        return params
    residuals = labels - rows @ params
    for _ in range(REFINEMENTS):
        missing = _missing(factors.weights[:, None], rows, labels, lam, params, residuals)
        change, d_residuals = factors.solution(lam, *missing)
        params, residuals = params + change, residuals + d_residuals
        if np.all(np.abs(change) <= SETTLED * np.abs(params)):
            break
    return params


def _missing(weights, rows, labels, lam, params, residuals):
    """What r + X θ = y and Xᵀ S r - λ w = 0 still lack, in twice the precision."""
    top = np.abs(rows).max(axis=0)
    powers = np.exp2(np.round(np.log2(np.where(top > 0, top, 1))))[:, None]
    even = rows / powers.T  # exact, and all columns about 1
    f = extended.total([labels, -residuals, *(-z for z in extended.product(even, params * powers))])
    high, low = extended.scalar_product(weights, residuals)
    gradient = [p * powers for p in [*extended.product(even.T, high), even.T @ low]]
    penalised = np.append(np.full(len(params) - 1, lam), 0)[:, None]
    g = extended.total([*gradient, *(-p for p in extended.scalar_product(penalised, params))])
    return f, g
