"""The two areas of one column of scores: under the ROC curve, and average precision.

Both are read off the labels in descending score with no curve drawn: AUC is a count of pairs and
average precision a sum over ties. Unweighted they are exact integers until the last division.
"""

import jax.numpy as jnp
from jax import lax

from jaxlr.metrics.curves import Vertices
from jaxlr.metrics.order import Tally, blocks, count_blocks, sorted_labels, tally, with_ties
from jaxlr.metrics.wide import in_range
from jaxlr.pytypes import Array


def pair_share(scores: Array, positive: Array) -> Array:
    """AUC of [N] scores: the share of (positive, negative) pairs in the right order, ties a half.

    Twice the pairs won are counted in int64, so the one division of two exact numbers is the only
    rounding. NaN when either class is missing.
    """
    key, positive = sorted_labels(scores, positive)
    twice_won, num_negatives = with_ties(key, positive, _twice_won, positive)
    num_positives = positive.shape[0] - num_negatives
    pairs = (num_positives * num_negatives).astype(jnp.float64)
    return twice_won.astype(jnp.float64) / (2 * pairs)


def _twice_won(tied: Array, positive: Array) -> tuple[Array, Array]:
    """(2 × pairs won with ties a half, negatives) from labels in descending score.

    With positives first among equals, the negative at place i has i positives and negatives before
    it, so Σ i - n(n-1)/2 counts the pairs won or tied; `tied` [N] are the positives tied with it.
    """
    # Two sums in one int64, the number of negatives of a block in its low byte: half the passes.
    place = jnp.arange(32, dtype=jnp.int32)[None, :]
    share = (2 * place - blocks(tied)).astype(jnp.int64)
    packed = jnp.sum(jnp.where(blocks(positive, True), 0, (share << 8) + 1), axis=1)
    negatives, within = packed & 255, packed >> 8
    first = 64 * jnp.arange(packed.shape[0], dtype=jnp.int64)
    count = jnp.sum(negatives)
    return jnp.sum(within + first * negatives) - count * (count - 1), count


def precision_area(scores: Array, positive: Array) -> Array:
    """Average precision of [N] scores, Σ (recall gained) × precision over ties.

    0 when nothing is positive.
    """
    key, positive = sorted_labels(scores, positive)
    last = jnp.concatenate([key[1:] != key[:-1], jnp.ones(1, bool)])
    hits = tally(positive)
    num_positives = jnp.sum(lax.population_count(hits.words).astype(jnp.float64))
    return with_ties(key, positive, _gains, last, hits) / jnp.maximum(num_positives, 1.0)


def _gains(gained: Array, last: Array, hits: Tally) -> Array:
    """Σ over ties of (positives gained) × precision, read at the last place of each tie."""
    found = count_blocks(hits)
    place = jnp.arange(1, found.size + 1, dtype=jnp.int32).reshape(found.shape)
    precision = found.astype(jnp.float64) / place.astype(jnp.float64)
    terms = jnp.where(blocks(last), blocks(gained).astype(jnp.float64) * precision, 0.0)
    # The barrier keeps XLA from making one long sum of the two, see `blocks`.
    return jnp.sum(lax.optimization_barrier(jnp.sum(terms, axis=1)))


def weighted_pair_share(curve: Vertices) -> Array:
    """AUC from collapsed vertices, by the trapezoid rule; NaN when a class has no weight."""
    tp, fp = in_range(curve.tp), in_range(curve.fp)
    area = jnp.sum(_steps(fp) * (2 * tp - _steps(tp))) / 2
    return area / (tp[-1] * fp[-1])


def weighted_precision_area(curve: Vertices) -> Array:
    """Average precision from collapsed vertices; 0 when the positives have no weight."""
    flagged = curve.tp + curve.fp
    precision = jnp.where(flagged > 0, curve.tp / jnp.where(flagged > 0, flagged, 1.0), 0.0)
    total = jnp.where(curve.tp[-1] > 0, curve.tp[-1], 1.0)
    return jnp.sum(_steps(curve.tp) * precision) / total


def partial_pair_share(curve: Vertices, max_fpr: float) -> Array:
    """AUC over false positive rates 0…max_fpr, standardised to 0.5 for chance (McClish 1989)."""
    tpr, fpr = curve.tp / curve.tp[-1], curve.fp / curve.fp[-1]
    low_x = jnp.concatenate([jnp.zeros(1), fpr[:-1]])
    low_y = jnp.concatenate([jnp.zeros(1), tpr[:-1]])
    cut_x = jnp.minimum(fpr, max_fpr)
    run = jnp.maximum(cut_x - low_x, 0.0)
    slope = jnp.where(fpr > low_x, (tpr - low_y) / jnp.where(fpr > low_x, fpr - low_x, 1.0), 0.0)
    area = jnp.sum(run * (low_y + slope * run / 2))
    chance = max_fpr**2 / 2
    return (1 + (area - chance) / (max_fpr - chance)) / 2


def _steps(heights: Array) -> Array:
    return heights - jnp.concatenate([jnp.zeros(1, heights.dtype), heights[:-1]])
