"""A9. What a positive answer is worth where the positives are rare."""


def precision_at(recall, specificity, share):
    """The precision of a classifier with these rates where `share` of all are positive.

    Args:
      recall: the share of the positives that it flags.
      specificity: the share of the negatives that it leaves alone.
      share: of positives among all, in (0, 1).
    """
    raise NotImplementedError("your turn")
