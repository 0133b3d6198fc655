"""The engine of a smooth path: L-BFGS on a preconditioner, trials on cached logits.

A step costs two products with the rows, one for the logits of its direction and one for the
gradient where it ends. Every trial of its length in between is a pass over logits alone.
"""

from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from jaxlr.glm import problem, sharing
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Lane, Problem, lane_of, without_intercept
from jaxlr.paths import preconditioner
from jaxlr.paths.preconditioner import Ends, Preconditioner
from jaxlr.pytypes import Array
from jaxlr.solvers import compact, slopes
from jaxlr.solvers.compact import Pairs

PAIRS = 8  # of L-BFGS; with 1 a9a takes 1.3 times as long, digits 1.1
# Steps; times the root of what it costs, in steps. Renewed every second step digits take 3.4 times
# as long, wide rows 2.1.
SERVES = 4
# Steps that the lanes' own preconditioners may cost; dearer ones are shared. With shared ones alone
# breast cancer takes 2.6 times as long; with own ones alone 64 probes make 64 where one does.
OWN = 80
PATIENCE = 6  # steps without a smaller estimate or a lower J
FALLS = {4: 1e-5, 8: 1e-12}  # of J: a fall that is more than a number's rounding, by its bytes
DEAR = 2**33  # multiplications, from which a preconditioner may pay for a program without one

Judged = TypeVar("Judged")


class State(NamedTuple):
    """Where lanes stand; a lane's own [L, ...] but for the last three."""

    params: Array  # [C, P]
    before: Array  # [C, P] one penalty earlier
    grad: Array  # [C, P] of J
    image: Array  # [C, P] the preconditioner times it
    logits: Array  # [C, N]
    risk: Array  # J
    pairs: Pairs  # of L-BFGS
    best: Array  # the least estimate of J - J* so far
    mark: Array  # J where the lane was last not idle
    idle: Array  # steps since
    active: Array  # whether the lane still moves
    num_steps: Array  # under this penalty
    preconditioner: Preconditioner  # of all lanes, or one for each
    age: Array  # [] steps since it was made
    count: Array  # [] steps under this penalty


class Plan(NamedTuple):
    """Every lane its own preconditioner, or none at all; steps that one serves; float32 or not."""

    own: bool
    bare: bool
    serves: int
    narrow: bool = False


def plan(loss: Loss, rows: Problem, num_lanes: int) -> Plan:
    """One for each lane where that is cheap, otherwise one for all; the dearer the older it gets.

    As steps worsen evenly with its age, it serves best for the root of its cost. `bare` says that
    it is dear, and costs more than the steps that it serves.
    """
    num_rows, size = rows.x.shape
    one = loss.num_outputs * (num_rows * size**2 + size**3)
    step = num_lanes * loss.num_outputs * num_rows * 2 * size
    own = num_lanes * one <= OWN * step
    cost = (num_lanes if own else 1) * one / step
    serves = int(min(max(SERVES * cost**0.5, 2), 64))
    return Plan(own, one > DEAR and cost > serves, serves)


def walk(loss, rows, turns, start, planned, tol, goals, max_steps):
    """The last params and those before [L, C, P], and the ends of lanes [K, L].

    Each penalty's lanes start from the last one's ends, the first's from `start`: params and those
    one penalty earlier. goals [K, L] are estimates that are enough, besides tol · J; max_steps [K].
    """
    lanes = jax.vmap(partial(lane_of, rows))(jax.tree.map(lambda leaf: leaf[0], turns))
    engine = _Engine(loss, rows, planned)

    def one(carry, turn):
        lam, goal, most = turn
        own = lanes._replace(ridge=lam)
        step = partial(engine.step, own, tol=tol, goal=goal, max_steps=most)
        state = engine.start(own, *carry, most)
        state = jax.lax.while_loop(lambda s: jnp.any(s.active), step, state)
        made = state.preconditioner
        ends = Ends(state.params, state.risk, None if planned.bare else made, state.num_steps)
        return (state.params, state.before, made, state.age), ends

    carry = *start, engine.nothing(start[0]), jnp.int32(planned.serves)
    (params, before, *_), ends = jax.lax.scan(one, carry, (turns.lam, goals, max_steps))
    return params, before, ends


