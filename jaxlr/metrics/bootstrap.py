"""Bootstrap intervals for any metric, as one vmapped program.

A resample is a weight for every row: how often it was drawn. So nothing is gathered, a metric that
takes `sample_weight` needs no change, and what doesn't depend on weights (the sort under an AUC)
is done once for all resamples.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxlr.metrics import checks
from jaxlr.metrics.delong import Interval
from jaxlr.pytypes import Array


def bootstrap_interval(
    metric: Callable,
    key: Array,
    *arrays,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    strata=None,
    method: str = "percentile",
    chunk: int | None = None,
) -> Interval:
    """A bootstrap interval for metric(*arrays, sample_weight=…) (Efron 1979).

    Args:
      metric: returns a float, or a pytree of them; pure, and usable inside `jit`.
      key: a random key, consumed.
      arrays: [N, ...] each, as `metric` takes them.
      num_resamples: R, static.
      confidence: in (0, 1), static.
      strata: [N] integers; rows are drawn within their stratum, so that class sizes stay as they
        are. None draws from all rows.
      method: "percentile"; "basic", which reflects it about the estimate; or "normal".
      chunk: resamples at a time, for less memory; None for all at once.

    Returns:
      Interval of the metric's own structure. Resamples in which the metric is NaN (an AUC of one
      class) are left out.

    Raises:
      ValueError: confidence, method or num_resamples out of range.
    """
    checks.one_of("method", method, ("percentile", "basic", "normal"))
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), and is {confidence}")
    if num_resamples < 2:
        raise ValueError(f"num_resamples must be at least 2, and is {num_resamples}")
    checks.same_length(**{f"array {i}": a for i, a in enumerate(arrays)})
    arrays = tuple(jnp.asarray(a) for a in arrays)
    strata = None if strata is None else jnp.asarray(strata)
    spread = _replicates(metric, key, arrays, strata, num_resamples, chunk)
    estimate = jax.jit(metric)(*arrays, sample_weight=jnp.ones(arrays[0].shape[0], jnp.int32))
    ends = functools.partial(_ends, confidence=confidence, method=method)
    parts = [ends(e, r) for e, r in zip(*map(jax.tree.leaves, (estimate, spread)), strict=True)]
    structure = jax.tree.structure(estimate)
    return Interval(*(jax.tree.unflatten(structure, part) for part in zip(*parts, strict=True)))


@functools.partial(jax.jit, static_argnames=("metric", "num_resamples", "chunk"))
def _replicates(metric, key, arrays, strata, num_resamples, chunk):
    """The metric of each resample, [R, ...]."""

    def one(key):
        return metric(*arrays, sample_weight=resample(key, arrays[0].shape[0], strata))

    keys = jax.random.split(key, num_resamples)
    if chunk is None:
        return jax.vmap(one)(keys)
    return jax.lax.map(one, keys, batch_size=chunk)


def resample(key: Array, num_rows: int, strata: Array | None = None) -> Array:
    """[N] how often each row is drawn, with replacement, within its stratum if there are strata."""
    if strata is None:
        drawn = jax.random.randint(key, (num_rows,), 0, num_rows)
    else:
        order = jnp.argsort(strata)
        ranks = strata[order]
        first = jnp.searchsorted(ranks, ranks, side="left")
        size = jnp.searchsorted(ranks, ranks, side="right") - first
        uniform = jax.random.uniform(key, (num_rows,))
        offset = jnp.minimum((uniform * size.astype(uniform.dtype)).astype(size.dtype), size - 1)
        drawn = order[first + offset]
    counts = jnp.zeros(num_rows, jnp.int32)
    return counts.at[drawn].add(1, mode="promise_in_bounds")


@functools.partial(jax.jit, static_argnames=("confidence", "method"))
def _ends(estimate: Array, replicates: Array, *, confidence: float, method: str) -> Interval:
    error = jnp.nanstd(replicates, axis=0, ddof=1)
    tail = (1 - confidence) / 2
    low, high = (jnp.nanquantile(replicates, q, axis=0) for q in (tail, 1 - tail))
    if method == "basic":
        low, high = 2 * estimate - high, 2 * estimate - low
    elif method == "normal":
        reach = jax.scipy.special.ndtri(1 - tail) * error
        low, high = estimate - reach, estimate + reach
    return Interval(estimate, error, low, high)
