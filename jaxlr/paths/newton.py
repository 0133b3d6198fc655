"""The last resort of a smooth path: truncated Newton on the whole Hessian, in float64.

Slower than `descent` where that arrives, and it arrives where that doesn't. A step solves the whole
Hessian's system by conjugate gradients; what preconditions them is an inverse of the whole Hessian
too, or where that is large of every class's own block, exact and from all rows, made anew as soon
as the old one takes more than a handful of iterations. Blocks alone may be far from the Hessian:
where a class is rare, the others have no curvature in the direction that leaves it out.

Reference:
  Nocedal and Wright, Numerical Optimization (2006), section 7.1.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates.conjugate import conjugated
from jaxlr.glm import objective
from jaxlr.glm.losses import Loss
from jaxlr.glm.objective import ridge
from jaxlr.glm.problem import Lanes, Problem, dot, logits, weighted
from jaxlr.paths import descent, endings, hessians, line
from jaxlr.paths import metric as metrics
from jaxlr.paths.metric import Metric
from jaxlr.pytypes import Array

WHOLE = 1000  # C P up to which the whole Hessian has an inverse
HANDFUL = 10  # iterations from which a new preconditioner is made
MOST = 1000  # iterations of a step
LEFT = 1e-2  # of ν²: what they may leave
FLAT = 1e-10  # of the diagonal: for the direction in which a softmax has no curvature
ROUNDING = 1e-14  # of J: no rise
BEYOND = 1e-7  # of tol: bounds at weak penalties ask for all that float64 has


class State(NamedTuple):
    """Where L lanes stand; the fields are those of `descent.State`, stale [] is of the metric."""

    params: Array
    grad: Array
    logits: Array
    risk: Array
    metric: Metric
    stale: Array
    estimate: Array
    best: Array
    mark: Array
    idle: Array
    active: Array
    num_steps: Array


@partial(QuicklyCompiled, static_argnums=0)
def alone(
    family: Loss,
    problem: Problem,
    lanes: Lanes,
    params: Array,
    tol: Array,
    num_steps: Array,
    max_steps: Array,
) -> State:
    """Goes on from params [L, C, P] and num_steps [L], well beyond an estimate of tol · J.

    Or to where neither that nor J falls any more.
    """
    rows = weighted(problem, lanes)
    z = logits(params, problem)
    num_lanes = len(params)
    far = jnp.full(num_lanes, jnp.inf)
    nothing = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(partial(_measured, family, problem, lanes, rows), z),
    )
    state = State(
        params,
        _gradient(family, problem, lanes, rows, params, z),
        z,
        objective.risk(family, lanes, rows, params, z),
        nothing,
        jnp.bool_(True),
        far,
        far,
        far,
        jnp.zeros(num_lanes, jnp.int32),
        num_steps < max_steps,
        num_steps,
    )

    def on(state):
        state = _step(family, problem, lanes, rows, state, BEYOND * tol)
        return state._replace(active=state.active & (state.num_steps < max_steps))

    state = jax.lax.while_loop(lambda state: jnp.any(state.active), on, state)
    return state._replace(metric=_measured(family, problem, lanes, rows, state.logits))


def known(state: State) -> Metric:
    """What a certificate can use of the state."""
    return state.metric


def is_whole(family: Loss, problem: Problem) -> bool:
    """Whether a whole Hessian is of ordinary size."""
    return family.multiclass and family.num_outputs * problem.x.shape[1] <= WHOLE


def _measured(family, problem, lanes, rows, z) -> Metric:
    if is_whole(family, problem):
        whole = jax.lax.map(lambda lane: hessians.hessian(family, problem, *lane), (z, *rows))
        firm = partial(hessians.firm, lift=FLAT, num_outputs=family.num_outputs)
        return metrics.of_whole(jax.vmap(firm)(whole, ridge(lanes)), lanes.lam)
    curvature = family.diagonal(family.factors(z, rows[0]))
    heavy = curvature * rows[1][:, None]
    new = metrics.metric(problem, heavy, ridge(lanes), family.multiclass)
    return new if family.multiclass else new._replace(curvature=curvature[:, 0])


def _gradient(family, problem, lanes, rows, params, z):
    labels, weights = rows
    slopes = family.gradient(z, labels) * weights[:, None]
    return objective.gradient(problem, lanes, params, slopes)


def _step(family, problem, lanes, rows, state, tol) -> State:
    labels, weights = rows
    bend = family.factors(state.logits, labels)

    metric = jax.lax.cond(
        state.stale,
        lambda: _measured(family, problem, lanes, rows, state.logits),
        lambda: state.metric,
    )

    def product(v):
        heavy = family.hessian_product(bend, logits(v, problem)) * weights[:, None]
        return objective.gradient(problem, lanes, v, heavy)

    def unfinished(u, left, rz, _):
        return rz > LEFT * (dot(state.grad, u) + dot(left, u))

    shape = (1, len(state.grad), *metric.inverse.shape[1:3])
    u, left, rz, _, count = conjugated(
        product,
        lambda r: metrics.apply(metric, r.reshape(shape))[0].reshape(r.shape),
        state.grad,
        state.active,
        MOST,
        unfinished,
    )
    estimate = (dot(state.grad, u) + dot(left, u) + rz) / 2
    state = state._replace(metric=metric, stale=count > HANDFUL)
    moved = partial(_moved, family, problem, lanes, rows, direction=-u)
    return endings.judged(state, estimate, tol * state.risk, moved)


def _moved(family, problem, lanes, rows, state, direction) -> State:
    direction = jnp.where(state.active[:, None, None], direction, 0)
    d_logits = logits(direction, problem)
    length, _, _, _ = descent.search(family, lanes, rows, state, direction, d_logits)

    def risk(length):
        params = state.params + length[:, None, None] * direction
        z = state.logits + length[:, None, None] * d_logits
        return objective.risk(family, lanes, rows, params, z)

    length = line.shortened(risk, length, state.risk * (1 + ROUNDING), state.active)
    params = state.params + length[:, None, None] * direction
    z = logits(params, problem)  # afresh, and so is J: what falls here has fallen
    return state._replace(
        params=params,
        grad=_gradient(family, problem, lanes, rows, params, z),
        logits=z,
        risk=objective.risk(family, lanes, rows, params, z),
        num_steps=state.num_steps + state.active.astype(jnp.int32),
    )
