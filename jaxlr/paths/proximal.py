"""The engine of a path with an l1 part: proximal Newton, all lanes at once.

A step minimises the quadratic model of the smooth part plus the l1 penalty itself, on the whole
Hessian, all classes together: with one block per class instead, a softmax's coordinates chase each
other along the direction that moves every class alike, which is flat. An active-set method does it
exactly where it has room (`active_set`), sweeps of the coordinates otherwise (`lasso`). A Hessian
serves until steps on it gain too little. The length of a step is found by slopes on cached logits,
as in `descent`.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QUICKLY_COMPILED
from jaxlr.paths import active_set, endings, lasso, line
from jaxlr.paths.blocks import blocks_of
from jaxlr.paths.descent import Plan
from jaxlr.paths.families import Family
from jaxlr.paths.problem import Lanes, Problem, dot, gradient, logits, weighted, without_intercept
from jaxlr.pytypes import Array

OWN = 2e10  # multiplications: below, every lane has its own Hessian
ROOM = 2**23  # numbers in a matrix for every lane: up to here models are minimised exactly
SERVES = 0.1  # a Hessian goes when a step on it leaves more than this part of the estimate,
STEPS = 16  # and after so many steps
FINE = 1e-6  # of the aim: a gap is of first order in the slopes, and an estimate of second


class State(NamedTuple):
    """Where L lanes stand: params and grad (of the smooth part) [L, C, P], logits [L, C, N].

    hessian [G, Q, Q] with Q = C P, and its age in steps; risk, estimate (what the model says is
    left) and best, the least seen, [L]; idle [L] steps since; active and num_steps [L]; ridge and
    l1 [L], the penalties in all this.
    """

    params: Array
    grad: Array
    logits: Array
    hessian: Array
    age: Array
    risk: Array
    estimate: Array
    best: Array
    idle: Array
    active: Array
    num_steps: Array
    ridge: Array
    l1: Array


def plan(family: Family, problem: Problem, num_lanes: int) -> Plan:
    """A Hessian for every lane where that is little work; otherwise one for all of them."""
    num_rows, size = problem.x.shape
    numbers = num_lanes * (family.num_outputs * size) ** 2
    own = numbers * num_rows <= OWN and numbers <= 4 * ROOM
    return Plan(num_lanes if own else 1, STEPS)


@partial(jax.jit, static_argnums=(0, 4), compiler_options=QUICKLY_COMPILED)
def start(family: Family, problem: Problem, lanes: Lanes, params: Array, plan: Plan) -> State:
    """The state at params [L, C, P]; the first step makes its Hessian."""
    num_lanes, num_outputs, size = params.shape
    z = logits(params, problem)
    far = jnp.full(num_lanes, jnp.inf, params.dtype)
    zero = jnp.zeros(num_lanes, jnp.int32)
    smooth, grad = _smooth(family, problem, lanes, params, z)
    whole = num_outputs * size
    return State(
        params,
        grad,
        z,
        jnp.zeros((plan.num_metrics, whole, whole)),
        jnp.int32(plan.steps_per_metric),
        smooth + lanes.lam * lanes.l1_ratio * jnp.sum(jnp.abs(without_intercept(params)), (1, 2)),
        far,
        far,
        zero,
        jnp.ones(num_lanes, bool),
        zero,
        lanes.lam * (1 - lanes.l1_ratio),
        lanes.lam * lanes.l1_ratio,
    )


def onward(lanes: Lanes, state: State) -> State:
    """The state under the lanes' penalties, from where it ended; the loss's Hessian stays."""
    w = without_intercept(state.params)
    ridge, l1 = lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio
    more = ridge - state.ridge
    more_l1 = (l1 - state.l1) * jnp.sum(jnp.abs(w), axis=(1, 2))
    return endings.renewed(
        state,
        grad=state.grad + more[:, None, None] * w,
        hessian=state.hessian + _ridges(more, state.hessian, *w.shape[1:]),
        risk=state.risk + more * dot(w, w) / 2 + more_l1,
        ridge=ridge,
        l1=l1,
    )


def solve(
    family: Family,
    problem: Problem,
    lanes: Lanes,
    plan: Plan,
    state: State,
    tol: Array,
    goal: Array,
    max_steps: Array,
) -> State:
    """Descends until the model leaves at most tol · J, or nothing is gained, or steps run out."""
    del goal  # no bound of a lane with an l1 part asks for more
    return endings.descended(
        state,
        lambda s: _remeasured(family, problem, lanes, plan, s),
        lambda s: _step(family, problem, lanes, plan, s, tol),
        plan.steps_per_metric,
        max_steps,
    )


def _smooth(family, problem, lanes, params, z):
    """Value [L] and gradient [L, C, P] of all but the l1 part."""
    labels, weights = weighted(problem, lanes)
    ridge = lanes.lam * (1 - lanes.l1_ratio)
    w = without_intercept(params)
    value = jnp.einsum("ln,ln->l", family.value(z, labels), weights) + ridge * dot(w, w) / 2
    slopes = family.slope(z, labels) * weights[:, None]
    return value, gradient(slopes, problem) + ridge[:, None, None] * w


def _remeasured(family, problem, lanes, plan, state) -> State:
    """The state with the Hessian of where it stands: [G, Q, Q], its ridge part on the diagonal."""
    labels, weights = weighted(problem, lanes)
    num_outputs, size = state.params.shape[1:]
    bend = family.bend(state.logits, labels)
    hessian = _pairs(family, problem, plan, bend, weights)
    diagonal = jnp.diagonal(hessian, axis1=1, axis2=2)
    lift = 1e-10 * jnp.max(diagonal, axis=1, keepdims=True)  # the softmax's flat direction
    hessian = hessian + (lift + 1e-8 * diagonal)[:, :, None] * jnp.eye(num_outputs * size)[None]
    ridges = _ridges(lanes.lam * (1 - lanes.l1_ratio), hessian, num_outputs, size)
    return state._replace(hessian=hessian + ridges, age=jnp.int32(0))


def _ridges(ridge, hessian, num_outputs, size):
    """The Hessian [G, Q, Q] of penalties [L] of w²/2."""
    penalised = jnp.tile(jnp.ones(size).at[-1].set(0), num_outputs)
    return ridge.reshape(len(hessian), -1).mean(axis=1)[:, None, None] * jnp.diag(penalised)[None]


def _pairs(family, problem, plan, bend, weights):
    """The Hessian of the losses [G, Q, Q], from the blocks of all pairs of classes."""
    num_outputs, num_rows, size = family.num_outputs, *problem.x.shape
    shape = (len(weights), num_outputs, num_rows)
    rows, columns = np.triu_indices(num_outputs)

    def against(unit):
        return family.hessian_product(bend, jnp.broadcast_to(unit, shape))

    basis = jnp.eye(num_outputs)[:, None, :, None]
    pairs = jax.vmap(against)(basis)[rows, :, columns] * weights[None]  # [pairs, L, N]
    groups = plan.num_metrics
    pairs = pairs.reshape(len(rows), groups, -1, num_rows).mean(axis=2)
    blocks = blocks_of(problem.x, problem.x_t, pairs.reshape(-1, num_rows))
    blocks = jnp.moveaxis(blocks.reshape(len(rows), groups, size, size), 0, 1)
    hessian = jnp.zeros((groups, num_outputs, num_outputs, size, size))
    hessian = hessian.at[:, rows, columns].set(blocks).at[:, columns, rows].set(blocks)
    return hessian.transpose(0, 1, 3, 2, 4).reshape(groups, num_outputs * size, -1)


def _step(family, problem, lanes, plan, state, tol) -> State:
    exact = state.params.size * state.params[0].size <= ROOM
    direction, estimate = (active_set if exact else lasso).step(lanes, state, tol)
    goal = (FINE if exact else 1) * tol * state.risk
    judged = endings.judged(state, estimate, goal, lambda s: s)
    # The last direction is paid for, so it is gone along too.
    moves = state.active & jnp.isfinite(estimate)
    stale = jnp.any(moves & (estimate > SERVES * state.estimate))
    judged = judged._replace(age=jnp.where(stale, plan.steps_per_metric, judged.age))
    moved = _moved(family, problem, lanes, judged._replace(active=moves), direction)
    return moved._replace(active=judged.active)


def _moved(family, problem, lanes, state, direction) -> State:
    d_logits = logits(direction, problem)
    length = jnp.where(
        state.active, _length(family, problem, lanes, state, direction, d_logits), 0
    )[:, None, None]
    # Where a whole step lands on 0 exactly, it stays there.
    params = state.params + length * direction
    z = state.logits + length * d_logits
    smooth, grad = _smooth(family, problem, lanes, params, z)
    l1 = lanes.lam * lanes.l1_ratio * jnp.sum(jnp.abs(without_intercept(params)), (1, 2))
    return state._replace(
        params=params,
        grad=grad,
        logits=z,
        risk=smooth + l1,
        age=state.age + 1,
        num_steps=state.num_steps + state.active.astype(jnp.int32),
    )


def _length(family, problem, lanes, state, direction, d_logits) -> Array:
    """Lengths [L], by the slopes from below: a step that ends on a kink has earned it."""
    labels, weights = weighted(problem, lanes)
    w, d = without_intercept(state.params), without_intercept(direction)
    ridge, l1 = lanes.lam * (1 - lanes.l1_ratio), lanes.lam * lanes.l1_ratio
    wd, dd = ridge * dot(w, d), ridge * dot(d, d)

    def l1_slope(length, at_zero):
        side = jnp.sign(w + length[:, None, None] * d)
        return l1 * dot(jnp.where(side == 0, at_zero * jnp.sign(d), side), d)

    def look(length):
        slopes = family.slope(state.logits + length[:, None, None] * d_logits, labels)
        smooth = jnp.einsum("lcn,ln,lcn->l", slopes, weights, d_logits)
        return smooth + wd + length * dd + l1_slope(length, -1), ()

    first = dot(state.grad, direction) + l1_slope(jnp.zeros_like(wd), 1)
    return line.search(look, first, state.active, (), longest=1)[0]


def known(state: State) -> None:
    """What a certificate can use of the state: its Hessian is not of the faces."""
    del state


def bulk(problem: Problem, tol: float) -> Problem:
    """The problem itself: what is 0 and what isn't wants float64."""
    del tol
    return problem
