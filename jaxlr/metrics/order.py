"""Scores in descending order: floats as unsigned keys, so that one plain integer sort is enough.

XLA's CPU sort calls a comparator for every pair of floats, or of rows with a payload, and a native
loop for bare integers, five times faster. So a score becomes an integer key of the same order, and
what must travel with it (a label, a row number) rides in the low bits of the same integer.
"""

from typing import NamedTuple

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


def keys(scores: Array, absent: Array | None = None) -> Array:
    """Unsigned keys [N] whose ascending order is the scores' descending order.

    uint32 for scores of up to 32 bits and uint64 for longer ones. Equal scores have equal keys,
    0.0 and -0.0 too. Absent rows come last of all.
    """
    scores = _sortable(scores)
    unsigned = jnp.uint64 if scores.dtype.itemsize == 8 else jnp.uint32
    width = 8 * scores.dtype.itemsize
    sign = jnp.asarray(1 << (width - 1), unsigned)
    if jnp.issubdtype(scores.dtype, jnp.floating):
        # Floats sort like sign-and-magnitude integers: flip all bits of a negative, the sign of
        # a positive. The complement of that puts the greatest first.
        bits = jax.lax.bitcast_convert_type(jnp.where(scores == 0, 0, scores), unsigned)
        ascending = jnp.where(bits >= sign, ~bits, bits | sign)
    else:
        ascending = scores.astype(unsigned) ^ sign
    if absent is None:
        return ~ascending
    return jnp.where(absent, ~jnp.zeros((), unsigned), ~ascending)


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


def ranked(scores: Array, absent: Array | None = None) -> Ranking:
    """The order of the rows by descending score; equal scores stay in the order of the rows."""
    key = keys(scores, absent)
    if key.dtype == jnp.uint64:
        # Least significant half first: each sort is stable, since the row number breaks ties.
        by_low = _order(key.astype(jnp.uint32))
        rows = by_low[_order((key >> 32).astype(jnp.uint32)[by_low])]
    else:
        rows = _order(key)
    sorted_key = key[rows]
    last = jnp.concatenate([sorted_key[1:] != sorted_key[:-1], jnp.ones(1, bool)])
    return Ranking(rows, last)


def ends(last: Array) -> Array:
    """[N] the place where each place's tie ends."""
    here = jnp.arange(last.shape[0], dtype=jnp.int32)
    return jax.lax.cummin(jnp.where(last, here, last.shape[0]), reverse=True)


def counts_before(hits: Array) -> Array:
    """[N] how many of `hits` [N] are True up to and including each place; exact, in int32.

    Thirty-two hits make a word, words are few, and within a word a population count does the rest:
    several times faster on a CPU than a cumulative sum.
    """
    num_rows = hits.shape[0]
    bits = jnp.arange(32, dtype=jnp.uint32)[None, :]
    words = _words(hits)
    per_word = jax.lax.population_count(words).astype(jnp.int32)
    before = (jnp.cumsum(per_word) - per_word)[:, None]
    up_to_here = jnp.uint32(0xFFFFFFFF) >> (31 - bits)
    within = jax.lax.population_count(words[:, None] & up_to_here).astype(jnp.int32)
    return (before + within).reshape(-1)[:num_rows]


def tied_before(key: Array, hits: Array) -> Array:
    """[N] how many of `hits` are True among places of the same key, up to and including each.

    Three doublings serve ties of up to eight; only where a longer one exists is the exact answer
    for any length worked out. That is a loop of one turn, not a `cond`: under `vmap` a `cond` does
    both branches, whereas a loop is skipped as long as no lane wants it.
    """

    def turn(state):
        # The barrier keeps XLA from moving this work out of the loop, where it would always run.
        _, here, same = jax.lax.optimization_barrier((state, hits, _same_as_behind(key, 1)))
        total = counts_before(here)
        before_tie = jax.lax.cummax(jnp.where(same, 0, total - here.astype(jnp.int32)))
        return jnp.asarray(False), total - before_tie

    count, longest = hits.astype(jnp.int32), 1
    while longest < 8:
        behind = jnp.pad(count, (longest, 0))[: key.shape[0]]
        count = count + jnp.where(_same_as_behind(key, longest), behind, 0)
        longest *= 2
    state = (jnp.any(_words(_same_as_behind(key, longest)) != 0), count)
    return jax.lax.while_loop(lambda state: state[0], turn, state)[1]


def blocks(values: Array, filler=0) -> Array:
    """[N] -> [ceil(N / 32), 32], filled up.

    XLA on a CPU breaks a long reduction into windows and writes the whole operand out first. Sums
    over rows of 32 are fused with what makes their operand: ten times faster.
    """
    num_blocks = -(-values.shape[0] // 32)
    filled = jnp.pad(values, (0, 32 * num_blocks - values.shape[0]), constant_values=filler)
    return filled.reshape(num_blocks, 32)


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


def _sortable(scores: Array) -> Array:
    """Scores as a type whose bits sort: 32 or 64 bits; bfloat16 and float16 widen exactly."""
    if scores.dtype == jnp.bool_:
        return scores.astype(jnp.int32)
    if jnp.issubdtype(scores.dtype, jnp.unsignedinteger):
        return scores.astype(jnp.int64)
    if scores.dtype.itemsize < 4:
        floating = jnp.issubdtype(scores.dtype, jnp.floating)
        return scores.astype(jnp.float32 if floating else jnp.int32)
    return scores
