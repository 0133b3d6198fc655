"""What steps teach about Hessians, for many lanes.

The inverse Hessian of L-BFGS on a metric is in compact form, and what a step needs is kept rather
than made again: a new pair is one column of each matrix. A whole Hessian learns by BFGS itself.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.pytypes import Array

PAIRS = 8
CANCELS = 1e-6  # what an update may leave of 1 before it has lost too many digits
LEAST = 1e-3  # of the curvature that was expected: from less than this a Hessian learns nothing
product = partial(jnp.einsum, precision="highest")


class Pairs(NamedTuple):
    """The last M steps of L lanes with K params each, in a ring; 0 where there is none.

    Attributes:
      s, y: [L, M, K] steps, and changes of the gradient.
      images: [L, M, K] of y under the metric B.
      inverse: [L, M, M] of what SᵀY has of steps against the same or later changes.
      curved: [L, M] sᵀy.
      scale: [L] γ = sᵀy / yᵀBy of the newest pair.
      count: [] of all pairs so far: the next takes the place count % M.
    """

    s: Array
    y: Array
    images: Array
    inverse: Array
    curved: Array
    scale: Array
    count: Array


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
        jnp.int32(0),
    )


def learnt(pairs: Pairs, s: Array, y: Array, image: Array, lanes: Array) -> Pairs:
    """The pairs with a new one in the oldest one's place, [L, K] each.

    It is 0 in lanes [L] that aren't these, and where it has no curvature.
    """
    curved = jnp.sum(s * y, axis=1)
    long = jnp.sum(s**2, axis=1) * jnp.sum(y**2, axis=1)
    learns = lanes & (curved > 1e-10 * jnp.sqrt(long))
    curved = jnp.where(learns, curved, 1)
    s, y, image = (jnp.where(learns[:, None], row, 0) for row in (s, y, image))
    # A triangle loses its first row and column, and its inverse does; the new column is solved.
    place = pairs.count % PAIRS
    here = jnp.arange(PAIRS, dtype=jnp.int32) == place
    rest = jnp.where(here[:, None] | here[None], 0, pairs.inverse)
    column = product("lmk,lk->lm", pairs.s, y)
    column = -product("lmj,lj->lm", rest, column) / curved[:, None]
    column = jnp.where(here, jnp.where(learns, 1 / curved, 0)[:, None], column)
    bend = jnp.sum(y * image, axis=1)
    return Pairs(
        pairs.s.at[:, place].set(s),
        pairs.y.at[:, place].set(y),
        pairs.images.at[:, place].set(image),
        jnp.where(here, column[:, :, None], rest),
        pairs.curved.at[:, place].set(jnp.where(learns, curved, 0)),
        jnp.where(learns, _scale(curved, bend), pairs.scale),
        pairs.count + 1,
    )


def remeasured(pairs: Pairs, images: Array) -> Pairs:
    """The pairs under another metric, with the images [L, M, K] of y under that."""
    newest = (pairs.count - 1) % PAIRS
    bend = jnp.sum(pairs.y[:, newest] * images[:, newest], axis=1)
    return pairs._replace(images=images, scale=_scale(pairs.curved[:, newest], bend))


def inverse_hessian(pairs: Pairs, grad: Array, image: Array) -> Array:
    """L-BFGS's inverse Hessian on the metric B, times grad g; `image` is B g, all [L, K].

        H g = γ (B g - B Y p) + S q,   p = R⁻¹ Sᵀg,   q = R⁻ᵀ (D p + γ Yᵀ(B Y p - B g))

    with R the upper triangle of SᵀY, oldest pair first, and D its diagonal; in a ring R is that but
    for the order of its rows and columns. Eight products, where the two loops over the pairs would
    be two hundred.

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


def _scale(curved, bend):
    return jnp.where(bend > 0, curved / jnp.where(bend > 0, bend, 1), 1)


def learnt_hessian(hessian: Array, s: Array, y: Array) -> Array:
    """Hessians [L, K, K] that know of a step s and its change y of the gradient, [L, K] each.

    A step without curvature, such as 0, leaves a Hessian as it is.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), equation 6.19.
    """
    image, new, old = _terms(hessian, s, y)
    return hessian + new * y[:, :, None] * y[:, None] - old * image[:, :, None] * image[:, None]


def learnt_inverse(
    inverse: Array, among: Array, hessian: Array, s: Array, y: Array
) -> tuple[Array, Array]:
    """What `learnt_hessian` does to its inverse among some coordinates [L, K], 0 elsewhere.

    Also whether the result [L] is to be trusted.
    """
    image, new, old = _terms(hessian, s, y)
    trusted = jnp.ones(len(s), bool)
    for vector, factor in ((y, new), (image, -old)):
        vector, factor = jnp.where(among, vector, 0), factor[:, 0, 0]
        through = product("lpq,lq->lp", inverse, vector)
        left = 1 + factor * jnp.sum(vector * through, axis=1)
        trusted &= left > CANCELS
        factor = factor / jnp.where(left > CANCELS, left, 1)
        inverse = inverse - factor[:, None, None] * through[:, :, None] * through[:, None]
    return inverse, trusted


def _terms(hessian, s, y):
    """H s [L, K], and the factors [L, 1, 1] of y yᵀ and of (H s)(H s)ᵀ in BFGS's update."""
    image = product("lpq,lq->lp", hessian, s)
    curved, expected = product("lp,lp->l", s, y), product("lp,lp->l", s, image)
    learns = (expected > 0) & (curved > LEAST * expected)
    new = jnp.where(learns, 1 / jnp.where(learns, curved, 1), 0)[:, None, None]
    old = jnp.where(learns, 1 / jnp.where(learns, expected, 1), 0)[:, None, None]
    return image, new, old
