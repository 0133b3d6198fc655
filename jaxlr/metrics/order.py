"""Scores in descending order: floats as unsigned keys, so that one plain integer sort is enough.

XLA's CPU sort calls a comparator for every pair of floats, or of rows with a payload, and a native
loop for bare integers, five times faster. So a score becomes an integer key of the same order, and
what must travel with it (a label, a row number) rides in the low bits of the same integer.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array


class Ranking(NamedTuple):
    """Rows in descending score.

    `rows` [N] is which row stands at each place; `last` [N] whether the next place has a lower
    score, so that the last place of each tie is marked.
    """

    rows: Array
    last: Array


def keys(scores: Array) -> Array:
    """Unsigned keys [N] whose ascending order is the scores' descending order.

    uint32 for scores of up to 32 bits and uint64 for longer ones. Equal scores have equal keys,
    0.0 and -0.0 too.
    """
    scores = jax.lax.stop_gradient(scores)
    unsigned = jnp.uint64 if scores.dtype.itemsize == 8 else jnp.uint32
    width = 8 * scores.dtype.itemsize
    sign = jnp.asarray(1 << (width - 1), unsigned)
    if jnp.issubdtype(scores.dtype, jnp.floating):
        # Floats sort like sign-and-magnitude integers: flip all bits of a negative, the sign of
        # a positive. The complement of that puts the greatest first. Zero is told by its bits,
        # because a comparison takes a subnormal for zero.
        bits = jax.lax.bitcast_convert_type(scores, unsigned)
        bits = jnp.where(bits == sign, 0, bits)
        ascending = jnp.where(bits >= sign, ~bits, bits | sign)
    elif jnp.issubdtype(scores.dtype, jnp.signedinteger):
        ascending = scores.astype(unsigned) ^ sign
    else:
        ascending = scores
    return ~ascending


def sorted_labels(scores: Array, positive: Array) -> tuple[Array, Array]:
    """(keys [N], positive [N]) in descending score, positives first among equal scores."""
    low = (~positive).astype(jnp.uint64)
    key = keys(scores)
    if key.dtype == jnp.uint64:
        order = ranked(scores)
        # A 64-bit key leaves no bit for the label, so ties are brought in order by a second sort.
        place = jnp.cumsum(jnp.roll(order.last, 1).at[0].set(False)).astype(jnp.uint64)
        packed = jax.lax.sort((place << 1) | low[order.rows])
    else:
        packed = jax.lax.sort((key.astype(jnp.uint64) << 1) | low)
    return packed >> 1, (packed & 1) == 0


def ranked(scores: Array) -> Ranking:
    """The order of the rows by descending score; equal scores stay in the order of the rows.

    It knows nothing of weights, so lanes that differ in weights alone share one sort.
    """
    key = keys(scores)
    if key.dtype == jnp.uint64:
        # Least significant half first: each sort is stable, since the row number breaks ties.
        by_low = _order(key.astype(jnp.uint32))
        rows = by_low[_order((key >> 32).astype(jnp.uint32)[by_low])]
    else:
        rows = _order(key)
    sorted_key = key[rows]
    last = jnp.concatenate([sorted_key[1:] != sorted_key[:-1], jnp.ones(1, bool)])
    return Ranking(rows, last)


def starts(last: Array) -> Array:
    """[N] the place where each place's tie starts."""
    here = jnp.arange(last.shape[0], dtype=jnp.int32)
    first = jnp.concatenate([jnp.ones(1, bool), last[:-1]])
    return jax.lax.cummax(jnp.where(first, here, 0))


def ends(last: Array) -> Array:
    """[N] the place where each place's tie ends."""
    here = jnp.arange(last.shape[0], dtype=jnp.int32)
    return jax.lax.cummin(jnp.where(last, here, last.shape[0]), reverse=True)


class Tally(NamedTuple):
    """Hits as words of thirty-two bits, and how many hits stand before each word."""

    words: Array
    before: Array


