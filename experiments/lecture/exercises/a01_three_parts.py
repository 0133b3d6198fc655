"""A1. Stochastic gradient descent on the squared error, in plain NumPy."""


def sgd(x, y, order, rate):
    """The weights [D] and the intercept after a step on every minibatch, from zeros.

    A step is w <- w - rate * (gradient of the mean of (w·x + b - y)² over the minibatch), and
    likewise for b.

    Args:
      x: [N, D] features.
      y: [N] targets.
      order: [T, B] the rows of each step.
      rate: the learning rate.
    """
    raise NotImplementedError("your turn")
