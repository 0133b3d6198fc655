"""B4, solved."""

import numpy as np


def gradient(W, b, x, y, l2):
    """The pair (dJ/dW [D, C], dJ/db [C]) of the mean cross-entropy and the penalty l2 ½‖W‖²."""
    z = x @ W + b
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    error = (p - np.eye(W.shape[1])[y]) / len(y)  # [N, C]
    return x.T @ error + l2 * W, error.sum(axis=0)
