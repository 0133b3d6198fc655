"""A10, solved."""

import numpy as np


def pairs_won(labels, scores):
    """The share of (positive, negative) pairs in the right order, a tie counting one half."""
    labels, scores = np.asarray(labels), np.asarray(scores)
    ahead = scores[labels == 1][:, None] - scores[labels == 0]  # [m, n]
    return ((ahead > 0) + 0.5 * (ahead == 0)).mean()
