"""A composition ŷ = g₁(z₁(g₂(z₂(…)))) of any depth, backwards by hand (B2).

    ∂L/∂z₂ = ∂L/∂z₁ · ∂z₁/∂g₂ · ∂g₂/∂z₂

Going forward, each stage keeps its input; going back, it multiplies by its local derivative.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.activations import sigmoid
from jaxlr.chain_rule import scores
from jaxlr.pytypes import Array, Params

# Local derivatives g'(z), by the forward rule g. Neither 1 - σ nor 1 - tanh² is formed: both
# cancel where g saturates.
DERIVATIVES = {
    sigmoid: lambda z: sigmoid(z) * sigmoid(-z),
    jnp.tanh: lambda z: 4 * sigmoid(2 * z) * sigmoid(-2 * z),
    jax.nn.relu: lambda z: (z > 0).astype(z.dtype),
}


def mlp(
    params: Params, x: Array, label: Array, *, activation: Callable[[Array], Array] = jnp.tanh
) -> Params:
    """Gradient of the loss of `models.mlp(params, x, activation=activation)`.

    The loss is log_loss where the last stage gives one logit, else softmax_cross_entropy.

    Raises:
      ValueError: the activation's derivative is not known here.
    """
    if activation not in DERIVATIVES:
        known = ", ".join(function.__name__ for function in DERIVATIVES)
        raise ValueError(f"activation {activation} has no derivative here; known are {known}")
    *hidden, last = params
    inputs, hidden_scores = [x], []
    for stage in hidden:
        hidden_scores.append(scores.score(stage, inputs[-1]))
        inputs.append(activation(hidden_scores[-1]))

    one_logit = last["w"].ndim == 1
    slope = scores.log_loss_slope if one_logit else scores.softmax_cross_entropy_slope
    d_z = slope(scores.score(last, inputs[-1]), label)
    grads = [{"w": jnp.multiply.outer(inputs[-1], d_z), "b": d_z}]
    for above, z, below in zip(params[:0:-1], hidden_scores[::-1], inputs[-2::-1], strict=True):
        d_g = above["w"] @ d_z if d_z.ndim else above["w"] * d_z  # ∂z₁/∂g₂ = W₁
        d_z = d_g * DERIVATIVES[activation](z)
        grads.append({"w": jnp.outer(below, d_z), "b": d_z})
    return type(params)(reversed(grads))
