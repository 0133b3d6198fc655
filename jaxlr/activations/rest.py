"""One class against the rest: the parts of softmax in which nothing cancels and nothing is lost.

With e = exp(z - max z) three things are usually lost, and are kept here:

- the rounding of z - max z, which exp turns into a relative error of |z - max z| / 2 ulp;
- the sum of the *other* probabilities, which is not 1 - p once p rounds to 1: the class is
  masked before the sum;
- what falls below the smallest normal number beside the maximum, but not beside the
  largest of the rest: the rest is measured from its own maximum.

The mask costs a pass over memory. Rows wider than 64 classes go without it: there 1 - p
is right to an ulp of 1, not of itself.
"""

from math import exp, floor, log
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

NARROW = 64


class Split(NamedTuple):
    """The probabilities of one class and of the others.

    own [..., 1]; rest [..., 1] their sum; others [..., C], each, meaningless at the class
    itself; loss [..., 1] is -log(own).
    """

    own: Array
    rest: Array
    others: Array
    loss: Array


def split(logits: Array, index: Array) -> Split:
    """The class `index` [...] of logits [..., C] against the rest; an index outside makes NaN."""
    num_classes = logits.shape[-1]
    inside = (index >= 0) & (index < num_classes)
    own = jnp.take_along_axis(logits, jnp.where(inside, index, 0)[..., None], axis=-1)
    own = jnp.where(inside[..., None], own, jnp.nan)
    if num_classes > NARROW:
        return _split_wide(logits, own)
    return _split_narrow(jnp.where(is_class(index, num_classes), -jnp.inf, logits), own)


def is_class(index: Array, num_classes: int) -> Array:
    """Where the last axis is `index`, [..., C] booleans."""
    return jax.nn.one_hot(index, num_classes, dtype=bool)


def total(a: Array) -> Array:
    """Σ a over the last axis, [..., 1]; a narrow row in two halves, to halve its rounding."""
    if not 4 < a.shape[-1] <= NARROW:
        return jnp.sum(a, axis=-1, keepdims=True)
    left, right = jnp.split(a, [a.shape[-1] // 2], axis=-1)
    return jnp.sum(left, axis=-1, keepdims=True) + jnp.sum(right, axis=-1, keepdims=True)


def finite(logits: Array) -> Array:
    """`logits` with the infinite ones at the ends of the format, so that no inf - inf arises."""
    largest = float(jnp.finfo(logits.dtype).max)
    return jnp.minimum(jnp.maximum(logits, -largest), largest)


def exponentials(logits: Array) -> tuple[Array, Array]:
    """exp(logits - shift) over the last axis, and the shift [..., 1].

    The shift is an integer towards 0, as far as Σ e and 1 / Σ e stay normal numbers:
    where p is one too, logits - shift shrinks the number it starts from, and so is exact.
    """
    # No select and no clamp: XLA's CPU backend fuses a row's reductions only without them.
    room = floor(-log(float(jnp.finfo(logits.dtype).tiny)) - log(logits.shape[-1])) - 1
    top = finite(jnp.max(logits, axis=-1, keepdims=True))
    shift = jnp.floor(jnp.minimum(top, jnp.maximum(0, top - room)))
    return jnp.exp(jnp.minimum(logits, top) - shift), shift


def _split_narrow(masked: Array, own: Array) -> Split:
    """A logistic regression of `own` against the others, whose class is at -inf in `masked`."""
    top = jnp.max(masked, axis=-1, keepdims=True)
    own = jnp.where((own == -jnp.inf) & (top == -jnp.inf), jnp.nan, own)
    gap, lost = _difference(jnp.minimum(masked, finite(top)), finite(top))
    e = jnp.exp(gap)
    e += e * lost
    rest = total(e)
    # Whichever is behind, own or the rest, is scaled by exp(-|gap|). exp(8) stays apart until
    # rest is in the product: exp(-|gap|) alone may be no normal number where the product is.
    gap, lost = _difference(finite(own), finite(top))
    far = jnp.abs(gap) > -log(float(jnp.finfo(gap.dtype).tiny)) - 16
    behind = jnp.exp(jnp.where(far, 8, 0) - jnp.abs(gap))
    behind -= behind * jnp.sign(gap) * lost
    unit = jnp.where(far, exp(-8), 1)
    own_e = jnp.where(gap < 0, unit * behind, 1)
    scaled = jnp.where(gap < 0, rest, rest * unit * behind)
    whole = own_e + scaled
    each = e * (jnp.where(gap < 0, 1, unit * behind) / whole)
    loss = jnp.where(gap < 0, jnp.log(whole) - gap, jnp.log1p(scaled))
    gap_is_infinite = (top - own) == jnp.inf
    return Split(own_e / whole, scaled / whole, each, jnp.where(gap_is_infinite, jnp.inf, loss))


def _split_wide(logits: Array, own: Array) -> Split:
    e, shift = exponentials(logits)
    top = jnp.max(logits, axis=-1, keepdims=True)
    own_e, whole = jnp.exp(finite(own) - shift), total(e)
    rest = jnp.maximum(0, whole - own_e)
    gap = jnp.where(own == top, 0, top - own)
    loss = gap + jnp.log(whole * jnp.exp(shift - finite(top)))
    return Split(own_e / whole, rest / whole, e / whole, loss)


def _difference(a: Array, b: Array) -> tuple[Array, Array]:
    """a - b rounded, and what the rounding took (Knuth's two-sum), where that matters to exp."""
    gap = a - b
    back = gap - a
    lost = (a - (gap - back)) - (b + back)
    return gap, jnp.where(jnp.abs(lost) < 1, lost, 0)
