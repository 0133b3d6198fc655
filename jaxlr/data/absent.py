"""A row of weight 0 is absent: whatever it holds, no value and no gradient hears of it.

A factor of 0 would not do: 0 · NaN is NaN, and so is its gradient. Nor would zeros in place of x,
of which a model may take the norm. So an absent row holds what a present one does: its stand-in.

Lanes that share x go on sharing it, since their products are one matrix product: a row is replaced
where no lane hears it. One that some hear is replaced where it isn't finite, and the NaN that it is
to those who hear it comes from its weight.
"""

import jax
import jax.numpy as jnp

from jaxlr.data.containers import at_least_float32
from jaxlr.pytypes import Array, Batch


class Present(Batch):
    """A batch whose absent rows hold a present row's x already."""

    __slots__ = ()


def present(batch: Batch) -> Batch:
    """The batch with a present row's x in place of every absent one's, and zeros if none is.

    Args:
      batch: x [B, ...], weights [B], or None where every row is present.
    """
    if batch.weights is None or isinstance(batch, Present):
        return batch
    replaced, weights = _replaced(batch)
    first = batch.x[jnp.argmin(replaced)]
    stand_in = jnp.where(jnp.all(replaced), jnp.zeros_like(first), first)
    rows = replaced.reshape(-1, *[1] * (batch.x.ndim - 1))
    return Present(jnp.where(rows, stand_in[None], batch.x), batch.labels, weights)


def stand_ins(batch: Batch) -> tuple[Batch, Array | None]:
    """The rows [N] whose x and labels stand for each row's: its own, or a present one's.

    For minibatches: to gather other rows is cheaper than to replace what was gathered. None where
    there are no weights, or none that are known to be a row's own.

    Returns:
      (batch, with the weights that go with these rows; rows).
    """
    if type(batch) is not Batch or not isinstance(batch.weights, jax.Array):
        return batch, None
    replaced, weights = _replaced(batch)
    rows = jnp.where(replaced, jnp.argmin(replaced), jnp.arange(len(replaced)))
    return batch._replace(weights=weights), rows


def _replaced(batch: Batch) -> tuple[Array, Array]:
    """Which rows of x are replaced, and the weights that go with them; [B] each."""
    weights = at_least_float32(batch.weights)
    replaced, spoilt = _replaced_and_spoilt(jax.lax.stop_gradient(batch.x), weights != 0)
    return replaced, jnp.where(spoilt, jnp.nan, weights)


@jax.custom_batching.custom_vmap
def _replaced_and_spoilt(x: Array, heard: Array) -> tuple[Array, Array]:
    """Which rows [B] of x are replaced, and which weights [B] become NaN."""
    del x
    return ~heard, jnp.zeros_like(heard)


@_replaced_and_spoilt.def_vmap
def _of_lanes(num_lanes, in_batched, x, heard):
    del num_lanes
    own_rows, _ = in_batched
    if own_rows:  # then they are rows like any others
        heard = jnp.broadcast_to(heard, x.shape[:2])
        masks = _replaced_and_spoilt(x.reshape(-1, *x.shape[2:]), heard.ravel())
        return tuple(mask.reshape(heard.shape) for mask in masks), (True, True)
    replaced, spoilt = _replaced_and_spoilt(x, jnp.any(heard, axis=0))
    broken = not_finite(x)
    return (replaced | broken, (spoilt | broken)[None] & heard), (False, True)


def not_finite(x: Array) -> Array:
    """Which rows [B] of x [B, ...] hold a number that isn't finite."""
    return ~jnp.all(jnp.isfinite(x), axis=tuple(range(1, x.ndim)))
