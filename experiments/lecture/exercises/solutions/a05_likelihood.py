"""A5, solved."""

import numpy as np


def normal_loss(prediction, target):
    """Minus the logarithm of the normal density of mean `prediction` and variance 1 at `target`.

    Half the squared error, and a constant that moves no minimum.
    """
    error = np.asarray(prediction) - np.asarray(target)
    return error**2 / 2 + np.log(2 * np.pi) / 2
