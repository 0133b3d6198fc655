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
from jaxlr.certificates.bounds import FACTORED, MOST
from jaxlr.glm import problem
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Problem, lane_of, without_intercept
from jaxlr.paths import preconditioner
from jaxlr.paths.descent import judged
from jaxlr.paths.preconditioner import Ends, Preconditioner
from jaxlr.pytypes import Array
from jaxlr.solvers.conjugate_gradients import conjugate_gradients
from jaxlr.solvers.slopes import search

# Iterations from which a preconditioner is made anew. Anew at every step, rare dummies to tol 1e-13
# take 1.6 times as long; never, they and breast cancer take as long.
HANDFUL = 10
LEFT = 0.03  # of a system's right-hand side: what they may leave; 1e-6 and 0.3 take as long
ROUNDING = 1e-14  # of J: no rise


class State(NamedTuple):
    """Where the lane stands, as `descent.State` has it; whether its preconditioner is `stale`."""

    params: Array
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
    return loss.multiclass and loss.num_outputs * rows.x.shape[1] <= FACTORED


@partial(QuicklyCompiled, static_argnums=0)
def alone(loss, rows, lanes, params, tol, num_steps, max_steps) -> Ends:
    """Goes on from params [1, C, P] and num_steps [1], to an estimate of tol · J.

    Or to where neither that nor J falls any more.
    """
    lane = _Newton(loss, rows, lane_of(rows, jax.tree.map(lambda leaf: leaf[0], lanes)))
    far, count = jnp.full((), jnp.inf), num_steps[0]
    shapes = jax.eval_shape(lambda params: lane.measured(lane.looked(params)[0]), params[0])
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    endings = far, far, jnp.int32(0), count < max_steps, count
    state = State(params[0], far, nothing, jnp.bool_(True), *endings)

    def on(state):
        state = lane.step(state, tol)
        return state._replace(active=state.active & (state.num_steps < max_steps))

    state = jax.lax.while_loop(lambda state: state.active, on, state)
    logits, risk, _ = lane.looked(state.params)
    found = Ends(state.params, risk, lane.measured(logits), state.num_steps)
    return jax.tree.map(lambda leaf: leaf[None, None], found)


class _Newton(NamedTuple):
    loss: Loss
    rows: Problem
    lane: Lane

    def looked(self, params):
        """Logits, J and its gradient."""
        logits = problem.logits_of(params, self.rows)
        risk = problem.risk(self.loss, self.lane, params, logits)
        return logits, risk, problem.gradient(self.loss, self.rows, self.lane, params, logits)

    def measured(self, logits) -> Preconditioner:
        factors, lam = self.loss.factors(logits, self.lane.labels), self.lane.ridge
        if is_whole(self.loss, self.rows):
            whole = problem.hessian(self.loss, self.rows, factors, self.lane.weights)
            penalty = lam * without_intercept(jnp.ones_like(self.rows.x[0]))
            whole = whole + jnp.diag(jnp.tile(penalty, self.loss.num_outputs))
            return preconditioner.of_whole(whole)
        curvature = self.loss.diagonal(factors) * self.lane.weights[None]
        blocks = problem.blocks_of(self.rows, curvature)
        return preconditioner.of_blocks(blocks, lam, self.loss.multiclass, len(self.lane.weights))

    def step(self, state, tol) -> State:
        logits, risk, grad = self.looked(state.params)  # afresh: what falls here has fallen
        factors = self.loss.factors(logits, self.lane.labels)
        made = jax.lax.cond(
            state.stale, lambda: self.measured(logits), lambda: state.preconditioner
        )

        def times(v):
            v = v.reshape(grad.shape)
            heavy = self.loss.hessian_product(factors, problem.logits_of(v, self.rows))
            back = problem.gradient_of(heavy * self.lane.weights[None], self.rows)
            return (back + self.lane.ridge * without_intercept(v)).ravel()

        options = {"max_steps": MOST, "precondition": partial(preconditioner.apply, made)}
        found = conjugate_gradients(times, grad.ravel(), tol=LEFT, **options)
        left = jnp.vdot(grad.ravel() + found.residual, found.params)
        stale, estimate = found.num_steps > HANDFUL, (left + found.residual_norm**2) / 2
        state = state._replace(risk=risk, preconditioner=made, stale=stale)
        state = judged(state, estimate, tol * risk)
        direction = -found.params.reshape(grad.shape)
        moved = partial(self._moved, logits=logits, grad=grad, direction=direction)
        return jax.lax.cond(state.active, moved, lambda s: s, state)

    def _moved(self, state, logits, grad, direction) -> State:
        d_logits = problem.logits_of(direction, self.rows)
        w, d = without_intercept(state.params), without_intercept(direction)

        def look(length):
            slopes = problem.slopes_of(self.loss, self.lane, logits + length[0] * d_logits)
            ridge = self.lane.ridge * (jnp.vdot(w, d) + length * jnp.vdot(d, d))
            return jnp.vdot(slopes, d_logits) + ridge, ()

        length = search(look, jnp.vdot(grad, direction)[None], jnp.ones(1, bool))[0]

        def rises(length):
            there = state.params + length * direction, logits + length * d_logits
            risk = problem.risk(self.loss, self.lane, *there)
            return ~(risk <= state.risk * (1 + ROUNDING)) & (length > 1e-20)

        # Slopes alone can't tell: on rows that are all but certain J may turn sharply along a line.
        length = jax.lax.while_loop(rises, lambda length: length / 4, length[0])
        return state._replace(
            params=state.params + length * direction, num_steps=state.num_steps + 1
        )
