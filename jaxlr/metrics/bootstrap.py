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
from jaxlr.metrics.foreign import array_of
from jaxlr.metrics.labels import codes_in, column, distinct, labels_in
from jaxlr.metrics.wide import wide
from jaxlr.pytypes import Array


@wide
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
      arrays: [N, ...] each, as `metric` takes them; texts among them become the codes 0…C-1 of
        their sorted classes, since `metric` sees them inside `jit`.
      num_resamples: R, static.
      confidence: in (0, 1), static.
      strata: [N] labels of any kind; rows are drawn within their stratum, so that class sizes stay
        as they are. None draws from all rows.
      method: "percentile"; "basic", which reflects it about the estimate; or "normal".
      chunk: resamples at a time, for less memory; None for all at once.

    Returns:
      Interval of the metric's own structure. Resamples in which the metric is NaN (an AUC of one
      class) are left out.

    Raises:
      ValueError: confidence, method, num_resamples or chunk out of range, no rows, unlike lengths.
    """
    checks.one_of("method", method, ("percentile", "basic", "normal"))
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), and is {confidence}")
    num_resamples = checks.whole("num_resamples", num_resamples, at_least=2)
    chunk = None if chunk is None else checks.whole("chunk", chunk, at_least=0)
    arrays = _coded({f"array {i}": a for i, a in enumerate(arrays)})
    strata = None if strata is None else _strata(strata, arrays[0].shape[0])
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
        drawn = jax.random.randint(key, (num_rows,), 0, num_rows, jnp.int32)
    else:
        strata = _strata(strata, num_rows)
        order = jnp.argsort(strata)
        ranks = strata[order]
        first = jnp.searchsorted(ranks, ranks, side="left")
        size = jnp.searchsorted(ranks, ranks, side="right") - first
        uniform = jax.random.uniform(key, (num_rows,), jnp.float32)
        offset = jnp.minimum((uniform * size.astype(uniform.dtype)).astype(size.dtype), size - 1)
        drawn = order[first + offset]
    counts = jnp.zeros(num_rows, jnp.int32)
    return counts.at[drawn].add(1, mode="promise_in_bounds")


def _coded(arrays: dict) -> tuple[Array, ...]:
    """The arrays of one length as numbers: texts as codes in the order of all that occur."""
    found = {name: array_of(name, a) for name, a in arrays.items()}
    checks.same_length(**found)
    if not found or not next(iter(found.values())).shape[0]:
        raise ValueError("arrays must be given, with at least one row")
    texts = {name: labels_in(name, a)[0] for name, a in found.items() if a.dtype.kind in "UO"}
    if texts:
        classes = distinct(*(a.ravel() for a in texts.values()))
        found |= {name: codes_in(a, classes) for name, a in texts.items()}
    return tuple(jnp.asarray(a) for a in found.values())


def _strata(strata, num_rows: int) -> Array:
    """Strata [N] of any kind as integers."""
    strata = column("strata", strata)
    if strata.shape != (num_rows,):
        raise ValueError(f"strata must be {num_rows} labels, and have shape {strata.shape}")
    if not checks.traced(strata):
        strata = labels_in("strata", strata)[0]
        strata = codes_in(strata, distinct(strata))
    return jnp.asarray(strata)


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
