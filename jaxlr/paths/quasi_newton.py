"""What steps teach about Hessians, for many lanes.

The inverse Hessian of L-BFGS on a metric is in compact form, and what a step needs is kept rather
than made again: a new pair is one column of each matrix. A whole Hessian learns by BFGS itself.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

PAIRS = 8
LEAST = 1e-3  # of the curvature that was expected: from less than this a Hessian learns nothing
product = partial(jnp.einsum, precision="highest")


class Pairs(NamedTuple):
    """The last M steps of L lanes with K params each, oldest first; 0 where there is none.

    Attributes:
      s, y: [L, M, K] steps, and changes of the gradient.
      images: [L, M, K] of y under the metric B.
      inverse: [L, M, M] of the upper triangle of SᵀY.
      curved: [L, M] sᵀy.
      scale: [L] γ = sᵀy / yᵀBy of the newest pair.
    """

    s: Array
    y: Array
    images: Array
    inverse: Array
    curved: Array
    scale: Array


def no_pairs(params: Array) -> Pairs:
    """Of lanes at params [L, K]."""
    num_lanes, size = params.shape
    none = jnp.zeros((num_lanes, PAIRS, size), params.dtype)
    return Pairs(
        none,
        none,
        none,
        jnp.zeros((num_lanes, PAIRS, PAIRS), params.dtype),
        jnp.zeros((num_lanes, PAIRS), params.dtype),
        jnp.ones(num_lanes, params.dtype),
    )


def learnt(pairs: Pairs, s: Array, y: Array, image: Array, lanes: Array) -> Pairs:
    """The pairs with the newest one, [L, K] each, of these lanes [L], where it has curvature."""
    curved = jnp.sum(s * y, axis=1)
    long = jnp.sum(s**2, axis=1) * jnp.sum(y**2, axis=1)
    learns = lanes & (curved > 1e-10 * jnp.sqrt(long))
    curved = jnp.where(learns, curved, 1)
    # The triangle loses its first row and column, and its inverse does; the new column is solved.
    rest = pairs.inverse[:, 1:, 1:]
    column = product("lmk,lk->lm", pairs.s[:, 1:], y)
    column = -product("lmk,lk->lm", rest, column) / curved[:, None]
    column = jnp.concatenate([column, 1 / curved[:, None]], axis=1)
    inverse = jnp.concatenate([jnp.pad(rest, ((0, 0), (0, 1), (0, 0))), column[:, :, None]], axis=2)
    bend = jnp.sum(y * image, axis=1)
    new = Pairs(
        _pushed(pairs.s, s),
        _pushed(pairs.y, y),
        _pushed(pairs.images, image),
        inverse,
        _pushed(pairs.curved, curved),
        _scale(curved, bend),
    )

    def kept(new, old):
        return jnp.where(learns.reshape(-1, *[1] * (old.ndim - 1)), new, old)

    return jax.tree.map(kept, new, pairs)


def remeasured(pairs: Pairs, images: Array) -> Pairs:
    """The pairs under another metric, with the images [L, M, K] of y under that."""
    bend = jnp.sum(pairs.y[:, -1] * images[:, -1], axis=1)
    return pairs._replace(images=images, scale=_scale(pairs.curved[:, -1], bend))


def inverse_hessian(pairs: Pairs, grad: Array, image: Array) -> Array:
    """L-BFGS's inverse Hessian on the metric B, times grad g; `image` is B g, all [L, K].

        H g = γ (B g - B Y p) + S q,   p = R⁻¹ Sᵀg,   q = R⁻ᵀ (D p + γ Yᵀ(B Y p - B g))

    with R the upper triangle of SᵀY, oldest pair first, and D its diagonal: eight products,
    where the two loops over the pairs would be two hundred.

    Reference:
      Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their use in
      limited memory methods (1994), eq. 3.1.
    """
    scale = pairs.scale[:, None]
    p = product("lmk,lk->lm", pairs.s, grad)
    p = product("lmj,lj->lm", pairs.inverse, p)
    rest = scale * (image - product("lmk,lm->lk", pairs.images, p))
    q = pairs.curved * p - product("lmk,lk->lm", pairs.y, rest)
    q = product("lmj,lm->lj", pairs.inverse, q)
    return rest + product("lmk,lm->lk", pairs.s, q)


def _pushed(rows, row):
    return jnp.concatenate([rows[:, 1:], row[:, None]], axis=1)


def _scale(curved, bend):
    return jnp.where(bend > 0, curved / jnp.where(bend > 0, bend, 1), 1)


def learnt_hessian(hessian: Array, s: Array, y: Array) -> Array:
    """Hessians [L, K, K] that know of a step s and its change y of the gradient, [L, K] each.

    A step without curvature, such as 0, leaves a Hessian as it is.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), equation 6.19.
    """
    image = product("lpq,lq->lp", hessian, s)
    curved, expected = product("lp,lp->l", s, y), product("lp,lp->l", s, image)
    learns = (expected > 0) & (curved > LEAST * expected)
    new = jnp.where(learns, 1 / jnp.where(learns, curved, 1), 0)[:, None, None]
    old = jnp.where(learns, 1 / jnp.where(learns, expected, 1), 0)[:, None, None]
    return hessian + new * y[:, :, None] * y[:, None] - old * image[:, :, None] * image[:, None]