class _Engine(NamedTuple):
    """Lanes of one loss on the same rows."""

    loss: Loss
    rows: Problem
    plan: Plan

    def nothing(self, params: Array) -> Preconditioner:
        """In place of a preconditioner that is yet to be made."""
        num_lanes, classes, size = params.shape
        num = (num_lanes if self.plan.own else 1) * (not self.plan.bare)
        coupled = size if self.loss.multiclass else 0
        inverse = jnp.zeros((num, classes, size, size), params.dtype)
        return Preconditioner(inverse, jnp.zeros((num, coupled, coupled), params.dtype))

    def start(self, lanes: Lane, params: Array, before: Array, made, age: Array, most: Array):
        """The state before the first of `most` steps from params [L, C, P]."""
        logits = jax.vmap(partial(problem.logits_of, rows=self.rows))(params)
        risk = jax.vmap(partial(problem.risk, self.loss))(lanes, params, logits)
        gradient = jax.vmap(partial(problem.gradient, self.loss, self.rows))
        grad = gradient(lanes, params, logits)
        pairs = jax.vmap(lambda w: compact.no_pairs(w.ravel(), PAIRS))(params)
        far, zero = jnp.full_like(risk, jnp.inf), jnp.zeros(len(params), jnp.int32)
        endings = far, far, zero, zero < most, zero
        there = params, before, grad, self.applied(lanes, made, grad), logits, risk, pairs
        return State(*there, *endings, made, age, jnp.int32(0))

    def applied(self, lanes: Lane, made: Preconditioner, grads: Array) -> Array:
        """The preconditioners [G, ...] times grads [m, C, P], each of m / G in a row.

        Without one, by the penalty, and by an intercept's curvature where classes are alike.
        """
        if self.plan.bare:
            curved = 1 / (self.loss.num_outputs + 3)
            penalised = without_intercept(jnp.ones_like(grads[0])) > 0
            return grads / jnp.where(penalised[None], lanes.ridge[:, None, None], curved)
        of_each = grads.reshape(len(made.inverse), -1, *grads.shape[1:])
        applied = jax.vmap(jax.vmap(preconditioner.apply, (None, 0)))(made, of_each)
        return applied.reshape(grads.shape)

    def step(self, lanes: Lane, state: State, *, tol, goal, max_steps) -> State:
        if not self.plan.bare:  # a loop of one turn at most: a condition copies what it hands on
            state = jax.lax.while_loop(self._stale, partial(self._measured, lanes), state)

        def directed(params, before, grad, image, pairs, num_steps):
            newton = -compact.inverse_hessian(pairs, grad.ravel(), image.ravel())
            newton = newton.reshape(grad.shape)
            # The optimum moves smoothly with the penalty: the first look is along that line.
            line = params - before
            along = (num_steps == 0) & (jnp.vdot(grad, line) < 0)
            estimate = -jnp.vdot(grad, newton) / 2
            if self.plan.bare:  # the gap, as few pairs know little of the Hessian
                estimate = jnp.vdot(grad, image) / 2
            estimate = jnp.where(along, jnp.finfo(grad.dtype).max, estimate)
            return jnp.where(along, line, newton), estimate

        own = state.params, state.before, state.grad, state.image, state.pairs, state.num_steps
        direction, estimate = jax.vmap(directed)(*own)
        state = judged(state, estimate, jnp.fmin(tol * state.risk, goal))
        direction = jnp.where(state.active[:, None, None], direction, 0)
        made = state.preconditioner
        moved = partial(self._moved, lanes, made, direction=direction)
        state = state._replace(preconditioner=None)  # as above
        state = jax.lax.cond(jnp.any(state.active), moved, lambda s: s, state)
        active = state.active & (state.num_steps < max_steps)
        return state._replace(preconditioner=made, active=active)

    def _stale(self, state):
        return state.age >= self.plan.serves

    def _measured(self, lanes, state):
        """With a preconditioner of where lanes are."""

        def bend(logits, lane):
            return self.loss.diagonal(self.loss.factors(logits, lane.labels)) * lane.weights[None]

        curvature, lam = jax.vmap(bend)(state.logits, lanes), lanes.ridge
        if not self.plan.own:
            curvature, lam = curvature.mean(axis=0, keepdims=True), lam.mean(keepdims=True)
        num, classes, num_rows = curvature.shape
        blocks = problem.blocks_of(self.rows, curvature.reshape(-1, num_rows))
        blocks = blocks.reshape(num, classes, *blocks.shape[1:])

        def made(blocks, lam):
            return preconditioner.of_blocks(blocks, lam, self.loss.multiclass, num_rows)

        # One by one: XLA's CPU backend has no LAPACK for a batch of triangular systems.
        new = jax.lax.map(lambda one: made(*one), (blocks, lam))
        images = self.applied(lanes, new, state.pairs.y.reshape(-1, *state.grad.shape[1:]))
        images = images.reshape(state.pairs.y.shape)
        newest = (state.count - 1) % PAIRS
        return state._replace(
            preconditioner=new,
            image=self.applied(lanes, new, state.grad),
            pairs=jax.vmap(compact.remade, (0, None, 0))(state.pairs, newest, images),
            age=jnp.int32(0),
        )

    def _moved(self, lanes, made, state, direction):
        """The active lanes after a step along their directions [L, C, P], 0 for others."""
        d_logits = jax.vmap(partial(problem.logits_of, rows=self.rows))(direction)
        w, d = without_intercept(state.params), without_intercept(direction)
        dot = jax.vmap(partial(jnp.vdot, precision="highest"))
        wd, dd = lanes.ridge * dot(w, d), lanes.ridge * dot(d, d)
        slopes_at = jax.vmap(partial(problem.slopes_of, self.loss))

        def look(length):
            z = state.logits + length[:, None, None] * d_logits
            slope = slopes_at(lanes, z)
            along = sharing.total(jnp.sum(slope * d_logits, axis=(1, 2)))
            return along + wd + length * dd, (slope, z)

        first = dot(state.grad, direction)
        length, last, (slope, z) = slopes.search(look, first, state.active)
        s = length[:, None, None] * direction
        params = state.params + s
        grad = jax.vmap(partial(problem.gradient_of, rows=self.rows))(slope)
        grad = grad + lanes.ridge[:, None, None] * without_intercept(params)
        grad = jnp.where(state.active[:, None, None], grad, state.grad)
        image = self.applied(lanes, made, grad)
        pairs = jax.vmap(
            lambda pairs, *pair: compact.learnt(pairs, state.count, *(v.ravel() for v in pair))
        )(state.pairs, s, grad - state.grad, image - state.image)
        gain = jnp.where(state.active, length * (first + last) / 2, 0)
        return state._replace(
            params=params,
            before=jnp.where((state.num_steps == 0)[:, None, None], state.params, state.before),
            grad=grad,
            image=image,
            logits=z,
            risk=jnp.maximum(state.risk + gain, state.risk / 2),
            pairs=pairs,
            num_steps=state.num_steps + state.active.astype(jnp.int32),
            age=state.age + 1,
            count=state.count + 1,
        )


def judged(state: Judged, estimate: Array, goal: Array) -> Judged:
    """A state with J - J* estimated anew; `active` says whether it goes on, of one lane or many.

    It ends where the estimate is at most its goal, is no number, or where neither it nor J has
    become smaller for a while: no lane is left while its risk falls.
    """
    falls = state.mark - state.risk > FALLS[state.risk.dtype.itemsize] * state.risk
    smaller = estimate < 0.9 * state.best
    idle = jnp.where(smaller | falls, 0, state.idle + state.active.astype(jnp.int32))
    over = (estimate <= goal) | ~jnp.isfinite(estimate) | (idle >= PATIENCE)
    return state._replace(
        best=jnp.where(smaller, estimate, state.best),
        mark=jnp.where(smaller | falls, jnp.fmin(state.risk, state.mark), state.mark),
        idle=idle,
        active=state.active & ~over,
    )
