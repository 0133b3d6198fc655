"""The quadratic model of a step with its l1 part, minimised exactly by an active-set method.

Where rows are nearly separable a model has next to no curvature in some directions, and sweeps
of its coordinates end nowhere. Here a lane keeps the inverse of its Hessian among the coordinates
that are not 0. It goes to the minimum of that face, or until the first of them is 0, which leaves;
at the minimum the coordinate that violates its bound most enters. Each costs an update of rank 1.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from jaxlr.glm import sharing
from jaxlr.glm.problem import Lanes
from jaxlr.paths.hessians import times
from jaxlr.pytypes import Array

PIVOTS = 6  # at most this many for every coordinate
ROUNDS = 3  # of fresh inverses
FEW = 512  # params: of more, only those that a step is about take part
EXACT = 0.1  # of tol: slopes may be beyond their bounds by this part of them


class Memory(NamedTuple):
    """What a step leaves to the next one: `inverse` and `among` of its face.

    holds: [L] whether they are still what they were, but for rounding.
    """

    inverse: Array
    among: Array
    holds: Array


class Face(NamedTuple):
    """Where L lanes stand in their models.

    Attributes:
      u: [L, Q] params.
      slope: [L, Q] of the model's smooth part.
      sign: [L, Q] of the coordinates of the face; 0 for intercepts.
      among: [L, Q] which coordinates are of the face.
      inverse: [L, Q, Q] of the Hessian among them, 0 elsewhere.
      open: [L] whether the lane goes on.
      count: of pivots.
    """

    u: Array
    slope: Array
    sign: Array
    among: Array
    inverse: Array
    open: Array
    count: Array


def nothing(num_lanes: int, size: int) -> Memory:
    """Before the first step, of Q = size params; where these are many nothing is remembered."""
    size = size if size <= FEW else 0
    among = jnp.zeros((num_lanes, size), bool)
    return Memory(jnp.zeros((num_lanes, size, size)), among, jnp.zeros(num_lanes, bool))


def step(lanes: Lanes, state: Any, tol: Array) -> tuple[Array, Array, Memory]:
    """The minimum of model plus l1 part, as a step [L, C, P], and what the model gains [L].

    The state has params, grad, hessian, active and memory, as in `proximal`. Of many params only
    those take part that are not 0 or whose slopes push them off it, if they are few.

    Reference:
      Nocedal and Wright, Numerical Optimization (2006), section 16.5, for the method.
    """
    num_lanes, num_outputs, size = state.params.shape
    whole = num_outputs * size
    w, g = state.params.reshape(num_lanes, whole), state.grad.reshape(num_lanes, whole)
    free = jnp.tile(jnp.arange(size) == size - 1, (num_lanes, num_outputs))  # intercepts
    strength = jnp.where(free, 0, (lanes.lam * lanes.l1_ratio)[:, None])
    every = w, g, state.hessian, free, strength
    minimum = partial(_minimum, state.active, EXACT * tol)
    if whole <= FEW:
        u, memory = minimum(state.memory, *every)
    else:
        wanted = (w != 0) | free | (jnp.abs(g) > strength)
        chosen = jnp.argsort(~wanted, axis=1)[:, :FEW]

        def of_few():
            few = jax.vmap(lambda w, g, h, f, s, at: (w[at], g[at], h[at][:, at], f[at], s[at]))
            u, _ = minimum(nothing(num_lanes, FEW), *few(*every, chosen))
            return jax.vmap(lambda w, u, at: w.at[at].set(u))(w, u, chosen)

        def of_all():
            among = jnp.zeros((num_lanes, whole), bool)
            inverse = jnp.zeros((num_lanes, whole, whole))
            return minimum(Memory(inverse, among, among[:, 0]), *every)[0]

        are_few = jnp.max(jnp.sum(wanted, axis=1)) <= FEW
        u, memory = jax.lax.cond(are_few, of_few, of_all), state.memory
    d = jnp.where(state.active[:, None], u - w, 0)
    l1 = jnp.sum(strength * (jnp.abs(w + d) - jnp.abs(w)), axis=1)
    gain = -(jnp.sum((g + times(state.hessian, d) / 2) * d, axis=1) + l1)
    return d.reshape(state.params.shape), gain, memory


def _minimum(active, slack, memory, w, g, hessian, free, strength) -> tuple[Array, Memory]:
    """The model's minimum [L, Q], and what the next step may know of it."""
    among = (w != 0) | free
    face = Face(w, g, jnp.sign(w), among, memory.inverse, active, jnp.int32(0))
    remembered = memory.holds & jnp.all(memory.among == among, axis=1)

    def going(face):
        return jnp.any(face.open) & (face.count < PIVOTS * w.shape[1])

    def on(face):
        return _pivoted(hessian, strength, free, slack, face)

    def round_of(carry):
        """From a fresh inverse and fresh slopes: rounding has its part in both."""
        face, count = carry
        slope = g + times(hessian, face.u - w)
        inverse = _inverse(hessian, face, remembered & (count == 0))
        face = face._replace(slope=slope, inverse=inverse, count=jnp.int32(0))
        face = jax.lax.while_loop(going, on, face)
        left = _largest(_residual(strength, face)) > slack * jnp.max(strength, axis=1)
        return face._replace(open=active & left), count + 1

    def unfinished(carry):
        return jnp.any(carry[0].open) & (carry[1] < ROUNDS)

    face, _ = jax.lax.while_loop(unfinished, round_of, (face, 0))
    return face.u, Memory(face.inverse, face.among, jnp.where(active, True, memory.holds))


