"""The engine of a path with an l1 part: proximal Newton, a lane at a time.

A step minimises the quadratic model of the smooth part plus the l1 penalty itself, on the whole
Hessian, all classes together: with one block per class instead, a softmax's coordinates chase each
other along the direction that moves every class alike, which is flat. A Hessian learns from every
step by BFGS, and serves until steps on it gain too little. Where a step leads nowhere the next one
has a fresh Hessian with a longer diagonal: it is shorter, and rounding has less of a part in it.

Reference:
  Lee, Sun and Saunders, Proximal Newton-type methods for minimizing composite functions (2014).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates.duality import rough_gap
from jaxlr.glm import problem, sharing
from jaxlr.glm.problem import cast, lane_of, without_intercept
from jaxlr.paths.preconditioner import Ends
from jaxlr.pytypes import Array
from jaxlr.solvers import active_set
from jaxlr.solvers.bfgs import learnt_hessian

# A Hessian goes when a step leaves more than this part of what was left before. With a new one at
# every step a lasso on a9a takes 2.1 times as long, an elastic net 2.
SERVES = 0.3
# Of tol, and of the bounds of slopes: what the minimum of a model may leave. With next to nothing a
# lasso takes 2.4 times as long on a9a, 1.3 on breast cancer.
SLACK = 0.1
FLAT = 10.0  # what a slope of an intercept squared may stand for
FAILURES, SHORTEST, LIFTED = 8, 1e-13, 100.0  # in a row: the diagonal is LIFTED times as long then
ARMIJO, TRIALS = 1e-4, 60  # of the line search
# N Q² from which a Hessian is first made in float32: without it a lasso on a9a takes 1.3 times as
# long, an elastic net 1.4.
ROUGH, LENGTHENED = 2**27, 1e-6  # and what that does to its diagonal
EPS = float(np.finfo(np.float64).eps)


class State(NamedTuple):
    """Where a lane stands; leaves of L lanes have an axis in front."""

    params: Array  # [C, P]
    grad: Array  # [C, P] of the mean loss alone
    logits: Array  # [C, N]
    risk: Array  # [] J
    hessian: Array  # [Q, Q] of the mean loss, Q = C P
    rough: Array  # [] whether that is of float32
    stale: Array  # [] whether it is to be made anew
    left: Array  # [] what the last model gained
    failures: Array  # [] steps in a row that led nowhere
    active: Array  # [] whether the lane goes on
    num_steps: Array  # [] under this penalty


def start(family, rows, lanes, params) -> State:
    """The state at params [L, C, P]; the first step makes its Hessian."""

    def one(lane, params):
        z = problem.logits_of(params, rows)
        grad = problem.gradient_of(problem.slopes_of(family, lane, z), rows)
        hessian = jnp.zeros((params.size, params.size), params.dtype)
        zero, none = jnp.int32(0), jnp.zeros((), params.dtype)
        rough = jnp.bool_(len(rows.x) * params.size**2 > ROUGH)
        return State(params, grad, z, none, hessian, rough, zero == 0, none, zero, zero == 0, zero)

    return jax.vmap(one)(jax.vmap(partial(lane_of, rows))(lanes), params)


def solve(family, rows, lanes, state, tol, max_steps) -> State:
    """Until the gap is a few tol · J, or float64 ends, or steps run out."""
    own = jax.vmap(partial(lane_of, rows))(lanes)

    def begun(lane, state):
        risk = problem.risk(family, lane, state.params, state.logits)
        state = state._replace(risk=risk, left=jnp.full_like(risk, jnp.inf), failures=jnp.int32(0))
        return state._replace(active=(max_steps > 0) & ~_proved(lane, state, tol))

    def measured(state):
        wanted = state.stale & state.active
        each = own, state.logits, state.hessian, state.rough, wanted
        fresh = jax.lax.map(lambda lane: _renewed(family, rows, *lane), each)
        return state._replace(hessian=fresh, stale=state.stale & ~wanted)

    def on(state):
        wanted = jnp.any(state.stale & state.active)
        state = jax.lax.cond(wanted, measured, lambda state: state, state)
        state = sharing.pinned(state, lanes=0)._replace(logits=sharing.pinned(state.logits, 0, 2))
        state = jax.vmap(partial(_step, family, rows, tol))(own, state)
        return state._replace(active=state.active & (state.num_steps < max_steps))

    state = jax.vmap(begun)(own, state)
    return jax.lax.while_loop(lambda state: jnp.any(state.active), on, state)


def _renewed(family, rows, lane, logits, old, rough, wanted):
    """The lane's Hessian, a new one if that is wanted."""

    def made(dtype):
        given, own, z = cast(dtype, (rows, lane, logits))
        factors = family.factors(z, own.labels)
        return problem.hessian(family, given, factors, own.weights).astype(old.dtype)

    def new():
        fine = partial(made, old.dtype)
        if len(rows.x) * old.size <= ROUGH:
            return fine()
        return jax.lax.cond(rough, partial(made, jnp.float32), fine)

    return jax.lax.cond(wanted, new, lambda: old)


