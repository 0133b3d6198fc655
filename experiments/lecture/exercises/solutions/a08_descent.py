"""A8, solved."""

import numpy as np


def descend(x, labels, rate, steps):
    """The weights after `steps` steps from w = 0, b = 0, and the risk before each of them."""
    x, labels = np.asarray(x, float), np.asarray(labels)
    w, b, risks = np.zeros(x.shape[1]), 0.0, []
    for _ in range(steps):
        z = x @ w + b
        right = np.where(labels == 1, z, -z)  # the score of the right class
        small = np.exp(-np.abs(z))  # never above 1
        risks.append(np.mean(np.maximum(-right, 0) + np.log1p(small)))
        error = np.where(z >= 0, 1, small) / (1 + small) - labels
        w = w - rate * x.T @ error / len(x)
        b = b - rate * error.mean()
    return w, b, np.array(risks)
