"""The quadratic model of a step with its l1 part, minimised exactly by an active-set method.

A turn goes to the minimum of the model among the coordinates that are not 0, and those that are
pushed off it, with their signs kept: what would change its sign stops at 0. Mostly all that are
pushed off enter at once. Where that gains nothing, the worst of them enters alone, from the minimum
of the others: each such turn lowers the model, so that the method is finite.

Reference:
  Nocedal and Wright, Numerical Optimization (2006), sections 16.5 and 16.7.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve

from jaxlr.pytypes import Array

ROOM = 16  # coordinates that enter in one turn; of hundreds together some are nearly collinear
# Above SMALL factors are of what takes part, in sizes that fall by FINER: with whole ones B-elastic
# takes 1.7 times as long, B-lasso 2.2.
SMALL, FINER = 128, 1.4
TURNS = 1000


class Turn(NamedTuple):
    """Params u [Q], the model's slope there, how many may enter, whether turns gain, and count."""

    u: Array
    slope: Array
    room: Array
    open: Array
    count: Array


class Model(NamedTuple):
    """grad · (u - w) + (u - w)ᵀ H (u - w) / 2 + Σ strength |u|, and by how much slopes may be off.

    hessian [Q, Q], positive definite; strength [Q] of the l1 part, 0 for intercepts.
    """

    hessian: Array
    strength: Array
    slack: Array

    def beyond(self, turn: Turn) -> tuple[Array, Array, Array, Array]:
        """Which rest at 0, signs and slopes of all, and what of the resting is beyond its bound."""
        rests = (turn.u == 0) & (self.strength > 0)
        sign = jnp.where(rests, -jnp.sign(turn.slope), jnp.sign(turn.u))
        residual = turn.slope + self.strength * sign
        return rests, sign, residual, jnp.where(rests, jnp.abs(turn.slope) - self.strength, 0)

    def done(self, turn: Turn) -> Array:
        """Whether u is the minimum."""
        rests, _, residual, beyond = self.beyond(turn)
        return jnp.all(jnp.where(rests, beyond, jnp.abs(residual)) <= self.slack)


def minimum(model: Model, grad: Array, w: Array) -> tuple[Array, Array]:
    """The u [Q] that minimises a model whose slope at w is grad, and whether rounding let it."""

    def going(turn):
        return turn.open & ~model.done(turn) & (turn.count < TURNS)

    first = Turn(w, grad, jnp.int32(ROOM), jnp.bool_(True), jnp.int32(0))
    last = jax.lax.while_loop(going, partial(_turned, model), first)
    return last.u, model.done(last)


def _turned(model, turn) -> Turn:
    hessian, strength, slack = model
    u, slope, room = turn.u, turn.slope, turn.room
    rests, sign, residual, beyond = model.beyond(turn)
    inside = jnp.all(rests | (jnp.abs(residual) <= slack))
    urge = jnp.where(beyond > slack, beyond * jax.lax.rsqrt(jnp.diagonal(hessian)), 0)
    room = jnp.where((room == 1) & ~inside, 0, room)
    most = jax.lax.top_k(urge, min(ROOM, len(u)))[1]
    first_ones = jnp.arange(len(most), dtype=room.dtype) < room
    enters = (urge > 0) & jnp.zeros(len(u), bool).at[most].set(first_ones)
    among = ~rests | enters
    d = _newton(hessian, jnp.where(among, -residual, 0), among)
    zero = jnp.where((strength > 0) & (u * d < 0), -u / d, jnp.inf)

    def trial(length):
        end = u + length * d
        end = jnp.where((length >= zero) | ((sign * end < 0) & (strength > 0)), 0, end)
        image = jnp.matmul(hessian, end - u, precision="highest")
        change = (end - u) @ (slope + image / 2) + strength @ (jnp.abs(end) - jnp.abs(u))
        return end, image, jnp.where(jnp.isfinite(change), change, jnp.inf)

    # All the way, and to where the first of them is 0.
    lengths = jnp.array([1.0, 0.5]).at[1].set(jnp.minimum(jnp.min(zero), 1))
    ends, images, change = jax.vmap(trial)(lengths)
    best = jnp.argmin(change)
    gains = change[best] < 0
    return Turn(
        jnp.where(gains, ends[best], u),
        jnp.where(gains, slope + images[best], slope),
        jnp.where(gains & (lengths[best] > 0.1), ROOM, jnp.maximum(turn.room // 4, 1)),
        gains | (turn.room > 1),
        turn.count + 1,
    )


def _newton(hessian, residual, among) -> Array:
    """H⁻¹ residual among some coordinates, 0 elsewhere."""
    sizes = [len(residual)]
    while sizes[0] > SMALL:
        sizes.insert(0, int(sizes[0] / FINER))

    def solved(hessian, among, residual):
        both = among[:, None] & among[None]
        factor = jnp.linalg.cholesky(jnp.where(both, hessian, jnp.eye(len(among))))
        return cho_solve((factor, True), residual)

    def of_size(size):
        if size == len(among):
            return solved(hessian, among, residual)
        at = jax.lax.top_k(among.astype(jnp.float32), size)[1]
        part = solved(hessian[at][:, at], among[at], residual[at])
        return jnp.zeros_like(residual).at[at].set(part)

    fits = jnp.sum(jnp.sum(among) > jnp.array(sizes))
    return jax.lax.switch(fits, [partial(of_size, size) for size in sizes])
