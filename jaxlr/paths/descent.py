"""The smooth path's engine: L-BFGS on a metric, all lanes at once, trials on cached logits.

A step costs two products with the rows, one for the logits of its direction and one for the
gradient where it ends. Every trial of its length in between is a pass over logits alone, and is
judged by its slope: near an optimum float32 values are noise, and slopes are not.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.glm import objective
from jaxlr.glm.folds import blocks_of
from jaxlr.glm.losses import Loss
from jaxlr.glm.objective import ridge
from jaxlr.glm.problem import (
    Lanes,
    Problem,
    as_row,
    dot,
    logits,
    narrowed,
    weighted,
    without_intercept,
)
from jaxlr.paths import endings, line, quasi_newton
from jaxlr.paths import metric as metrics
from jaxlr.paths.metric import Metric
from jaxlr.paths.quasi_newton import Pairs
from jaxlr.pytypes import Array

OWN = 1e7  # multiplications: below, every lane has its own metric
SERVES = 5  # steps; times the root of what a metric costs, in steps
ELEMENTWISE = 200  # multiplications that a pass over one logit is worth
WITHIN_FLOAT32 = 1e-9  # estimates of J - J*, as parts of J: smaller ones are noise in float32


class State(NamedTuple):
    """Where L lanes stand, and what they have learnt.

    Attributes:
      params, grad: [L, C, P]; image is the metric times grad.
      logits: [L, C, N].
      risk: [L] J, followed by slopes from step to step.
      pairs: of L-BFGS.
      metric: and `age`, the steps since it was made.
      estimate: [L] of J - J*, from the metric and the pairs; best is the least seen.
      mark: [L] J where the lane was last not idle.
      idle: [L] steps since then.
      active: [L] whether the lane still moves.
      num_steps: [L].
      ridge: [L] the penalty of w²/2 in all this.
      before: [L, C, P] params one penalty earlier.
      arrives: whether the next step is along the line from there.
    """

    params: Array
    grad: Array
    image: Array
    logits: Array
    risk: Array
    pairs: Pairs
    metric: Metric
    age: Array
    estimate: Array
    best: Array
    mark: Array
    idle: Array
    active: Array
    num_steps: Array
    ridge: Array
    before: Array
    arrives: Array


class Plan(NamedTuple):
    """What a run's shape decides: how many metrics there are, and how many steps one serves.

    `grouped`: the metrics of all folds are made at once, from one curvature for each target.
    """

    num_metrics: int
    steps_per_metric: int
    grouped: bool = False


@partial(QuicklyCompiled, static_argnums=(0, 4))
def start(family: Loss, problem: Problem, lanes: Lanes, params: Array, plan: Plan) -> State:
    """The state at params [L, C, P]; the first step makes its metric."""
    num_lanes, _, size = params.shape
    labels, weights = rows = weighted(problem, lanes)
    z = logits(params, problem)  # afresh: what follows adds to it
    far = jnp.full(num_lanes, jnp.inf, params.dtype)
    zero = jnp.zeros(num_lanes, jnp.int32)
    return State(
        params,
        objective.gradient(problem, lanes, params, family.gradient(z, labels) * weights[:, None]),
        params,  # until there is a metric
        z,
        objective.risk(family, lanes, rows, params, z),
        _no_pairs(params),
        metrics.none(
            plan.num_metrics,
            params.shape[1],
            size,
            family.multiclass,
            _known_curvatures(problem, num_lanes, plan, family),
            params.dtype,
        ),
        jnp.int32(plan.steps_per_metric),
        far,
        far,
        far,
        zero,
        jnp.ones(num_lanes, bool),
        zero,
        ridge(lanes),
        params,
        jnp.bool_(False),
    )


def _known_curvatures(problem, num_lanes, plan, family) -> tuple[int, int]:
    num_rows = len(problem.x)
    if plan.grouped:
        return len(problem.labels), num_rows
    # Whether the lanes of a metric weigh the rows alike:
    alike = plan.num_metrics == num_lanes or len(problem.weights) == 1
    return (plan.num_metrics, num_rows) if alike and not family.multiclass else (1, 0)


def _remeasured(family, problem, lanes, rows, plan, state) -> State:
    labels, weights = rows
    curvature = family.diagonal(family.factors(state.logits, labels))
    num_lanes, num_classes, num_rows = curvature.shape
    lam = ridge(lanes)
    if plan.grouped:
        bare = curvature.reshape(len(problem.labels), -1, num_rows).mean(axis=1)
        sums = blocks_of(problem.x, problem.x_t, problem.groups, bare)
        sums = sums.reshape(num_lanes, 1, *sums.shape[2:])
        turn = num_rows // len(problem.groups.of_turn)
        new = metrics.of_blocks(sums, lam, False, num_rows, turn)
    else:
        bare = curvature[:, 0].reshape(plan.num_metrics, -1, num_rows).mean(axis=1)
        heavy = (curvature * weights[:, None]).reshape(plan.num_metrics, -1, num_classes, num_rows)
        lam = lam.reshape(plan.num_metrics, -1).mean(axis=1)
        new = metrics.metric(problem, heavy.mean(axis=1), lam, family.multiclass)
    if _known_curvatures(problem, num_lanes, plan, family)[1]:
        new = new._replace(curvature=bare)
    exact = objective.risk(family, lanes, rows, state.params, state.logits)
    images = metrics.apply(new, _stacked(state.pairs.y, state.grad))
    pairs = quasi_newton.remeasured(state.pairs, _rows(images[:-1]))
    return state._replace(metric=new, age=jnp.int32(0), risk=exact, pairs=pairs, image=images[-1])


def _no_pairs(params):
    return quasi_newton.no_pairs(as_row(params))


def _stacked(rows, last):
    """Rows [L, M, K] and one more [L, C, P], as [M + 1, L, C, P]."""
    every = jnp.concatenate([rows, as_row(last)[:, None]], axis=1)
    return jnp.moveaxis(every, 0, 1).reshape(-1, *last.shape)


def _rows(images):
    """[M, L, C, P] as [L, M, K]."""
    return jnp.moveaxis(images.reshape(*images.shape[:2], -1), 0, 1)


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
    """Descends until every lane's estimate is at most tol · J and `goal` [L], or it can't."""
    rows = weighted(problem, lanes)  # once: they are as long as logits
    return endings.descended(
        state,
        lambda s: _remeasured(family, problem, lanes, rows, plan, s),
        lambda s: _step(family, problem, lanes, rows, s, tol, goal),
        plan.steps_per_metric,
        max_steps,
    )


def _step(family, problem, lanes, rows, state, tol, goal) -> State:
    newton = -quasi_newton.inverse_hessian(state.pairs, as_row(state.grad), as_row(state.image))
    newton = newton.reshape(state.grad.shape)
    line = state.params - state.before
    towards = state.active & ((dot(state.grad, line) < 0) | ~state.arrives)
    direction = jnp.where(state.arrives, line, newton)
    direction = jnp.where(towards[:, None, None], direction, 0)
    estimate = jnp.where(state.arrives, jnp.finfo(line.dtype).max, -dot(direction, state.grad) / 2)

    def further(state):
        return _moved(family, problem, lanes, rows, state, direction)

    goal = jnp.fmin(tol * state.risk, goal)
    return endings.judged(state, estimate, goal, further)._replace(arrives=jnp.bool_(False))


def _moved(family, problem, lanes, rows, state: State, direction: Array) -> State:
    """The active lanes after a step along their directions."""
    direction = jnp.where(state.active[:, None, None], direction, 0)
    d_logits = logits(direction, problem)
    length, slopes, z, gain = search(family, lanes, rows, state, direction, d_logits)
    s = length[:, None, None] * direction
    params = state.params + s
    grad = objective.gradient(problem, lanes, params, slopes)
    grad = jnp.where(state.active[:, None, None], grad, state.grad)
    image = metrics.apply(state.metric, grad[None])[0]
    pair = (as_row(s), as_row(grad - state.grad), as_row(image - state.image))
    return state._replace(
        params=params,
        grad=grad,
        image=image,
        logits=z,
        risk=jnp.maximum(state.risk + jnp.where(state.active, gain, 0), state.risk / 2),
        pairs=quasi_newton.learnt(state.pairs, *pair, state.active),
        age=state.age + 1,
        before=jnp.where(state.arrives, state.params, state.before),
        num_steps=state.num_steps + state.active.astype(jnp.int32),
    )


def search(
    family: Loss,
    lanes: Lanes,
    rows: tuple[Array, Array],
    state: State,
    direction: Array,
    d_logits: Array,
) -> tuple[Array, Array, Array, Array]:
    """Lengths [L], the loss's slopes and the logits there [L, C, N], and about the change of J.

    Along directions [L, C, P] whose logits are d_logits [L, C, N]; rows are labels and weights.
    """
    labels, weights = rows
    w, d = without_intercept(state.params), without_intercept(direction)
    lam = ridge(lanes)
    wd, dd = lam * dot(w, d), lam * dot(d, d)
    first = dot(state.grad, direction)

    def look(length):
        z = state.logits + length[:, None, None] * d_logits
        slopes = family.gradient(z, labels)
        slope = objective.slope(slopes, d_logits, weights)
        return slope + wd + length * dd, (slopes * weights[:, None], z)

    length, slope, (slopes, z) = line.search(look, first, state.active)
    return length, slopes, z, length * (first + slope) / 2


def onward(lanes: Lanes, state: State) -> State:
    """The state under the lanes' penalties, each lane from where it ended under its last one.

    Every lane first looks along the line from its params one penalty earlier: the optimum moves
    smoothly with the penalty.
    """
    w = without_intercept(state.params)
    new = ridge(lanes)
    more = new - state.ridge
    grad = state.grad + more[:, None, None] * w
    return endings.renewed(
        state,
        grad=grad,
        image=metrics.apply(state.metric, grad[None])[0],
        risk=state.risk + more * dot(w, w) / 2,
        ridge=new,
        pairs=_no_pairs(state.params),
        arrives=jnp.any(state.params != state.before),
    )


def known(state: State) -> Metric:
    """What a certificate can use of the state."""
    return state.metric


def bulk(problem: Problem, tol: float) -> Problem:
    """The problem in the precision that most steps are made in: float32, if tol is within reach."""
    return problem if tol < WITHIN_FLOAT32 else narrowed(problem)


def plan(family: Loss, problem: Problem, num_lanes: int) -> Plan:
    """One metric per lane where rows are few; otherwise one for all, made as often as it pays.

    A metric costs about P / 2 steps per row and class, if it is every lane's own. The older it
    gets the worse are its steps; where they worsen evenly, it serves best for the root of its cost.
    """
    num_rows, size = problem.x.shape
    own = num_lanes * family.num_outputs * num_rows * size**2 <= OWN
    if problem.groups is not None and not own:
        work = len(problem.labels) * num_rows * size**2 + num_lanes * size**3
        step = num_lanes * num_rows * (2 * size + ELEMENTWISE)
        return Plan(num_lanes, int(np.clip(work / step, 2, 64)), grouped=True)
    num_metrics = num_lanes if own else 1
    work = family.num_outputs * num_metrics * (num_rows * size**2 + size**3)
    step = num_lanes * family.num_outputs * num_rows * (2 * size + ELEMENTWISE)
    return Plan(num_metrics, int(np.clip(SERVES * (work / step) ** 0.5, 2, 64)))
