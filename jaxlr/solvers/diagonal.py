"""Scales of the params from the Hessian's diagonal, learnt one entry a step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array
from jaxlr.solvers.parts import Objective


class Diagonal(NamedTuple):
    """Scales in use [D], and the |Hᵢᵢ| of the next ones [D], of which `count` [] were looked at."""

    scale: Array
    learnt: Array
    count: Array


def unscaled(params: Array) -> Diagonal:
    """Scales of 1 for params [D], and nothing learnt."""
    one = jnp.ones_like(params)
    return Diagonal(one, 0 * one, jnp.array(0, jnp.int32))


def doubted(known: Diagonal) -> Diagonal:
    """After a failed search: what is learnt of H is not lost, but its scales are not used."""
    return known._replace(scale=jnp.ones_like(known.scale))


def next_entry(objective: Objective, params: Array, known: Diagonal) -> Diagonal:
    """One more |Hᵢᵢ|, by one product with the Hessian; after the last, all are the scales.

    Then `count` is 0 again. An entry of 0 tells nothing of its param, and counts as the largest.
    Small ones are believed: units may differ by more than the digits of the dtype.
    """
    unit = jnp.zeros_like(params).at[known.count].set(1)
    entry = jax.jvp(jax.grad(objective), (params,), (unit,))[1][known.count]
    learnt = known.learnt.at[known.count].set(jnp.abs(entry))
    count = (known.count + 1) % params.size
    top = jnp.max(learnt)
    told = learnt > jnp.finfo(learnt.dtype).eps ** 2 * top
    usable = (count == 0) & jnp.isfinite(top) & (top > 0)
    scale = jnp.where(usable, jnp.where(told, learnt, top), known.scale)
    return Diagonal(scale, learnt, count)
