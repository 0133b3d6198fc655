"""sigmoid, softplus and log_sigmoid: three elementwise functions closed under differentiation.

With e = exp(-|z|), which lies in (0, 1] and so never overflows,

    softplus' = sigmoid        max(z, 0) + log(1 + e)
    sigmoid'  = slope          e / (1 + e)²
    slope'    = -slope · t     t = tanh(z / 2) = sign(z) (1 - e) / (1 + e)
    t'        = 2 slope

Each derivative is stated, never traced through the formula above it: 1 - sigmoid
rounds to 0 from z = 17 in float32 and 37 in float64, where its exact value is e.
Results below the smallest normal number are flushed to zero by XLA.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxlr.activations.arguments import floating, widened
from jaxlr.pytypes import Array

# Q in log(1 + e) = e - e² Q(e) on [0, 1], lowest power first, by the format's size in
# bytes: polynomials through Q at the Chebyshev points. Twice as fast as log1p, which
# must serve every argument, and closer: the leading term e is already exact.
_LOG1P_TAIL = {
    4: (
        0.49999997,
        -0.33332843,
        0.24986526,
        -0.19854106,
        0.15847565,
        -0.11561845,
        0.06675772,
        -0.025224054,
        0.0044662114,
    ),
    8: (
        0.49999999999999994,
        -0.33333333333328546,
        0.2499999999935962,
        -0.19999999965822401,
        0.1666666569676973,
        -0.14285697368176903,
        0.12499802193640867,
        -0.11109469727104494,
        0.09989940978337618,
        -0.09044038405818781,
        0.0816358369873179,
        -0.07206052783890503,
        0.06024571849605114,
        -0.045718328874219644,
        0.030006248922024147,
        -0.016177448292083774,
        0.006761419498849802,
        -0.002030846248409763,
        0.00038701111085803037,
        -3.496499999517753e-05,
    ),
}


@partial(jax.jit, inline=True)
def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), elementwise."""
    z = floating("z", z)
    return logistic(widened(z)).astype(z.dtype)


@partial(jax.jit, inline=True)
def softplus(z: Array) -> Array:
    """log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), elementwise."""
    z = floating("z", z)
    return _softplus(widened(z)).astype(z.dtype)


@partial(jax.jit, inline=True)
def log_sigmoid(z: Array) -> Array:
    """log(sigmoid(z)) = -softplus(-z), elementwise."""
    z = floating("z", z)
    return -_softplus(-widened(z)).astype(z.dtype)


def log1p_exp_minus_abs(z: Array) -> Array:
    """log(1 + exp(-|z|)), the part of softplus that both signs of z share."""
    e = jnp.exp(-jnp.abs(z))
    tail = 0.0
    for coefficient in reversed(_LOG1P_TAIL[z.dtype.itemsize]):
        tail = tail * e + coefficient
    return e - e * (e * tail)


@jax.custom_jvp
def logistic(z: Array) -> Array:
    """Sigmoid of an argument that is known to be float32 or float64."""
    e = jnp.exp(-jnp.abs(z))
    return jnp.where(z >= 0, 1, e) / (1 + e)


@jax.custom_jvp
def logistic_slope(z: Array) -> Array:
    """The derivative of sigmoid, σ(z) σ(-z), down to the smallest normal number."""
    # min(z, -z) is -|z|, spelled otherwise so that XLA does not store the e of `logistic`
    # for both: to compute it twice inside two fused loops is cheaper, twice so in float16.
    e = jnp.exp(jnp.minimum(z, -z))
    return e / (1 + e * (2 + e))


@jax.custom_jvp
def _softplus(z: Array) -> Array:
    return jnp.maximum(z, 0) + log1p_exp_minus_abs(z)


@jax.custom_jvp
def _tanh_of_half(z: Array) -> Array:
    e = jnp.exp(-jnp.abs(z))
    # 1 - e is exact only while e <= 1/2. Nearer to 0 Lambert's continued fraction
    # x / (1 + x² / (3 + x² / (5 + ...))) with x = z / 2 has nothing to cancel.
    fraction = 13.0
    for odd in (11, 9, 7, 5, 3, 1):
        fraction = odd + (z / 2) ** 2 / fraction
    return jnp.where(e > 0.5, (z / 2) / fraction, jnp.sign(z) * (1 - e) / (1 + e))


_softplus.defjvps(lambda tangent, _, z: tangent * logistic(z))
logistic.defjvps(lambda tangent, _, z: tangent * logistic_slope(z))
logistic_slope.defjvps(lambda tangent, slope, z: -tangent * (slope * _tanh_of_half(z)))
_tanh_of_half.defjvps(lambda tangent, _, z: tangent * (2 * logistic_slope(z)))
