"""A10. The area under the ROC curve, without a curve."""


def pairs_won(labels, scores):
    """The share of (positive, negative) pairs in the right order, a tie counting one half.

    Args:
      labels: [N] 0 or 1, with at least one of each.
      scores: [N] what a model gave them.
    """
    raise NotImplementedError("your turn")