def _pivoted(hessian, strength, free, slack, face) -> Face:
    """One step on the face, and who leaves or enters it after that."""
    diagonal = jnp.diagonal(hessian, axis1=1, axis2=2)
    residual = _residual(strength, face)
    d = -times(face.inverse, residual)
    image = times(hessian, d)
    bend = jnp.sum(d * image, axis=1)
    fall = -jnp.sum(residual * d, axis=1)
    whole = jnp.where(bend > 0, jnp.maximum(fall, 0) / jnp.where(bend > 0, bend, 1), 0)
    falls = face.among & ~free & (d * face.sign < 0)
    reach = jnp.where(falls, jnp.maximum(-face.u / jnp.where(falls, d, 1), 0), jnp.inf)
    first = jnp.argmin(reach, axis=1)
    leaves = face.open & (jnp.min(reach, axis=1) < whole)
    length = jnp.where(face.open, jnp.minimum(jnp.min(reach, axis=1), whole), 0)[:, None]
    u, slope = face.u + length * d, face.slope + length * image

    beyond = jnp.where(face.among, -1, jnp.abs(slope) - (1 + slack) * strength)
    worst = jnp.argmax(beyond * jax.lax.rsqrt(diagonal), axis=1)
    # Where the inverse is inexact, a whole step on the face leaves a rest that another one takes.
    rest = _largest(_residual(strength, face._replace(slope=slope)))
    coarse = (rest > slack * jnp.max(strength, axis=1)) & (rest < _largest(residual) / 2)
    again = face.open & ~leaves & coarse
    enters = face.open & ~leaves & ~again & (jnp.max(beyond, axis=1) > 0)
    pivot = jnp.where(leaves, first, worst)
    here = jnp.arange(u.shape[1])[None] == pivot[:, None]
    take = pivot[:, None, None]
    row = jnp.take_along_axis(hessian, take, axis=1)[:, 0]
    column = jnp.take_along_axis(face.inverse, take, axis=1)[:, 0]
    through = times(face.inverse, row)
    corner = jnp.sum(jnp.where(here, row, 0), axis=1)
    # What is left of its curvature once the face has answered; rounding may leave too little.
    bare = jnp.maximum(corner - jnp.sum(row * through, axis=1), 1e-13 * corner)
    own = jnp.sum(jnp.where(here, column, 0), axis=1)
    vector = jnp.where(leaves[:, None], column, through - here.astype(u.dtype))
    factor = jnp.where(leaves, -1 / jnp.where(leaves, own, 1), jnp.where(enters, 1 / bare, 0))
    kept = ~(here & leaves[:, None])
    inverse = face.inverse + factor[:, None, None] * vector[:, :, None] * vector[:, None, :]
    inverse = jnp.where(kept[:, :, None] & kept[:, None, :], inverse, 0)
    new = here & enters[:, None]
    return Face(
        jnp.where(kept, u, 0),
        slope,
        jnp.where(new, -jnp.sign(slope), jnp.where(kept, face.sign, 0)),
        (face.among & kept) | new,
        inverse,
        leaves | enters | again,
        face.count + 1,
    )


def _residual(strength, face):
    """The slopes on the face [L, Q], 0 at its minimum."""
    return jnp.where(face.among, face.slope + strength * face.sign, 0)


def _largest(values):
    return jnp.max(jnp.abs(values), axis=1)


def _inverse(hessian: Array, face: Face, holds: Array) -> Array:
    """Of each open lane's Hessian among its coordinates, 0 elsewhere; the face's where it holds."""
    eye = jnp.eye(face.among.shape[1])

    def fresh(hessian, among, _):
        both = among[:, None] & among[None]
        factor = jnp.linalg.cholesky(jnp.where(both, hessian, eye))
        half = solve_triangular(factor, eye, lower=True)
        return jnp.where(both, jnp.matmul(half.T, half, precision="highest"), 0)

    def one(args):
        *of_lane, wanted = args
        return jax.lax.cond(wanted, fresh, lambda hessian, among, old: old, *of_lane)

    return sharing.mapped(one, (hessian, face.among, face.inverse, face.open & ~holds))
