"""An orthonormal basis of columns: collinear and badly scaled ones cost no digits in it."""

from typing import NamedTuple

import numpy as np

CONSTANT = 8 * np.finfo(np.float64).eps  # of a column's size: a spread that is rounding
DUST = 1e-11  # of the columns: what others leave of one that float64 params can still use


class Basis(NamedTuple):
    """Rows in a basis [N, R] of unit variance, without correlations; 0 in columns that are spare.

    A weight w of x is `back` [D, R] times one of these, and the intercept is less by centre · w.
    It is the `whole` basis if what is left out is no more than rounding.
    """

    rows: np.ndarray
    back: np.ndarray
    centre: np.ndarray
    whole: bool


def basis(x: np.ndarray, weights: np.ndarray, fit_intercept: bool = True) -> Basis:
    """Of x [N, D] where rows have weights [N], which sum to 1; R = min(N, D)."""
    centre = weights @ x if fit_intercept else np.zeros(x.shape[1])
    away = x - centre
    length = np.sqrt(weights @ away**2)
    scale = np.where(length > CONSTANT * np.sqrt(weights @ x**2), length, np.inf)
    _, values, vt = np.linalg.svd(np.sqrt(weights)[:, None] * (away / scale), full_matrices=False)
    top, rounding = values.max(initial=0), max(x.shape) * np.finfo(np.float64).eps
    kept = values > DUST * top
    whole = values[~kept].max(initial=0) <= rounding * top
    back = vt.T * np.where(kept, 1 / np.where(kept, values, 1), 0)
    return Basis((away / scale) @ back, back / scale[:, None], centre, bool(whole))
