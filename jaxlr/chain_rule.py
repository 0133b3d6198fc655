"""Every gradient again, by hand: the lecture's chain rule, one example at a time.

A witness for `jax.grad`, so it never calls it.
"""

from collections.abc import Callable

import jax.numpy as jnp

from jaxlr.activations import sigmoid, softmax
from jaxlr.pytypes import Array, Params


def linear_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of (wᵀx + b - y)²: dL/dz = 2 (z - y), dz/dw = x, dz/db = 1."""
    prediction = jnp.dot(x, params["w"]) + params["b"]
    d_prediction = 2 * (prediction - jnp.asarray(label, x.dtype))
    return {"w": d_prediction * x, "b": d_prediction}


def logistic_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of log_loss(wᵀx + b, y): dL/dz = σ(z) - y, dz/dw = x, dz/db = 1."""
    logit = jnp.dot(x, params["w"]) + params["b"]
    d_logit = sigmoid(logit) - jnp.asarray(label, x.dtype)
    return {"w": d_logit * x, "b": d_logit}


def softmax_regression(params: Params, x: Array, label: Array) -> Params:
    """Gradient of softmax_cross_entropy(Wᵀx + b, y): dL/dz = p - onehot(y), dz_c/dw_c = x."""
    logits = jnp.dot(x, params["w"]) + params["b"]
    d_logits = softmax(logits).at[label].add(-1)
    return {"w": jnp.outer(x, d_logits), "b": d_logits}


def mlp(
    params: Params, x: Array, label: Array, *, activation: Callable[[Array], Array] = jnp.tanh
) -> Params:
    """Gradient of a composition of stages, backwards from the last.

    The loss is log_loss where the last stage gives one logit, else softmax_cross_entropy.
    """
    del activation  # tanh
    inputs = [x]
    for stage in params[:-1]:
        inputs.append(jnp.tanh(jnp.dot(inputs[-1], stage["w"]) + stage["b"]))
    last = params[-1]
    head = logistic_regression if last["w"].ndim == 1 else softmax_regression
    grads = [head(last, inputs[-1], label)]
    for stage, above, below in zip(params[-2::-1], params[:0:-1], inputs[-2::-1], strict=True):
        d_score = grads[0]["b"]
        output = jnp.tanh(jnp.dot(below, stage["w"]) + stage["b"])
        d_output = d_score * above["w"] if above["w"].ndim == 1 else jnp.dot(above["w"], d_score)
        d_z = d_output * (1 - output * output)
        grads.insert(0, {"w": jnp.outer(below, d_z), "b": d_z})
    return grads
