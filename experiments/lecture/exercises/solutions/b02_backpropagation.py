"""B2, solved."""

import numpy as np


def backward(weights, x, label):
    """The derivative of the loss by each weight of ŷ = σ(w_T σ(w_{T-1} … σ(w_1 x)))."""
    values = [x]
    for w in weights:
        values.append(1 / (1 + np.exp(-w * values[-1])))
    slope = values[-1] - label  # ∂L/∂z of the last stage: two factors, multiplied out
    grads = []
    for t in reversed(range(len(weights))):
        grads.append(slope * values[t])  # ∂z/∂w is the stage's input
        slope *= weights[t] * values[t] * (1 - values[t])  # ∂z/∂g, and σ' of the stage below
    return np.array(grads[::-1])
