"""How far to go along a direction: strong Wolfe by value where it can be seen, by slope where not.

Along x + αd write φ(α) for the value and φ′(α) = dᵀ∇f for the slope. Near a minimum φ differs
from φ(0) by less than its own rounding, and a search that trusts it stalls at √eps; the slope
still has all its digits. A step is therefore long and low enough when

    |φ′(α)| ≤ c₂ |φ′(0)|   and either   φ(α) ≤ φ(0) + c₁ α φ′(0), by more than rounding,
                           or           φ′(α) ≤ (1 - 2δ) |φ′(0)|  where φ is level.

On a parabola the last line is the one above it with c₁ = δ, said in slopes. Level means that φ
has not risen by more than its rounding, or that the step is too short for any value to show it.

References:
  Nocedal and Wright, Numerical Optimization (2006), sections 3.1 and 3.5.
  Hager and Zhang, A new conjugate gradient method with guaranteed descent and an efficient line
    search (2005), equations 4.1 to 4.3 (the approximate Wolfe conditions).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array, Scalar
from jaxlr.solvers.parts import Objective, Point, choose, look, size

C1, DELTA = 1e-4, 0.1
NOISE = 10  # roundings that a value may carry
MAX_LOOKS = 20
STRETCH = 5  # how much further a step goes that has not yet reached the valley's floor


class Search(NamedTuple):
    """The point found and its step, or the start and 0; whether it failed; evaluations spent."""

    point: Point
    step: Array
    failed: Array
    num_looks: Array


class End(NamedTuple):
    """One end of the interval: step, φ and φ′ there."""

    step: Array
    value: Array
    slope: Array


class _State(NamedTuple):
    """The interval: `low` is level and leads down; beyond `high` (∞: not met yet) it goes up."""

    low: End
    high: End
    point: Point  # at low
    trial: Array
    width: Array
    done: Array
    num_looks: Array


def strong_wolfe(
    objective: Objective, start: Point, direction: Array, first: Array, c2: Scalar = 0.9
) -> Search:
    """A step along `direction` [D] that satisfies the conditions above, `first` tried first.

    If the evaluations run out, the lowest end of the interval counts as found where it lies
    strictly below the start. A direction that does not lead down fails at once, unevaluated.
    """
    origin = End(jnp.zeros_like(start.value), start.value, jnp.vdot(start.grad, direction))
    nowhere = End(jnp.full_like(start.value, jnp.inf), origin.value, origin.slope)
    first = jnp.asarray(first, start.value.dtype)
    wanted = c2 * jnp.abs(origin.slope)

    def searching(state):
        inside = (state.low.step < state.trial) & (state.trial < state.high.step)
        return (origin.slope < 0) & inside & ~state.done & (state.num_looks < MAX_LOOKS)

    def narrow(state):
        point = look(objective, start.params + state.trial * direction)
        end = End(state.trial, point.value, jnp.vdot(point.grad, direction))
        flat = level(origin, end, start.params, direction)
        done = (jnp.abs(end.slope) <= wanted) & decreases(origin, end, flat)
        forward = done | (flat & (end.slope < 0))
        low, high = choose(forward, (end, state.high), (state.low, end))
        trial, width = _next_trial(state, low, high)
        point = choose(forward, point, state.point)
        return _State(low, high, point, trial, width, done, state.num_looks + 1)

    state = _State(
        origin, nowhere, start, first, nowhere.step, jnp.array(False), jnp.array(0, jnp.int32)
    )
    state = jax.lax.while_loop(searching, narrow, state)
    found = state.done | (state.low.value < origin.value)
    point = choose(found, state.point, start)
    return Search(point, jnp.where(found, state.low.step, 0), ~found, state.num_looks)


def level(origin: End, end: End, params: Array, direction: Array) -> Array:
    """Whether φ has not risen, as far as a rounded value can tell; never where it isn't finite."""
    blind = end.step * size(direction) <= jnp.finfo(params.dtype).eps ** 0.5 * size(params)
    not_risen = end.value <= origin.value + noise(origin.value)
    return jnp.isfinite(end.value) & jnp.isfinite(end.slope) & (not_risen | blind)


def decreases(origin: End, end: End, flat: Array) -> Array:
    """Sufficient decrease, in the value where that fell visibly, and else in the slope."""
    visible = origin.value - end.value > noise(origin.value)
    by_value = visible & (end.value <= origin.value + C1 * end.step * origin.slope)
    by_slope = end.slope <= (2 * DELTA - 1) * origin.slope
    return flat & (by_value | by_slope)


def noise(value: Array) -> Array:
    """Differences between values that may be nothing but their rounding."""
    return NOISE * jnp.finfo(value.dtype).eps * jnp.abs(value)


def _next_trial(state: _State, low: End, high: End) -> tuple[Array, Array]:
    """Where to look next, and the width of the interval."""
    width = high.step - low.step
    # An interpolation that keeps one end fixed for long is halved instead.
    lazy = width > 2 / 3 * state.width
    inner = jnp.where(lazy, low.step + width / 2, _interpolate(low, high))
    outer = _extrapolate(state.low, low)
    return jnp.where(jnp.isfinite(high.step), inner, outer), width


def _extrapolate(before: End, low: End) -> Array:
    """Where the slope would vanish if it went on changing at this rate, within reason."""
    rate = (low.slope - before.slope) / (low.step - before.step)
    guess = low.step - low.slope / rate
    guess = jnp.where(rate > 0, guess, jnp.inf)
    return jnp.clip(guess, 1.1 * low.step, STRETCH * low.step)


def _interpolate(low: End, high: End) -> Array:
    """The minimum of the cubic through both ends, or of the parabola through both slopes.

    The parabola serves where the values differ by no more than their rounding. A wall of
    infinities or NaN at the high end says nothing, and the step is cut to a tenth.
    """
    width = high.step - low.step
    rise = high.value - low.value
    middle = low.slope + high.slope - 3 * rise / width
    root = jnp.sqrt(jnp.maximum(middle**2 - low.slope * high.slope, 0))
    cubic = (root + middle - low.slope) / (high.slope - low.slope + 2 * root)
    parabola = -low.slope / (high.slope - low.slope)
    invisible = jnp.abs(rise) <= noise(low.value)
    share = jnp.where(invisible & (high.slope > 0), parabola, cubic)
    share = jnp.where(jnp.isfinite(rise) & jnp.isfinite(high.slope), share, 0.1)
    share = jnp.where(jnp.isfinite(share), share, 0.5)
    return low.step + width * jnp.clip(share, 0.05, 0.95)
