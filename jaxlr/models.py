"""Models as pure functions of (params, x), one example at a time; `jax.vmap` makes the batch."""

from collections.abc import Callable, Sequence
from math import sqrt

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Params

# Full float32 products on every device: accelerators would otherwise round the
# factors to about 10 bits, and no certificate or last-bits promise would hold.
_EXACT = jax.lax.Precision.HIGHEST


def linear(params: Params, x: Array) -> Array:
    """The linear score wᵀx + b.

    Args:
      params: {"w": [D] or [D, C], "b": [] or [C]}.
      x: [D] features of one example.

    Returns:
      [] the logit (or the regression's prediction), or [C] one logit per class.
    """
    return jnp.dot(x, params["w"], precision=_EXACT) + params["b"]


def init_linear(num_features: int, num_outputs: int | None = None, dtype=float) -> Params:
    """Zeros, the usual start of a convex problem; `num_outputs=None` is a single score.

    Returns:
      {"w": [num_features] or [num_features, num_outputs], "b": [] or [num_outputs]}.
    """
    outputs = () if num_outputs is None else (num_outputs,)
    return {"w": jnp.zeros((num_features, *outputs), dtype), "b": jnp.zeros(outputs, dtype)}


def mlp(params: Params, x: Array, *, activation: Callable[[Array], Array] = jnp.tanh) -> Array:
    """A composition of linear stages with `activation` between them, the last stage bare.

    Args:
      params: sequence of stages {"w": [D_in, D_out], "b": [D_out]}; the last as in `linear`.
      x: [D] features of one example.
      activation: elementwise function of the hidden scores.

    Returns:
      [] or [C] the logits.
    """
    *hidden, last = params
    for stage in hidden:
        x = activation(linear(stage, x))
    return linear(last, x)


def init_mlp(
    key: Array,
    num_features: int,
    hidden: Sequence[int] = (32,),
    num_outputs: int | None = None,
    dtype=float,
) -> Params:
    """Random stages: weights uniform within ±sqrt(6 / (fan_in + fan_out)), intercepts zero.

    Args:
      key: consumed once.
      num_features: D, the width of the input.
      hidden: widths of the hidden stages; empty makes a linear model of one stage.
      num_outputs: None for a single logit, C for one per class.
      dtype: of the parameters.

    Reference:
      Glorot and Bengio, Understanding the difficulty of training deep feedforward
      neural networks (2010), eq. 16.
    """
    sizes = [num_features, *hidden]
    keys = jax.random.split(key, len(sizes))
    stages = []
    for stage_key, fan_in, fan_out in zip(keys, sizes, [*hidden, num_outputs], strict=True):
        stage = init_linear(fan_in, fan_out, dtype)
        limit = sqrt(6 / (fan_in + (fan_out or 1)))
        w = jax.random.uniform(stage_key, stage["w"].shape, dtype, -limit, limit)
        stages.append({"w": w, "b": stage["b"]})
    return stages
