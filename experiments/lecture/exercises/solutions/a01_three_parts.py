"""A1, solved."""

import numpy as np


def sgd(x, y, order, rate):
    """The weights [D] and the intercept after a step on every minibatch, from zeros."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    w, b = np.zeros(x.shape[1]), 0.0
    for rows in np.asarray(order):
        slope = 2 * (x[rows] @ w + b - y[rows]) / len(rows)  # of the mean, in each prediction
        w, b = w - rate * slope @ x[rows], b - rate * slope.sum()
    return w, b
