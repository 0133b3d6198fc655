"""Losses of one example, in nats, and `risk`: their weighted mean plus penalties."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.activations import log_softmax, sigmoid
from jaxlr.activations.arguments import floating, widened
from jaxlr.activations.logistic import log1p_exp_minus_abs
from jaxlr.pytypes import Array, Batch, Params, Scalar


def squared_error(prediction: Array, target: Array) -> Array:
    """(prediction - target)²; [] each."""
    return (prediction - jnp.asarray(target, prediction.dtype)) ** 2


def log_loss(logit: Array, label: Array) -> Array:
    """Negative log-likelihood of a Bernoulli label, in nats.

    With p = sigmoid(logit), this is the lecture's

        L(p, y) = -y log p - (1 - y) log(1 - p)

    computed from the logit, because p rounds to exactly 0 or 1 in float32 once |logit| > 17, and
    log(0) is not a number anyone wants a gradient of. The slope is (1 - y) σ(z) - y σ(-z): p - y
    would cancel.

    Args:
      logit: [] score of the positive class; any real number.
      label: [] 0 or 1, or a probability in between. Cast to the logit's dtype.

    Returns:
      [] loss in nats: 0 when certain and right, about |logit| when certain and wrong.

    Reference:
      Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90.
    """
    logit = floating("logit", logit)
    z = widened(logit)
    return _log_loss(z, jnp.asarray(label, z.dtype)).astype(logit.dtype)


@jax.custom_jvp
def _log_loss(z: Array, y: Array) -> Array:
    # label 0 leaves softplus(z), label 1 softplus(-z): they share all but the straight part
    wrong = jnp.where(z > 0, 1 - y, y)
    return jnp.where(wrong == 0, 0, wrong * jnp.abs(z)) + log1p_exp_minus_abs(z)


_log_loss.defjvps(
    lambda tangent, _, z, y: tangent * ((1 - y) * sigmoid(z) - y * sigmoid(-z)),
    lambda tangent, _, z, y: tangent * -z,
)


def log_loss_from_probability(p: Array, label: Array) -> Array:
    """-y log p - (1 - y) log(1 - p), with the lecture's corners: 0 · (-∞) is 0.

    Args:
      p: [] predicted probability of class 1, 0 and 1 included.
      label: [] 0 or 1, or a probability in between.

    Returns:
      [] nats; ∞ where the label was ruled out. A term whose factor is 0 has no slope either.
    """
    p = jnp.asarray(p)
    y = jnp.asarray(label, p.dtype)
    # the inner where keeps the unused branch's infinite slope out of 0 · ∞
    log_p = jnp.log(jnp.where(y == 0, 1, p))
    log_q = jnp.log1p(-jnp.where(y == 1, 0, p))
    return -(y * log_p) - (1 - y) * log_q


def softmax_cross_entropy(logits: Array, label: Array) -> Array:
    """-log softmax(logits)[label]; label an integer [] or a distribution [C]."""
    label = jnp.asarray(label)
    if jnp.issubdtype(label.dtype, jnp.integer):
        picked = jnp.sum(
            jnp.where(jnp.arange(logits.shape[-1], dtype=label.dtype) == label, logits, 0)
        )
        return jax.nn.logsumexp(logits) - picked
    return -jnp.sum(label * log_softmax(logits), axis=-1)


def l2_penalty(params: Params) -> Array:
    """½ ‖W‖² over every leaf but the intercepts (the leaves named "b")."""
    return sum(jnp.sum(w * w) for w in _penalised(params)) / 2


def l1_penalty(params: Params) -> Array:
    """‖W‖₁ over every leaf but the intercepts (the leaves named "b"); its slope at 0 is 0."""
    return sum(jnp.sum(w * jnp.sign(w)) for w in _penalised(params))  # abs has slope 1 at 0


def risk(
    model: Callable[[Params, Array], Array],
    loss: Callable[[Array, Array], Array],
    *,
    l2: Scalar = 0.0,
    l1: Scalar = 0.0,
) -> Callable[[Params, Batch], Array]:
    """The objective J(params, batch) = Σ sᵢ loss(model(xᵢ), yᵢ) / Σ sᵢ + l2 ½‖W‖² + l1 ‖W‖₁.

    Args:
      model: (params, x [D]) -> scores.
      loss: (scores, label) -> [] nats.
      l2: ≥ 0, a number or a traced array; glmnet's λ (1 - α).
      l1: ≥ 0, likewise; glmnet's λ α.

    Returns:
      J, differentiable in params. A batch whose weights sum to zero has mean loss 0.

    Raises:
      ValueError: a penalty given as a Python number is negative or NaN.
    """
    for name, value in (("l2", l2), ("l1", l1)):
        if isinstance(value, int | float) and not value >= 0:
            raise ValueError(f"{name} must be at least 0, and is {value}")

    def objective(params: Params, batch: Batch) -> Array:
        def example(x, label):
            return loss(model(params, x), label)

        value = _mean(jax.vmap(example)(batch.x, batch.labels), batch.weights)
        # A penalty that is the number 0 leaves the program; a traced 0 can't.
        if not (isinstance(l2, int | float) and l2 == 0):
            value += jnp.asarray(l2, value.dtype) * l2_penalty(params)
        if not (isinstance(l1, int | float) and l1 == 0):
            value += jnp.asarray(l1, value.dtype) * l1_penalty(params)
        return value

    return objective


def _mean(values: Array, weights: Array | None) -> Array:
    if weights is None:
        return jnp.mean(values)
    weights = jnp.asarray(weights, values.dtype)
    total = jnp.sum(weights)
    return jnp.sum(weights * values) / jnp.where(total > 0, total, 1)


def _penalised(params: Params) -> list[Array]:
    leaves, _ = jax.tree.flatten_with_path(params)
    return [leaf for path, leaf in leaves if not path or getattr(path[-1], "key", None) != "b"]
