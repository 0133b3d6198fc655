"""A6. The loss of a probability, in the corners too."""


def cross_entropy(p, y):
    """-y ln p - (1 - y) ln(1 - p), where 0 · ln 0 is 0, elementwise and without a warning.

    Args:
      p: [N] probability of class 1, from 0 to 1, both included.
      y: [N] labels: 0, 1, or a probability in between.

    Returns:
      [N] losses; infinite where p is certain of a class that y gives any weight against.
    """
    raise NotImplementedError("your turn")
