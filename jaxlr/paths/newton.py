"""The last resort of a smooth path: truncated Newton on the whole Hessian of one lane, in float64.

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
from jaxlr.glm import objective, problem
from jaxlr.glm.blocks import blocks_of, hessian
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Lanes, Problem, lane_of, without_intercept
from jaxlr.paths import preconditioner, progress
from jaxlr.paths.preconditioner import Preconditioner
from jaxlr.paths.proofs import Ends
from jaxlr.pytypes import Array
from jaxlr.solvers.conjugate_gradients import conjugate_gradients
from jaxlr.solvers.slopes import search

WHOLE = 1000  # C P up to which the whole Hessian has an inverse
HANDFUL = 10  # iterations from which a new preconditioner is made
MOST = 1000  # iterations of a step
LEFT = 0.03  # of a system's right-hand side: what they may leave
ROUNDING = 1e-14  # of J: no rise


class State(NamedTuple):
    """Where the lane stands, as `descent.State` has it; whether its preconditioner is `stale`."""

    params: Array
    grad: Array
    logits: Array
    risk: Array
    preconditioner: Preconditioner
    stale: Array
    best: Array
    mark: Array
    idle: Array
    active: Array
    num_steps: Array


def is_whole(loss: Loss, rows: Problem) -> bool:
    """Whether a whole Hessian is of ordinary size."""
    return loss.multiclass and loss.num_outputs * rows.x.shape[1] <= WHOLE


@partial(QuicklyCompiled, static_argnums=0)
def alone(
    loss: Loss,
    rows: Problem,
    lanes: Lanes,
    params: Array,
    tol: Array,
    num_steps: Array,
    max_steps: Array,
) -> Ends:
    """Goes on from params [1, C, P] and num_steps [1], to an estimate of tol · J.

    Or to where neither that nor J falls any more.
    """
    own = lane_of(rows, jax.tree.map(lambda leaf: leaf[0], lanes))
    lane = _Newton(loss, rows, own)
    logits, risk, grad = lane.looked(params[0])
    far = jnp.full_like(risk, jnp.inf)
    nothing = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(lane.measured, logits)
    )
    state = State(
        params[0],
        grad,
        logits,
        risk,
        nothing,
        jnp.bool_(True),
        far,
        far,
        jnp.int32(0),
        num_steps[0] < max_steps,
        num_steps[0],
    )

    def on(state):
        state = lane.step(state, tol)
        return state._replace(active=state.active & (state.num_steps < max_steps))

    state = jax.lax.while_loop(lambda state: state.active, on, state)
    found = Ends(state.params, state.risk, lane.measured(state.logits), state.num_steps)
    return jax.tree.map(lambda leaf: leaf[None, None], found)


class _Newton(NamedTuple):
    loss: Loss
    rows: Problem
    lane: Lane

    def looked(self, params):
        """Logits, J and its gradient."""
        logits = problem.logits_of(params, self.rows)
        risk = objective.risk(self.loss, self.lane, params, logits)
        return logits, risk, objective.gradient(self.loss, self.rows, self.lane, params, logits)

    def measured(self, logits) -> Preconditioner:
        factors, lam = self.loss.factors(logits, self.lane.labels), self.lane.ridge
        if is_whole(self.loss, self.rows):
            whole = hessian(self.loss, self.rows, factors, self.lane.weights)
            penalty = lam * without_intercept(jnp.ones_like(self.rows.x[0]))
            whole = whole + jnp.diag(jnp.tile(penalty, self.loss.num_outputs))
            return preconditioner.of_whole(whole)
        blocks = blocks_of(
            self.rows.x, self.rows.x_t, self.loss.diagonal(factors) * self.lane.weights[None]
        )
        return preconditioner.of_blocks(blocks, lam, self.loss.multiclass, len(self.lane.weights))

    def step(self, state, tol) -> State:
        factors = self.loss.factors(state.logits, self.lane.labels)
        made = jax.lax.cond(
            state.stale, lambda: self.measured(state.logits), lambda: state.preconditioner
        )
        shape = state.grad.shape

        def times(v):
            v = v.reshape(shape)
            heavy = self.loss.hessian_product(factors, problem.logits_of(v, self.rows))
            back = problem.gradient_of(heavy * self.lane.weights[None], self.rows)
            return (back + self.lane.ridge * without_intercept(v)).ravel()

        apply, grad = partial(preconditioner.apply, made), state.grad.ravel()
        found = conjugate_gradients(times, grad, tol=LEFT, max_steps=MOST, precondition=apply)
        estimate = (jnp.vdot(grad + found.residual, found.params) + found.residual_norm**2) / 2
        state = state._replace(preconditioner=made, stale=found.num_steps > HANDFUL)
        state = progress.judged(state, estimate, tol * state.risk)
        moved = partial(self._moved, direction=-found.params.reshape(shape))
        return jax.lax.cond(state.active, moved, lambda s: s, state)

    def _moved(self, state, direction) -> State:
        d_logits = problem.logits_of(direction, self.rows)
        w, d = without_intercept(state.params), without_intercept(direction)

        def look(length):
            slopes = objective.slopes(self.loss, self.lane, state.logits + length[0] * d_logits)
            ridge = self.lane.ridge * (jnp.vdot(w, d) + length * jnp.vdot(d, d))
            return jnp.vdot(slopes, d_logits) + ridge, ()

        length = search(look, jnp.vdot(state.grad, direction)[None], jnp.ones(1, bool))[0]

        def rises(length):
            there = state.params + length * direction, state.logits + length * d_logits
            risk = objective.risk(self.loss, self.lane, *there)
            return ~(risk <= state.risk * (1 + ROUNDING)) & (length > 1e-20)

        # Slopes alone can't tell: on rows that are all but certain J may turn sharply along a line.
        length = jax.lax.while_loop(rises, lambda length: length / 4, length[0])
        params = state.params + length * direction
        logits, risk, grad = self.looked(params)  # afresh: what falls here has fallen
        return state._replace(
            params=params, logits=logits, risk=risk, grad=grad, num_steps=state.num_steps + 1
        )
