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

import jax.numpy as jnp

from jaxlr.backend import QuicklyCompiled
from jaxlr.paths import active_set, endings, hessians, lasso, line, objective, quasi_newton
from jaxlr.paths.active_set import Memory
from jaxlr.paths.descent import Plan
from jaxlr.paths.duality import rough_gap
from jaxlr.paths.families import Family
from jaxlr.paths.objective import ridge
from jaxlr.paths.problem import Lanes, Problem, as_row, dot, logits, weighted, without_intercept
from jaxlr.pytypes import Array

OWN = 2e10  # multiplications: below, every lane has its own Hessian
ROOM = 2**23  # numbers in a matrix for every lane: up to here models are minimised exactly
SERVES = 0.1  # a Hessian goes when a step on it leaves more than this part of the estimate,
STEPS = 16  # and after so many steps
NEAR = 1e-6  # of J: from here on,
ENOUGH = 5  # or after so many steps, estimates tell how right a Hessian is,
TRIES = 4  # and so many poor ones in a row that float32 won't do
CLOSE = 8  # aims: a gap that proves enough, with some to spare
COLLINEAR = 1e-6  # of a column's curvature: what an intercept may leave of it
FINE = 1e-6  # of the aim: a gap is of first order in the slopes, and an estimate of second


class State(NamedTuple):
    """Where L lanes stand: params and grad (of the smooth part) [L, C, P], logits [L, C, N].

    hessian [G, Q, Q] with Q = C P, its age in steps, and how many tries float32 has for it; memory
    of its inverse, where models are minimised exactly; risk, followed by slopes, estimate (what the
    model says is left) and best, the least seen, [L]; idle [L] steps since; active and num_steps
    [L]; ridge and l1 [L], the penalties in all this.
    """

    params: Array
    grad: Array
    logits: Array
    hessian: Array
    memory: Memory
    age: Array
    tries: Array
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


@partial(QuicklyCompiled, static_argnums=(0, 4))
def start(family: Family, problem: Problem, lanes: Lanes, params: Array, plan: Plan) -> State:
    """The state at params [L, C, P]; the first step makes its Hessian."""
    num_lanes, num_outputs, size = params.shape
    z = logits(params, problem)
    far = jnp.full(num_lanes, jnp.inf, params.dtype)
    zero = jnp.zeros(num_lanes, jnp.int32)
    labels, weights = rows = weighted(problem, lanes)
    slopes = family.slope(z, labels) * weights[:, None]
    whole = num_outputs * size
    return State(
        params,
        objective.gradient(problem, lanes, params, slopes),
        z,
        jnp.zeros((plan.num_metrics, whole, whole)),
        active_set.nothing(num_lanes, whole if _exact(params) else 0),
        jnp.int32(plan.steps_per_metric),
        jnp.int32(TRIES),
        objective.risk(family, lanes, rows, params, z),
        far,
        far,
        zero,
        jnp.ones(num_lanes, bool),
        zero,
        ridge(lanes),
        lanes.lam * lanes.l1_ratio,
    )


