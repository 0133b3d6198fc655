"""B2. Backpropagation through a chain of σ-units."""


def backward(weights, x, label):
    """The derivative of the loss by each weight of ŷ = σ(w_T σ(w_{T-1} … σ(w_1 x))).

    The loss is -(y log ŷ + (1 - y) log(1 - ŷ)). Go forward and keep every value; then go back, and
    multiply by one local derivative after another.

    Args:
      weights: [T] first stage first.
      x: one number.
      label: 0 or 1.

    Returns:
      [T] ∂L/∂w of every stage, first stage first.
    """
    raise NotImplementedError("your turn")
