"""A8. Gradient descent for logistic regression, by hand."""


def descend(x, labels, rate, steps):
    """The weights after `steps` steps from w = 0, b = 0, and the risk before each of them.

    Args:
      x: [N, D] features.
      labels: [N] 0 or 1.
      rate: how far a step goes along the gradient.
      steps: how many.

    Returns:
      (w [D], b, risks [steps]).
    """
    raise NotImplementedError("your turn")
