"""Ridge and ordinary least squares: every λ, fold and target from one factor per fold.

In numpy, always in float64: a compiler that may regroup sums would undo the refinement.
"""

import math
from typing import NamedTuple

import numpy as np

REFINED_FROM = 1e3  # the condition number from which refinement gains digits
REFINEMENTS = 3  # at most, until a step changes less than
SETTLED = 1e-10  # which the next would square
DIGITS = np.finfo(np.float64).nmant + 1


class _Factors(NamedTuple):
    """√s (x - x̄) / scale = U diag(values) Vᵀ; along = Uᵀ √s (y - mean) of the targets."""

    u: np.ndarray
    values: np.ndarray
    vt: np.ndarray
    scale: np.ndarray
    centre: np.ndarray
    weights: np.ndarray
    along: np.ndarray
    mean: np.ndarray


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
      Björck, Iterative refinement of linear least squares solutions (1967); Ozaki, Ogita, Oishi
      and Rump, Error-free transformations of matrix multiplication (2012).
    """
    features = np.asarray(x, np.float64)[:, :-1]
    labels, lambdas = np.asarray(labels, np.float64).T, np.asarray(lambdas, np.float64)
    weights = np.asarray(weights, np.float64)
    out = np.empty((labels.shape[1], len(weights), len(lambdas), features.shape[1] + 1))
    for fold, row in enumerate(weights):
        kept = row > 0
        row = row[kept] / row.max()  # folds of zeros and ones stay so, and their sums exact
        rows, targets = features[kept], labels[kept]
        even, plain = None, None
        for k, lam in enumerate(lambdas * (row.sum() / 2)):
            if lam == 0 and even is None:
                even = _even(rows, row, targets)
            if lam > 0 or even == ():
                plain = plain or _factors(rows, row, np.ones(rows.shape[1]), targets)
            factors = even if lam == 0 and even else plain
            out[:, fold, k] = _solution(factors, rows, targets, lam).T
    return out


def _even(rows, weights, targets):
    """Factors of columns of one length; () where they depend on each other."""
    centre = weights @ rows / weights.sum()
    lengths = np.sqrt(weights @ (rows - centre) ** 2)
    constant = lengths <= 8 * np.finfo(np.float64).eps * np.sqrt(weights @ rows**2)
    varying = len(lengths) - constant.sum()
    if varying >= len(rows):
        return ()
    factors = _factors(rows, weights, np.where(constant, np.inf, lengths), targets)
    return factors if _known(factors, 0).sum() == varying else ()


def _factors(rows, weights, scale, targets) -> _Factors:
    centre = weights @ rows / weights.sum()
    scaled = np.sqrt(weights)[:, None] * ((rows - centre) / scale)
    u, values, vt = np.linalg.svd(scaled, full_matrices=False)
    # Of a constant target exactly that: nothing is left to explain.
    mean = targets[0] + weights @ (targets - targets[0]) / weights.sum()
    along = u.T @ (np.sqrt(weights)[:, None] * (targets - mean))
    return _Factors(u, values, vt, scale, centre, weights, along, mean)


def _known(factors: _Factors, lam):
    """Which singular values are more than rounding; a penalty makes all of them so."""
    size = max(len(factors.u), factors.vt.shape[1])
    cut = size * np.finfo(np.float64).eps * factors.values.max(initial=0)
    return (factors.values > cut) | (lam > 0)


def _solution(factors: _Factors, rows, labels, lam):
    """Params [P, T] at one penalty."""
    known = _known(factors, lam)
    squares = np.where(known, factors.values**2 + lam, np.inf)[:, None]
    params = _params(factors, factors.values[:, None] * factors.along / squares, factors.mean)
    if not known.any() or squares[known].max() <= REFINED_FROM**2 * squares[known].min():
        return params
    residuals = labels - rows @ params[:-1] - params[-1]
    for _ in range(REFINEMENTS):
        missing = _missing(factors, rows, labels, lam, params, residuals)
        change, d_residuals = _step(factors, squares, *missing)
        params, residuals = params + change, residuals + d_residuals
        if np.all(np.abs(change) <= SETTLED * np.abs(params)):
            break
    return params


def _params(factors: _Factors, coefficients, mean):
    """Intercepts and weights from coefficients of V."""
    w = (factors.vt.T @ coefficients) / factors.scale[:, None]
    return np.vstack([w, mean - factors.centre @ w])


def _step(factors: _Factors, squares, f, g, total):
    """Solves r + X w + b = f, Xᵀ S r - λ w = -g, Σ s r = -total for (w, b) [P, T] and r [N, T]."""
    weights, values = factors.weights, factors.values[:, None]
    mean = (weights @ f + total) / weights.sum()
    roots = np.sqrt(weights)[:, None]
    rows = roots * (f - mean)
    across = factors.vt @ ((g - factors.centre[:, None] * total) / factors.scale[:, None])
    coefficients = (values * (factors.u.T @ rows) + across) / squares
    r = (rows - factors.u @ (values * coefficients)) / roots
    return _params(factors, coefficients, mean), r


def _missing(factors: _Factors, rows, labels, lam, params, residuals):
    """What the three equations of `_step` still lack, in twice the precision."""
    weights = factors.weights[:, None]
    top = np.abs(rows).max(axis=0)
    powers = np.exp2(np.round(np.log2(np.where(top > 0, top, 1))))[:, None]
    even = rows / powers.T  # exact, and all columns about 1
    w, b = params[:-1], params[-1]
    fitted = _exact_product(even, w * powers)
    f = _total([labels, -residuals, np.broadcast_to(-b, labels.shape), *(-z for z in fitted)])
    high, low = _two_product(weights, residuals)
    gradient = [p * powers for p in [*_exact_product(even.T, high), even.T @ low]]
    g = _total([*gradient, *(-p for p in _two_product(np.float64(lam), w))])
    ones = np.ones((1, len(rows)))
    return f, g, _total([*_exact_product(ones, high), ones @ low])[0]


def _exact_product(a, b) -> list[np.ndarray]:
    """Matrices whose exact sum is a @ b to about twice the working precision.

    Rows of a and columns of b are cut into slices so short that their products are exact, in
    whatever order they are summed.
    """
    bits = (DIGITS - math.ceil(math.log2(max(a.shape[1], 2)))) // 2
    count = math.ceil(DIGITS / bits)
    left, right = _slices(a, 1, bits, count), _slices(b, 0, bits, count)
    return [left[i] @ right[j] for i in range(count) for j in range(count - i)]


def _slices(a, axis, bits, count) -> list[np.ndarray]:
    """The leading bits of a, measured from its largest along the axis; the next; and so on."""
    slices = []
    for _ in range(count):
        top = np.abs(a).max(axis=axis, keepdims=True, initial=0)
        power = np.exp2(np.ceil(np.log2(np.where(top > 0, top, 1))))
        shift = 1.5 * power * 2.0 ** (DIGITS - 1 - bits)
        slices.append((a + shift) - shift)
        a = a - slices[-1]
    return slices


def _two_product(a, b):
    """a b as its rounding and the rest (Dekker 1971): products of halves are exact."""

    def halves(x):
        wide = (2.0 ** math.ceil(DIGITS / 2) + 1) * x
        high = wide - (wide - x)
        return high, x - high

    (a1, a2), (b1, b2) = halves(a), halves(b)
    product = a * b
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _total(terms):
    """Their sum, as if in twice the precision (Ogita, Rump and Oishi 2005)."""
    total, rest = terms[0], np.zeros_like(terms[0])
    for term in terms[1:]:
        new = total + term
        part = new - total
        rest = rest + ((total - (new - part)) + (term - part))
        total = new
    return total + rest
