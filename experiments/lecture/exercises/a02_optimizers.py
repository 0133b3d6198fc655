"""A2. Adam, from its formulas."""


def adam_updates(grads, rate, b1=0.9, b2=0.999, eps=1e-8):
    """What Adam adds to the weights at each step.

        v ← b1·v + (1 - b1)·g,   v̂ = v / (1 - b1ᵗ)
        s ← b2·s + (1 - b2)·g²,  ŝ = s / (1 - b2ᵗ)
        update = -rate · v̂ / (√ŝ + eps)

    Args:
      grads: [T, D] the gradient of each step; t is 1 at the first.
      rate: α.
      b1: β₁, the memory of v.
      b2: β₂, the memory of s.
      eps: ε.

    Returns:
      [T, D] updates.
    """
    raise NotImplementedError("your turn")
