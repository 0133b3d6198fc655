"""The engine of a path with an l1 part: proximal Newton, all lanes at once.

A step minimises the quadratic model of the smooth part plus the l1 penalty itself, on the whole
Hessian, all classes together: with one block per class instead, a softmax's coordinates chase each
other along the direction that moves every class alike, which is flat. An active-set method does it
exactly. A Hessian serves until steps on it gain too little; where rounding leaves it no factor, the
next one has a longer diagonal. The length of a step is found by slopes on cached logits, as in
`descent`.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates.duality import rough_gap
from jaxlr.glm import objective
from jaxlr.glm.losses import Loss
from jaxlr.glm.objective import ridge
from jaxlr.glm.problem import Lanes, Problem, as_row, dot, logits, weighted, without_intercept
from jaxlr.paths import active_set, endings, hessians, line, quasi_newton
from jaxlr.paths.active_set import Memory
from jaxlr.paths.descent import Plan
from jaxlr.pytypes import Array

SERVES = 0.1  # a Hessian goes when a step on it leaves more than this part of the estimate,
STEPS = 16  # and after so many steps
NEAR = 1e-6  # of J: from here on,
ENOUGH = 5  # or after so many steps, estimates tell how right a Hessian is,
TRIES = 4  # and so many poor ones in a row that float32 won't do
CLOSE = 8  # aims: a gap that proves enough, with some to spare
SHORTEST, LIFTED = 1e-12, 100  # lifts: the first one, and how much longer each next one is
COLLINEAR = 1e-6  # of a column's curvature: what an intercept may leave of it
BEYOND = 1e-4  # of tol: where a lane ends that goes on alone
FINE = 1e-6  # of the aim: a gap is of first order in the slopes, and an estimate of second


class State(NamedTuple):
    """Where L lanes stand: params and grad (of the smooth part) [L, C, P], logits [L, C, N].

    hessian [L, Q, Q] with Q = C P, its age in steps, how many tries float32 has for it, and the
    part `lift` [L] of its diagonal by which that is longer; memory of its inverse; risk, estimate
    (what the model says is left) and best, the least seen, [L]; mark [L] J where the lane was last
    not idle, idle [L] steps since; active and num_steps [L]; ridge and l1 [L], the penalties in all
    this.
    """

    params: Array
    grad: Array
    logits: Array
    hessian: Array
    memory: Memory
    age: Array
    tries: Array
    lift: Array
    risk: Array
    estimate: Array
    best: Array
    mark: Array
    idle: Array
    active: Array
    num_steps: Array
    ridge: Array
    l1: Array


def plan(family: Loss, problem: Problem, num_lanes: int) -> Plan:
    """A Hessian for every lane: what folds leave out, they disagree on."""
    del family, problem
    return Plan(num_lanes, STEPS)


@partial(QuicklyCompiled, static_argnums=(0, 4))
def start(family: Loss, problem: Problem, lanes: Lanes, params: Array, plan: Plan) -> State:
    """The state at params [L, C, P]; the first step makes its Hessian."""
    num_lanes, num_outputs, size = params.shape
    z = logits(params, problem)
    far = jnp.full(num_lanes, jnp.inf, params.dtype)
    zero = jnp.zeros(num_lanes, jnp.int32)
    labels, weights = rows = weighted(problem, lanes)
    slopes = family.gradient(z, labels) * weights[:, None]
    whole = num_outputs * size
    return State(
        params,
        objective.gradient(problem, lanes, params, slopes),
        z,
        jnp.zeros((num_lanes, whole, whole)),
        active_set.nothing(num_lanes, whole),
        jnp.int32(plan.steps_per_metric),
        jnp.int32(TRIES),
        jnp.zeros(num_lanes, params.dtype),
        objective.risk(family, lanes, rows, params, z),
        far,
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
    family: Loss,
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
    measured = partial(hessians.measured, family, problem, lanes, state.logits, state.lift)
    gone = state.memory._replace(holds=jnp.zeros_like(state.active))
    hessian = measured(state.tries > 0)
    return state._replace(hessian=hessian, memory=gone, age=jnp.int32(0))


def _step(family, problem, lanes, plan, state, tol) -> State:
    direction, estimate, memory = active_set.step(lanes, state, tol)
    lifted = state.active & ~jnp.isfinite(estimate)
    estimate = jnp.where(lifted, jnp.finfo(estimate.dtype).max, estimate)
    judged = endings.judged(state, estimate, FINE * tol * state.risk, lambda s: s)
    # The last direction is paid for, so it is gone along too.
    moves = state.active & ~lifted
    poor = (moves & (estimate > SERVES * state.estimate)) | lifted
    # Near the end a new Hessian gains little only if float32 is too stiff for what is left.
    near = (estimate < NEAR * state.risk) | (state.num_steps >= ENOUGH)
    tries = jnp.where(jnp.any(poor & near), state.tries - 1, TRIES)
    judged = judged._replace(
        memory=memory,
        lift=jnp.where(lifted, jnp.maximum(LIFTED * state.lift, SHORTEST), state.lift),
        age=jnp.where(jnp.any(poor), plan.steps_per_metric, judged.age),
        tries=jnp.where(state.tries > 0, tries, 0),
    )

    def move(state):
        moved = _moved(family, problem, lanes, state._replace(active=moves), direction)
        close = _gap(lanes, moved) <= CLOSE * tol * moved.risk
        return moved._replace(active=state.active & ~close)

    return jax.lax.cond(jnp.any(moves), move, lambda s: s, judged)


def _gap(lanes, state) -> Array:
    """About the gap that a certificate will find, or more; with optimal intercepts, as it will."""
    size = state.params.shape[-1]
    bends = jnp.diagonal(state.hessian, axis1=1, axis2=2)[:, size - 1 :: size]
    shift = jnp.zeros_like(state.params).at[..., -1].set(-state.grad[..., -1] / bends)
    grad = state.grad + hessians.times(state.hessian, as_row(shift)).reshape(state.grad.shape)
    return rough_gap(
        lanes, state.params, ridge(lanes)[:, None, None] * state.params - grad, state.risk
    )


def _moved(family, problem, lanes, state, direction) -> State:
    direction = jnp.where(state.active[:, None, None], direction, 0)
    length, slopes, z = _search(family, problem, lanes, state, direction)
    # Where a whole step lands on 0 exactly, it stays there.
    params = state.params + length[:, None, None] * direction
    grad = objective.gradient(problem, lanes, params, slopes)
    grad = jnp.where(state.active[:, None, None], grad, state.grad)
    change = as_row(params - state.params), as_row(grad - state.grad)
    memory = state.memory
    if memory.inverse.size:
        inverse, trusted = quasi_newton.learnt_inverse(*memory[:2], state.hessian, *change)
        memory = Memory(inverse, memory.among, memory.holds & trusted)
    hessian = quasi_newton.learnt_hessian(state.hessian, *change)
    return state._replace(
        params=params,
        grad=grad,
        logits=z,
        hessian=hessian,
        memory=memory,
        risk=objective.risk(family, lanes, weighted(problem, lanes), params, z),
        age=state.age + 1,
        num_steps=state.num_steps + state.active.astype(jnp.int32),
    )


def _search(family, problem, lanes, state, direction):
    """Lengths [L], and the weighted slopes and the logits there [L, C, N].

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
        slopes = family.gradient(z, labels)
        slope = objective.slope(slopes, d_logits, weights)
        slope = slope + wd + length * dd + l1_slope(length, -1)
        return slope, (slopes * weights[:, None], z)

    first = dot(state.grad, direction) + l1_slope(jnp.zeros_like(wd), 1)
    length, _, (slopes, z) = line.search(look, first, state.active)
    return length, slopes, z


