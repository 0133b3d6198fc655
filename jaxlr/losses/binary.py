"""The loss of a yes-or-no label: from the logit, and from the probability as in the lecture."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from jaxlr.activations.arguments import widened
from jaxlr.activations.logistic import log1p_exp_minus_abs, logistic_slope
from jaxlr.losses.arguments import check_probability, real_label, score
from jaxlr.pytypes import Array


def log_loss(logit: Array, label: Array) -> Array:
    """Negative log-likelihood of a Bernoulli label, in nats.

    With p = sigmoid(logit), this is the lecture's

        L(p, y) = -y log p - (1 - y) log(1 - p)

    computed from the logit, because p rounds to exactly 0 or 1 in float32 once
    |logit| > 17, and log(0) is not a number anyone wants a gradient of.

    Args:
      logit: [] score of the positive class; any real number.
      label: [] 0 or 1, or a probability in between. Cast to the logit's dtype.

    Returns:
      [] loss in nats: 0 when certain and right, about |logit| when certain and wrong.

    Raises:
      TypeError: integer logit. ValueError: not a scalar; a label known to leave [0, 1].

    Example:
      >>> print(f"{log_loss(jnp.array(0.0), jnp.array(1)):.4f}")  # a coin flip: log 2
      0.6931

    Reference:
      Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90.
    """
    check_probability("label", label)
    return _log_loss_as_given(logit, label)


def log_loss_from_probability(p: Array, label: Array) -> Array:
    """-y log p - (1 - y) log(1 - p) with 0 · log 0 = 0, in value and gradient.

    The lecture's table of corners: no loss where p = y, infinite loss at the other end.
    From a logit call `log_loss`: its sigmoid may have rounded to 0 or 1. XLA reads a
    subnormal p as 0.

    Args:
      p: [] probability of the positive class.
      label: [] 0 or 1, or a probability in between. Cast to p's dtype.

    Raises:
      TypeError: integer p. ValueError: not a scalar; p or label known to leave [0, 1].
    """
    check_probability("p", p)
    check_probability("label", label)
    return _from_probability_as_given(p, label)


@partial(jax.jit, inline=True)
def _log_loss_as_given(logit, label):
    logit = score("logit", logit)
    label = real_label("label", label, logit.dtype)
    return _log_loss(widened(logit), widened(label)).astype(logit.dtype)


@jax.custom_jvp
def _log_loss(z: Array, y: Array) -> Array:
    # |z| at the price of the side that z is on: softplus(z) - y z with nothing to cancel.
    share = jnp.where(z > 0, 1 - y, y)
    return jnp.where(share == 0, 0, share * jnp.abs(z)) + log1p_exp_minus_abs(z)


@jax.custom_jvp
def _residual(z: Array, y: Array) -> Array:
    """σ(z) - y as (1 - y) σ(z) - y σ(-z): at y = 1 it is -σ(-z), which σ(z) - 1 rounds to 0."""
    e = jnp.exp(-jnp.abs(z))
    return ((1 - y) * jnp.where(z > 0, 1, e) - y * jnp.where(z > 0, e, 1)) / (1 + e)


@partial(_log_loss.defjvp, symbolic_zeros=True)
def _log_loss_jvp(primals, tangents):
    z, y = primals
    d_z, d_y = tangents
    return _log_loss(z, y), _dot((d_z, _residual(z, y)), (d_y, -z), like=z)


@partial(_residual.defjvp, symbolic_zeros=True)
def _residual_jvp(primals, tangents):
    z, y = primals
    d_z, d_y = tangents
    return _residual(z, y), _dot((d_z, logistic_slope(z)), (d_y, -jnp.ones_like(z)), like=z)


def _dot(*pairs: tuple[Array, Array], like: Array) -> Array:
    """Σ tangent · derivative, leaving out the tangents that are zero: 0 · ∞ would be NaN."""
    terms = [tangent * slope for tangent, slope in pairs if type(tangent) is not SymbolicZero]
    return sum(terms[1:], terms[0]) if terms else jnp.zeros_like(like)


@partial(jax.jit, inline=True)
def _from_probability_as_given(p, label):
    p = score("p", p)
    label = real_label("label", label, p.dtype)
    return _from_probability(widened(p), widened(label)).astype(p.dtype)


@jax.custom_jvp
def _from_probability(p: Array, y: Array) -> Array:
    return _unless_zero(y, -jnp.log(p)) + _unless_zero(1 - y, -_log_complement(p))


@jax.custom_jvp
def _slope_in_probability(p: Array, y: Array) -> Array:
    """(p - y) / (p (1 - p)), and its limits -1 / p at y = 1, 1 / (1 - p) at y = 0."""
    # The power of two keeps p - y a normal number where p and y are the smallest ones.
    scale = 1 / float(jnp.finfo(p.dtype).eps)
    between = (scale * p - scale * y) / (scale * p * (1 - p))
    return jnp.where(y == 0, 1 / (1 - p), jnp.where(y == 1, -1 / p, between))


@partial(_from_probability.defjvp, symbolic_zeros=True)
def _from_probability_jvp(primals, tangents):
    p, y = primals
    d_p, d_y = tangents
    slopes = (d_p, _slope_in_probability(p, y)), (d_y, _log_complement(p) - jnp.log(p))
    return _from_probability(p, y), _dot(*slopes, like=p)


@partial(_slope_in_probability.defjvp, symbolic_zeros=True)
def _slope_in_probability_jvp(primals, tangents):
    p, y = primals
    d_p, d_y = tangents
    curvature = _over_square(y, p) + _over_square(1 - y, 1 - p)
    slopes = (d_p, curvature), (d_y, -1 / (p * (1 - p)))
    return _slope_in_probability(p, y), _dot(*slopes, like=p)


def _log_complement(p: Array) -> Array:
    """log(1 - p). XLA's log1p(-p) loses up to 128 ulps of float64 where p is in [0.3, 0.42]."""
    return jnp.where(p > 0.25, jnp.log(1 - p), jnp.log1p(-p))


def _unless_zero(weight: Array, value: Array) -> Array:
    """weight · value with 0 · ∞ = 0."""
    return jnp.where(weight == 0, 0, weight * value)


def _over_square(weight: Array, q: Array) -> Array:
    """weight / q² with 0 / 0 = 0; in two steps, as q² of a small q is no number of the format."""
    return jnp.where(weight == 0, 0, (weight / q) * (1 / q))
