"""B3, solved."""

import numpy as np


def log_loss(z, y):
    """-y log σ(z) - (1 - y) log(1 - σ(z)), in the format of z."""
    own = np.where(y == 1, z, -z)  # the score of the right class
    return np.maximum(-own, 0) + np.log1p(np.exp(-np.abs(own)))


def slope(z, y):
    """σ(z) - y, where it is tiny as right as where it is large."""
    sign = np.where(y == 1, -1, 1).astype(z.dtype)
    wrong = sign * z  # σ of it is the probability of the other class
    return sign * np.exp(np.minimum(wrong, 0)) / (1 + np.exp(-np.abs(wrong)))
