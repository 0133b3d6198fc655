"""A3. Momentum by hand, in both of its forms."""


def walk(gradient, start, rate, beta, steps):
    """The path of the lecture's momentum: v ← β·v + (1 - β)·g, W ← W - α·v, with v = 0 at first.

    Args:
      gradient: W [D] -> g [D].
      start: [D] where the path begins.
      rate: α.
      beta: β.
      steps: how many to take.

    Returns:
      [steps + 1, D] the start, and W after each step.
    """
    raise NotImplementedError("your turn")


def heavy_balls_rate(rate, beta):
    """The learning rate at which v ← β·v + g, W ← W - α'·v takes the path of `walk`."""
    raise NotImplementedError("your turn")