def _step(family, rows, tol, lane, state) -> State:
    """Of one lane: model, inner solve, line search, check."""
    d, gain, exact = _modelled(tol, lane, state)
    moves = state.active & (gain > 0)
    if family.multiclass and family.self_concordance:
        # What moves all intercepts alike moves nothing, and rounding makes it long.
        d = d.at[:, -1].add(-jnp.mean(d[:, -1]))
    d = jnp.where(moves, d, 0)
    dz = problem.logits_of(d, rows)
    length, risk = _search(family, lane, state, d, dz)
    params, z = state.params + length * d, state.logits + length * dz
    grad = problem.gradient_of(problem.slopes_of(family, lane, z), rows)
    little = gain <= EPS * state.risk
    fails = ~moves | (length == 0) | (little & ~exact)
    failures = jnp.where(fails, state.failures + 1, state.failures // 2)
    poor = ~(gain <= SERVES * state.left)
    stale = fails | (length < 1) | poor
    change = (params - state.params).ravel(), (grad - state.grad).ravel()
    hessian = learnt_hessian(state.hessian, *change)
    there = params, grad, z, risk, hessian, state.rough & ~fails, stale, gain, failures
    moved = State(*there, state.active, state.num_steps + 1)
    ends = (moves & little & exact) | (failures > FAILURES) | _proved(lane, moved, tol)
    moved = moved._replace(active=~ends)
    return jax.tree.map(partial(jnp.where, state.active), moved, state)


@jax.custom_batching.sequential_vmap  # so that no lane's model waits for another's
def _modelled(tol, lane, state):
    """The model's step [C, P], what that gains, and whether it is exact."""

    def rest():
        return jnp.zeros_like(state.params), jnp.zeros_like(state.risk), jnp.bool_(True)

    def step():
        shape = state.params.shape
        w = state.params.ravel()
        lift = SHORTEST * LIFTED ** state.failures.astype(state.risk.dtype)
        lift = jnp.where(state.rough, LENGTHENED, lift)
        hessian = firm(state.hessian, lane.ridge, lift, len(state.params))
        grad = (state.grad + lane.ridge * without_intercept(state.params)).ravel()
        strength = lane.lasso * without_intercept(jnp.ones(shape)).ravel()
        slack = SLACK * tol * lane.lasso
        u, exact = active_set.minimum(active_set.Model(hessian, strength, slack), grad, w)
        d = u - w
        gain = -(grad @ d + d @ (hessian @ d) / 2 + strength @ (jnp.abs(u) - jnp.abs(w)))
        return d.reshape(shape), gain, exact

    return jax.lax.cond(state.active, step, rest)


def firm(hessian: Array, ridge: Array, lift: Array, num_outputs: int) -> Array:
    """With a ridge, and a diagonal that is longer by a part, for a factor."""
    diagonal = jnp.diagonal(hessian)
    # Where rows are certain a weight may have no curvature left, and has a way to go nevertheless.
    some = jnp.where(diagonal > 0, diagonal, jnp.maximum(jnp.max(diagonal), 1e-100))
    size = len(diagonal) // num_outputs
    ridges = jnp.tile(jnp.where(jnp.arange(size) < size - 1, ridge, 0), num_outputs)
    return hessian + jnp.diag(lift * some + ridges)


def _search(family, lane, state, d, dz):
    """The first length of 1, 1/2, ... at which J falls as it should, 0 if there is none, and J."""
    w = state.params
    grad = state.grad + lane.ridge * without_intercept(w)
    l1 = jnp.sum(jnp.abs(without_intercept(w + d)) - jnp.abs(without_intercept(w)))
    fall = jnp.sum(grad * d) + lane.lasso * l1

    def risk(length):
        return problem.risk(family, lane, w + length * d, state.logits + length * dz)

    def high(carry):
        length, there, count = carry
        # A whole step may be about rounding; shorter ones would be so for ever.
        room = jnp.where(length < 1, 0, 4 * EPS * state.risk)
        enough = state.risk + room + ARMIJO * length * fall
        return ~((there <= enough) & ((length == 1) | (there < state.risk))) & (count < TRIALS)

    def shorter(carry):
        length, _, count = carry
        return length / 2, risk(length / 2), count + 1

    one = jnp.ones_like(state.risk)
    length, there, count = jax.lax.while_loop(high, shorter, (one, risk(one), 0))
    found = count < TRIALS
    return jnp.where(found, length, 0), jnp.where(found, there, state.risk)


def _proved(lane, state, tol):
    """Whether the duality gap, as it is without rounding, is small enough."""
    gap = rough_gap(lane, state.params, -state.grad, state.risk)
    gap = gap + FLAT * jnp.sum(state.grad[:, -1] ** 2)  # which takes intercepts to be optimal
    return gap <= tol * state.risk


@partial(QuicklyCompiled, static_argnums=0)
def alone(family, rows, lanes, params, tol, num_steps, max_steps) -> Ends:
    """Goes on from params [1, C, P] and num_steps [1], to a gap of tol · J."""
    state = start(family, rows, lanes, params)._replace(num_steps=num_steps)
    state = solve(family, rows, lanes, state, tol, max_steps)
    return Ends(state.params[None], state.risk[None], None, state.num_steps[None])