def alone(
    family: Loss,
    problem: Problem,
    lanes: Lanes,
    params: Array,
    tol: Array,
    num_steps: Array,
    max_steps: Array,
) -> State:
    """Goes on from params [L, C, P] and num_steps [L], well beyond a gap of tol · J.

    Or to where neither the estimate nor J falls any more.
    """
    own = Plan(len(params), STEPS)
    state = start(family, problem, lanes, params, own)
    state = state._replace(tries=jnp.int32(0), num_steps=num_steps)
    return _solved(family, problem, lanes, own, state, BEYOND * tol, max_steps)


@partial(QuicklyCompiled, static_argnums=(0, 3))
def _solved(family, problem, lanes, plan, state, tol, max_steps):
    return solve(family, problem, lanes, plan, state, tol, jnp.inf, max_steps)


def known(state: State) -> Array:
    """What a certificate can use of the state: 1 / S's diagonal, [L, C, P] like params.

    Each class's intercept is taken out of its own weights alone.
    """
    _, num_outputs, size = state.params.shape
    blocks = state.hessian.reshape(-1, num_outputs, size, num_outputs, size)
    own = jnp.moveaxis(jnp.diagonal(blocks, axis1=1, axis2=3), -1, 1)  # [G, C, P, P]
    whole = jnp.diagonal(own, axis1=2, axis2=3)
    bend = own[..., -1:, -1]
    left = whole - own[..., -1] ** 2 / jnp.where(bend > 0, bend, 1)
    diagonal = jnp.maximum(left, COLLINEAR * whole)
    return jnp.where(diagonal > 0, 1 / jnp.where(diagonal > 0, diagonal, 1), 1)


def bulk(problem: Problem, tol: float) -> Problem:
    """The problem itself: what is 0 and what isn't wants float64."""
    del tol
    return problem