def onward(lanes: Lanes, state: State) -> State:
    """The state under the lanes' penalties, from where it ended; the loss's Hessian stays."""
    w = without_intercept(state.params)
    new, l1 = ridge(lanes), lanes.lam * lanes.l1_ratio
    more = new - state.ridge
    more_l1 = (l1 - state.l1) * jnp.sum(jnp.abs(w), axis=(1, 2))
    return endings.renewed(
        state,
        grad=state.grad + more[:, None, None] * w,
        hessian=state.hessian + hessians.ridges(more, state.hessian, w.shape[1]),
        memory=state.memory._replace(holds=state.memory.holds & jnp.all(more == 0)),
        risk=state.risk + more * dot(w, w) / 2 + more_l1,
        ridge=new,
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


def _remeasured(family, problem, lanes, plan, state) -> State:
    measured = partial(hessians.measured, family, problem, lanes, state.logits, plan.num_metrics)
    rows = weighted(problem, lanes)
    risk = objective.risk(family, lanes, rows, state.params, state.logits)
    gone = state.memory._replace(holds=jnp.zeros_like(state.active))
    hessian = measured(state.tries > 0)
    return state._replace(hessian=hessian, memory=gone, age=jnp.int32(0), risk=risk)


def _step(family, problem, lanes, plan, state, tol) -> State:
    exact, memory = _exact(state.params), state.memory
    if exact:
        direction, estimate, memory = active_set.step(lanes, state, tol)
    else:
        direction, estimate = lasso.step(lanes, state, tol)
    goal = (FINE if exact else 1) * tol * state.risk
    judged = endings.judged(state, estimate, goal, lambda s: s)
    # The last direction is paid for, so it is gone along too.
    moves = state.active & jnp.isfinite(estimate)
    poor = moves & (estimate > SERVES * state.estimate)
    # Near the end a new Hessian gains little only if float32 is too stiff for what is left.
    near = (estimate < NEAR * state.risk) | (state.num_steps >= ENOUGH)
    tries = jnp.where(jnp.any(poor & near), state.tries - 1, TRIES)
    judged = judged._replace(
        memory=memory,
        age=jnp.where(jnp.any(poor), plan.steps_per_metric, judged.age),
        tries=jnp.where(state.tries > 0, tries, 0),
    )
    moved = _moved(family, problem, lanes, judged._replace(active=moves), direction)
    close = _gap(lanes, moved) <= CLOSE * tol * moved.risk
    return moved._replace(active=judged.active & ~close)


def _exact(params) -> bool:
    """Whether models are minimised exactly: where there is room."""
    return params.size * params[0].size <= ROOM


def _gap(lanes, state) -> Array:
    """About the gap that a certificate will find, or more; with optimal intercepts, as it will."""
    num_lanes, _, size = state.params.shape
    bends = jnp.diagonal(state.hessian, axis1=1, axis2=2)[:, size - 1 :: size]
    bends = jnp.repeat(bends, num_lanes // len(bends), axis=0)
    shift = jnp.zeros_like(state.params).at[..., -1].set(-state.grad[..., -1] / bends)
    grad = state.grad + hessians.times(state.hessian, as_row(shift)).reshape(state.grad.shape)
    return rough_gap(
        lanes, state.params, ridge(lanes)[:, None, None] * state.params - grad, state.risk
    )


def _moved(family, problem, lanes, state, direction) -> State:
    direction = jnp.where(state.active[:, None, None], direction, 0)
    length, slopes, z, gain = _search(family, problem, lanes, state, direction)
    # Where a whole step lands on 0 exactly, it stays there.
    params = state.params + length[:, None, None] * direction
    grad = objective.gradient(problem, lanes, params, slopes)
    grad = jnp.where(state.active[:, None, None], grad, state.grad)
    hessian, memory = state.hessian, state.memory
    if len(hessian) == len(params):
        change = as_row(params - state.params), as_row(grad - state.grad)
        if _exact(params):
            inverse, trusted = quasi_newton.learnt_inverse(*memory[:2], hessian, *change)
            memory = Memory(inverse, memory.among, memory.holds & trusted)
        hessian = quasi_newton.learnt_hessian(hessian, *change)
    return state._replace(
        params=params,
        grad=grad,
        logits=z,
        hessian=hessian,
        memory=memory,
        risk=jnp.maximum(state.risk + gain, state.risk / 2),
        age=state.age + 1,
        num_steps=state.num_steps + state.active.astype(jnp.int32),
    )


def _search(family, problem, lanes, state, direction):
    """Lengths [L], the weighted slopes and the logits there [L, C, N], and the change of J.

    J's slopes from below decide: a step that ends on a kink has earned it.
    """
    labels, weights = weighted(problem, lanes)
    d_logits = logits(direction, problem)
    w, d = without_intercept(state.params), without_intercept(direction)
    l1 = lanes.lam * lanes.l1_ratio
    wd, dd = ridge(lanes) * dot(w, d), ridge(lanes) * dot(d, d)

    def l1_slope(length, at_zero):
        side = jnp.sign(w + length[:, None, None] * d)
        return l1 * dot(jnp.where(side == 0, at_zero * jnp.sign(d), side), d)

    def look(length):
        z = state.logits + length[:, None, None] * d_logits
        slopes = family.slope(z, labels)
        slope = objective.slope(slopes, d_logits, weights)
        smooth = slope + wd + length * dd
        return smooth + l1_slope(length, -1), (slopes * weights[:, None], z, smooth)

    before = dot(state.grad, direction)
    first = before + l1_slope(jnp.zeros_like(wd), 1)
    length, _, (slopes, z, smooth) = line.search(look, first, state.active, longest=1)
    longer = jnp.abs(w + length[:, None, None] * d) - jnp.abs(w)
    gain = length * (before + smooth) / 2 + l1 * jnp.sum(longer, axis=(1, 2))
    return length, slopes, z, jnp.where(state.active, gain, 0)


def known(state: State) -> Array:
    """What a certificate can use of the state: 1 / S's diagonal, [L, C, P] like params.

    Each class's intercept is taken out of its own weights alone.
    """
    num_lanes, num_outputs, size = state.params.shape
    blocks = state.hessian.reshape(-1, num_outputs, size, num_outputs, size)
    own = jnp.moveaxis(jnp.diagonal(blocks, axis1=1, axis2=3), -1, 1)  # [G, C, P, P]
    whole = jnp.diagonal(own, axis1=2, axis2=3)
    bend = own[..., -1:, -1]
    left = whole - own[..., -1] ** 2 / jnp.where(bend > 0, bend, 1)
    diagonal = jnp.maximum(left, COLLINEAR * whole)
    inverse = jnp.where(diagonal > 0, 1 / jnp.where(diagonal > 0, diagonal, 1), 1)
    return jnp.repeat(inverse, num_lanes // len(inverse), axis=0)


def bulk(problem: Problem, tol: float) -> Problem:
    """The problem itself: what is 0 and what isn't wants float64."""
    del tol
    return problem
