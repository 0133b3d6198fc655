"""A7. The loss of one class out of K, and which way it pulls every score."""


def loss_and_gradient(scores, label):
    """Minus the logarithm of softmax(scores)[label], and its derivatives.

    Args:
      scores: [K] any numbers, also 1000 and -1000.
      label: the right class, from 0 to K - 1.

    Returns:
      The loss, one number, and the gradient [K].
    """
    raise NotImplementedError("your turn")
