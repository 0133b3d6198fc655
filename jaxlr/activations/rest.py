"""One class against the rest: the parts of softmax in which nothing cancels and nothing is lost.

With e = exp(z - max z) three things are usually lost, and are kept here:

- the rounding of z - max z, which exp turns into a relative error of |z - max z| / 2 ulp:
  it is found, and put right to first order;
- the sum of the *other* probabilities, which is not 1 - p once p rounds to 1: the class is
  left out of the sum;
- what falls below the smallest normal number beside the maximum, but counts in that sum:
  the logits are measured from a point below the maximum.

This takes more passes over memory. Rows wider than 64 classes are summed whole, with an
exact shift: there every p is as good, but 1 - p is right to an ulp of 1, not of itself.
"""

from math import floor, log
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

NARROW = 64
_HEADROOM = {4: 20, 8: 45}  # nats below the maximum: exp(-headroom) < one ulp / 64


class Split(NamedTuple):
    """One class and the rest, by exponentials with a common scale.

    e [..., C]; own [..., 1] that of the class; rest [..., 1] the sum of the others;
    loss [..., 1] is log(1 + rest / own).
    """

    e: Array
    own: Array
    rest: Array
    loss: Array


def split(logits: Array, index: Array) -> Split:
    """The class `index` [...] of logits [..., C] and the rest; the loss is NaN if there is none."""
    num_classes = logits.shape[-1]
    inside = (index >= 0) & (index < num_classes)
    own = jnp.take_along_axis(logits, jnp.where(inside, index, 0)[..., None], axis=-1)
    own = jnp.where(inside[..., None], own, jnp.nan)
    top = jnp.max(logits, axis=-1, keepdims=True)
    gap = jnp.where(own == top, 0, top - own)
    if num_classes > NARROW:
        e, shift = exponentials(logits)
        own_e = jnp.exp(jnp.minimum(own, finite(top)) - shift)
        loss = gap + jnp.log(total(e) * jnp.exp(shift - finite(top)))
        return Split(e, own_e, jnp.maximum(0, total(e) - own_e), loss)
    is_own = is_class(index, num_classes)
    e, below = exponentials_with_headroom(logits)
    own_e, rest = total(jnp.where(is_own, e, 0)), total(jnp.where(is_own, 0, e))
    # rest / own_e overflows at a large gap, where log(own_e + rest) need not be as close.
    near = gap < 60
    loss = jnp.log1p(jnp.where(near, rest / own_e, own_e + rest - 1))
    return Split(e, own_e, rest, loss + jnp.where(near, 0, gap - (finite(top) - below)))


def exponentials_with_headroom(logits: Array) -> tuple[Array, Array]:
    """exp(logits - below) over the last axis, and `below` [..., 1], under the maximum."""
    top = finite(jnp.max(logits, axis=-1, keepdims=True))
    below = top - _HEADROOM[logits.dtype.itemsize]
    z = jnp.minimum(logits, top)
    # What rounding takes from z - below (Knuth's two-sum), and its first-order effect on exp.
    gap = z - below
    back = gap - z
    lost = (z - (gap - back)) - (below + back)
    e = jnp.exp(gap)
    return jnp.where(e > 0, e + e * lost, e), below


def is_class(index: Array, num_classes: int) -> Array:
    """Where the last axis is `index`, [..., C] booleans."""
    return jax.nn.one_hot(index, num_classes, dtype=bool)


def total(a: Array) -> Array:
    """Σ a over the last axis, [..., 1]."""
    return jnp.sum(a, axis=-1, keepdims=True)


def finite(logits: Array) -> Array:
    """`logits` with the infinite ones at the ends of the format, so that no inf - inf arises."""
    largest = float(jnp.finfo(logits.dtype).max)
    return jnp.minimum(jnp.maximum(logits, -largest), largest)


def exponentials(logits: Array) -> tuple[Array, Array]:
    """exp(logits - shift) over the last axis, and the shift [..., 1].

    The shift is an integer towards 0, as far as Σ e and 1 / Σ e stay normal numbers:
    where p is one too, logits - shift shrinks the number it starts from, and so is exact.
    """
    room = floor(-log(float(jnp.finfo(logits.dtype).tiny)) - log(logits.shape[-1])) - 1
    top = finite(jnp.max(logits, axis=-1, keepdims=True))
    shift = jnp.floor(jnp.minimum(top, jnp.maximum(0, top - room)))
    return jnp.exp(jnp.minimum(logits, top) - shift), shift


def sum_of_others(a: Array) -> Array:
    """Σ_{j≠k} a_j for every k of the last axis; for a ≥ 0 nothing cancels in a narrow row."""
    others = total(a) - a
    if a.shape[-1] > NARROW:
        return others
    is_top = is_class(jnp.argmax(a, axis=-1), a.shape[-1])
    return jnp.where(is_top, total(jnp.where(is_top, 0, a)), others)
