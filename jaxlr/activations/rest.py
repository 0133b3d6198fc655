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

from functools import reduce
from math import floor, log
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

NARROW = 64
_HEADROOM = {4: 20, 8: 45}  # nats below the maximum: exp(-headroom) < one ulp / 64


class Split(NamedTuple):
    """One class and the rest, by exponentials with a common scale.

    e [..., C]; own [..., 1] that of the class; rest [..., 1] the sum of the others.
    """

    e: Array
    own: Array
    rest: Array


def split(logits: Array, index: Array) -> Split:
    """The class `index` [...] of logits [..., C] and the rest; own is NaN if there is none."""
    num_classes = logits.shape[-1]
    if num_classes > NARROW:
        e, shift = exponentials(logits)
        top = finite(jnp.max(logits, axis=-1, keepdims=True))
        own = jnp.exp(jnp.minimum(pick(logits, index), top) - shift)
        return Split(e, own, jnp.maximum(0, total(e) - own))
    is_own = is_class(index, num_classes)
    e = exponentials_with_headroom(logits)
    inside = (index >= 0) & (index < num_classes)
    own = jnp.where(inside[..., None], total(jnp.where(is_own, e, 0)), jnp.nan)
    return Split(e, own, total(jnp.where(is_own, 0, e)))


def loss_of_class(logits: Array, index: Array) -> Array:
    """-log p of the class `index` [...], [..., 1]; NaN if there is none."""
    own, top = pick(logits, index), largest(logits)
    gap = jnp.where((own == top) & (top > -jnp.inf), 0, top - own)  # NaN if all are -inf
    if logits.shape[-1] > NARROW:
        e, shift = exponentials(logits)
        return gap + jnp.log(total(e) * jnp.exp(shift - finite(top)))
    # log(1 + rest / own) beside the class itself: one exponential and one sum. Beyond a gap
    # of 60, where it would overflow, the class is nothing in the sum beside the maximum.
    near = gap < 60
    reference = jnp.where(near, finite(own), finite(top))
    below = reference - _HEADROOM[logits.dtype.itemsize]
    e = jnp.where(is_class(index, logits.shape[-1]), 0, _exponentials_from(below, logits, top))
    ratio = total(e) / _exponentials_from(below, reference, top)
    return jnp.log1p(jnp.where(near, ratio, ratio - 1)) + jnp.where(near, 0, gap)


def loss_of_largest(logits: Array, top: Array) -> Array:
    """-log p of a class whose logit is the maximum `top`, [..., 1]; for narrow rows.

    The classes that share the maximum are counted: that is quicker than to look for one.
    """
    below = finite(top) - _HEADROOM[logits.dtype.itemsize]
    e = _exponentials_from(below, logits, top)
    is_top = logits == top
    num_top = total(jnp.where(is_top, jnp.ones_like(e), 0))
    ratio = total(jnp.where(is_top, 0, e)) / _exponentials_from(below, top, top)
    return jnp.log1p(ratio + (num_top - 1))


def exponentials_with_headroom(logits: Array) -> Array:
    """exp(logits) over the last axis, with a common scale that the maximum is well above."""
    top = largest(logits)
    return _exponentials_from(finite(top) - _HEADROOM[logits.dtype.itemsize], logits, top)


def _exponentials_from(below: Array, logits: Array, top: Array) -> Array:
    """exp(logits - below), infinite logits as the format's largest; NaN if all are -inf."""
    z = jnp.where(logits > finite(top), finite(top), logits)
    # What rounding takes from z - below (Knuth's two-sum), and its first-order effect on exp.
    gap = z - jnp.where(top > -jnp.inf, below, jnp.nan)
    back = gap - z
    lost = (z - (gap - back)) - (below + back)
    e = jnp.exp(gap)
    return jnp.where(e > 0, e + e * lost, e)


def pick(logits: Array, index: Array) -> Array:
    """logits[index] over the last axis, [..., 1]; NaN if there is no such class."""
    if logits.shape[-1] <= NARROW:
        columns = _columns(logits)
        own = jnp.full_like(columns[0], jnp.nan)
        for k, column in enumerate(columns):
            own = jnp.where(index[..., None] == k, column, own)
        return own
    inside = (index >= 0) & (index < logits.shape[-1])
    own = jnp.take_along_axis(logits, jnp.where(inside, index, 0)[..., None], axis=-1)
    return jnp.where(inside[..., None], own, jnp.nan)


def largest(logits: Array) -> Array:
    """The maximum over the last axis, [..., 1], of the numbers that are not NaN.

    jnp.max looks for NaN at every step, and takes twice as long on a CPU.
    """
    if logits.shape[-1] <= NARROW:
        columns = _columns(logits)
        return reduce(_larger, columns, jnp.full_like(columns[0], -jnp.inf))
    lowest = jnp.asarray(-jnp.inf, logits.dtype)
    return jax.lax.reduce(logits, lowest, _larger, (logits.ndim - 1,))[..., None]


def _columns(logits: Array) -> list[Array]:
    """The classes one by one, [..., 1] each.

    XLA's CPU backend reduces a short axis in a loop of scalars, and columns in vectors.
    """
    return jnp.split(logits, logits.shape[-1], axis=-1)


def _larger(a: Array, b: Array) -> Array:
    return jnp.where(b > a, b, a)


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
