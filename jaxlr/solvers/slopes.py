"""How far to go along lines on which a function is convex, by slopes alone, all lanes at once.

Near an optimum values in float32 are noise, and slopes are not.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

TRIALS = 40
SECANTS = 4  # trials that may all be secants; of the later ones every second halves
OVERSHOOT, PROGRESS = 0.5, 0.9  # a slope may end at -0.5 or 0.9 of what it was


def search(
    look: Callable[[Array], tuple[Array, Any]], first: Array, lanes: Array
) -> tuple[Array, Array, Any]:
    """Lengths [L] at which the slopes fell enough, with the slopes and what `look` kept there.

    A slope that is still negative is progress, and a zero of the slope lies between a negative and
    a positive one. The first trial is 1. Where none is good the last one is the longest that was
    progress. Lanes are one loop: a `vmap` of it would copy what is kept at every trial.

    Args:
      look: lengths [L] -> (slopes [L], whatever is worth keeping).
      first: [L] the slopes at 0, negative.
      lanes: [L] which lanes look; the others' answers mean nothing.
    """
    one = jnp.ones_like(first)
    far = one * jnp.inf

    def undecided(carry):
        return jnp.any(carry[0]) & (carry[1] < TRIALS)

    def trial(carry):
        open_, count, length, _, low, high, low_slope, high_slope, _, _ = carry
        slope, seen = look(length)
        enough = slope >= PROGRESS * first
        good = (slope <= -OVERSHOOT * first) & enough
        short, over = open_ & (slope < 0), open_ & ~(slope < 0)
        low, low_slope = jnp.where(short, length, low), jnp.where(short, slope, low_slope)
        high, high_slope = jnp.where(over, length, high), jnp.where(over, slope, high_slope)
        secant = low + (high - low) * low_slope / (low_slope - high_slope)
        inside = jnp.clip(secant, low + 0.1 * (high - low), high - 0.1 * (high - low))
        halves = ~jnp.isfinite(inside) | ((count >= SECANTS) & (count % 2 == 1))
        inside = jnp.where(halves, (low + high) / 2, inside)
        inside = jnp.where(count == TRIALS - 2, low, inside)
        further = length * jnp.clip(first / (first - slope), 1.5, 10)
        open_ = open_ & ~good
        new = jnp.where(open_, jnp.where(jnp.isfinite(high), inside, further), length)
        return open_, count + 1, new, length, low, high, low_slope, high_slope, slope, seen

    # Room for what is kept: zeros would be written, and logits copied, at every search.
    room = jax.tree.map(lambda a: jax.lax.empty(a.shape, a.dtype), jax.eval_shape(look, one)[1])
    carry = (lanes, 0, one, one, 0 * one, far, first, far, first, room)
    _, _, _, length, *_, slope, seen = jax.lax.while_loop(undecided, trial, carry)
    return length, slope, seen
