"""B1, solved."""

import numpy as np


def safe_rate(x):
    """1 / L, L the largest curvature that the mean log-loss of these rows can have anywhere."""
    x = np.column_stack([x, np.ones(len(x))])
    hessian = x.T @ x / (4 * len(x))  # σ(z) σ(-z) is at most 1/4, where z = 0
    return 1 / np.linalg.eigvalsh(hessian)[-1]
