"""A6, solved."""

import numpy as np


def cross_entropy(p, y):
    """-y ln p - (1 - y) ln(1 - p), where 0 · ln 0 is 0, elementwise and without a warning."""
    p, y = np.asarray(p, float), np.asarray(y, float)
    return _term(y, p) + _term(1 - y, 1 - p)


def _term(weight, p):
    with np.errstate(divide="ignore"):  # ln 0 = -∞ is meant
        # Where the weight is 0 the logarithm is of 1, so that no 0 · ∞ is ever formed.
        return -weight * np.log(np.where(weight == 0, 1, p))
