"""A10. The area under the ROC curve, without a curve."""


def pairs_won(labels, scores):
    """The share of (positive, negative) pairs in the right order, a tie counting one half.

    Args:
      labels: [N] 0 or 1, a list or an array, with at least one of each.
      scores: [N] what a model gave them, likewise.
    """
    raise NotImplementedError("your turn")