def tally(hits: Array) -> Tally:
    """The words of `hits` [N], from which `count_blocks` counts."""
    words = _words(hits)
    per_word = jax.lax.population_count(words).astype(jnp.int32)
    return Tally(words, jnp.cumsum(per_word) - per_word)


def count_blocks(hits: Tally) -> Array:
    """How many hits stand up to and including each place, as `blocks`; exact, int32.

    Words are few, and within a word a population count does the rest: several times faster on a
    CPU than a cumulative sum, and cheap enough to be done again rather than stored.
    """
    up_to_here = jnp.uint32(0xFFFFFFFF) >> (31 - jnp.arange(32, dtype=jnp.uint32)[None, :])
    within = jax.lax.population_count(hits.words[:, None] & up_to_here).astype(jnp.int32)
    return hits.before[:, None] + within


def blocks(values: Array, filler=0) -> Array:
    """[N] -> [ceil(N / 32), 32], filled up.

    XLA on a CPU breaks a long reduction into windows and writes the whole operand out first. Sums
    over rows of 32 are fused with what makes their operand: up to ten times faster.
    """
    num_blocks = -(-values.shape[0] // 32)
    filled = jnp.pad(values, (0, 32 * num_blocks - values.shape[0]), constant_values=filler)
    return filled.reshape(num_blocks, 32)


def with_ties(key: Array, hits: Array, figure: Callable, *operands: Any) -> Any:
    """figure(tied, *operands), tied [N] counting the hits among equal keys up to each place.

    Ties of up to four are found in passing. Only where a longer one exists is it done for any
    length, in a loop of one turn. Not a `cond`: under `vmap` a `cond` does both branches, whereas
    a loop is skipped as long as no lane wants it, and as it carries only the figure, skipping it
    costs nothing.
    """

    def turn(state):
        # The barrier keeps XLA from moving this work out of the loop, where it would always run.
        inside = (state, hits, _same_as_behind(key, 1), operands)
        _, here, same, given = jax.lax.optimization_barrier(inside)
        return jnp.asarray(False), figure(_tied_anywhere(same, here), *given)

    longer = jnp.any(_words(_same_as_behind(key, 4)) != 0)
    state = (longer, figure(_tied_nearby(key, hits), *operands))
    return jax.lax.while_loop(lambda state: state[0], turn, state)[1]


def _tied_nearby(key: Array, hits: Array) -> Array:
    """A segmented sum by two doublings: right as long as no tie is longer than four."""
    count = hits.astype(jnp.int32)
    for distance in (1, 2):
        behind = jnp.pad(count, (distance, 0))[: key.shape[0]]
        count = count + jnp.where(_same_as_behind(key, distance), behind, 0)
    return count


def _tied_anywhere(same: Array, hits: Array) -> Array:
    total = count_blocks(tally(hits)).reshape(-1)[: hits.shape[0]]
    return total - jax.lax.cummax(jnp.where(same, 0, total - hits.astype(jnp.int32)))


def _words(hits: Array) -> Array:
    """Thirty-two hits in the bits of each word."""
    bits = jnp.arange(32, dtype=jnp.uint32)[None, :]
    return jnp.sum(blocks(hits).astype(jnp.uint32) << bits, axis=1, dtype=jnp.uint32)


def _same_as_behind(key: Array, distance: int) -> Array:
    """[N] whether the place `distance` before has the same key; False where there is none."""
    same = key[distance:] == key[: max(key.shape[0] - distance, 0)]
    return jnp.pad(same, (min(distance, key.shape[0]), 0))


def _order(key: Array) -> Array:
    """The stable ascending order of uint32 keys, as row numbers."""
    rows = jnp.arange(key.shape[0], dtype=jnp.uint64)
    packed = jax.lax.sort((key.astype(jnp.uint64) << 32) | rows)
    return packed.astype(jnp.uint32).astype(jnp.int32)
