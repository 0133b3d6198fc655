"""L-BFGS's inverse Hessian in compact form, on a preconditioner that the caller applies.

What a step needs is kept rather than made again: a new pair is one column of each matrix, and a
product takes eight small ones where the two loops over the pairs would take two hundred.

Reference:
  Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their use in limited
  memory methods (1994), eq. 3.1.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp

from jaxlr.pytypes import Array

dot = partial(jnp.dot, precision="highest")


class Pairs(NamedTuple):
    """The last M steps of D params, in a ring; 0 where there is none.

    Attributes:
      s, y: [M, D] steps, and changes of the gradient.
      images: [M, D] of y under the preconditioner B.
      inverse: [M, M] of what S Yᵀ has of steps against the same or later changes.
      curved: [M] sᵀy.
      scale: [] γ = sᵀy / yᵀBy of the newest pair.
    """

    s: Array
    y: Array
    images: Array
    inverse: Array
    curved: Array
    scale: Array


def no_pairs(params: Array, size: int) -> Pairs:
    """Before the first step from params [D], with room for M = `size` pairs."""
    rows = jnp.zeros((size, params.size), params.dtype)
    square = jnp.zeros((size, size), params.dtype)
    return Pairs(rows, rows, rows, square, square[0], jnp.ones((), params.dtype))


def learnt(pairs: Pairs, count: Array, s: Array, y: Array, image: Array) -> Pairs:
    """The pairs with the count-th step in the oldest one's place, [D] each.

    One without curvature, such as 0, is 0 there.
    """
    curved = dot(s, y)
    learns = curved > 1e-10 * jnp.sqrt(dot(s, s) * dot(y, y))
    curved = jnp.where(learns, curved, 1)
    s, y, image = (jnp.where(learns, row, 0) for row in (s, y, image))
    # A triangle loses its first row and column, and its inverse does; the new column is solved.
    size = len(pairs.s)
    place = count % size
    here = jnp.arange(size, dtype=count.dtype) == place
    rest = jnp.where(here[:, None] | here[None], 0, pairs.inverse)
    column = -dot(rest, dot(pairs.s, y)) / curved
    column = jnp.where(here, jnp.where(learns, 1 / curved, 0), column)
    return Pairs(
        pairs.s.at[place].set(s),
        pairs.y.at[place].set(y),
        pairs.images.at[place].set(image),
        jnp.where(here, column[:, None], rest),
        pairs.curved.at[place].set(jnp.where(learns, curved, 0)),
        jnp.where(learns, over(curved, dot(y, image)), pairs.scale),
    )


def remade(pairs: Pairs, newest: Array, images: Array) -> Pairs:
    """The pairs under another preconditioner, with the images [M, D] of y under that."""
    bend = dot(pairs.y[newest], images[newest])
    return pairs._replace(images=images, scale=over(pairs.curved[newest], bend))


def inverse_hessian(pairs: Pairs, grad: Array, image: Array) -> Array:
    """The inverse Hessian times grad g; `image` is B g, all [D].

        H g = γ (B g - B Y p) + S q,   p = R⁻¹ Sᵀg,   q = R⁻ᵀ (D p + γ Yᵀ(B Y p - B g))

    with R the upper triangle of SᵀY, oldest pair first, and D its diagonal; in a ring R is that but
    for the order of its rows and columns.
    """
    p = dot(pairs.inverse, dot(pairs.s, grad))
    rest = pairs.scale * (image - dot(p, pairs.images))
    q = dot(pairs.curved * p - dot(pairs.y, rest), pairs.inverse)
    return rest + dot(q, pairs.s)


def over(curved: Array, bend: Array) -> Array:
    """curved / bend, 1 where bend isn't positive."""
    return jnp.where(bend > 0, curved / jnp.where(bend > 0, bend, 1), 1)
