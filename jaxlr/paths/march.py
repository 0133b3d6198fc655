"""From strong penalties to weak ones: each penalty's lanes start where the last one's ended.

The lanes of one penalty (targets x folds) are solved together: they are near each other in
difficulty, so that few wait for the slowest, and near the last penalty's answer, so that the
worst of them take tens of steps where a cold start takes hundreds.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import sharing
from jaxlr.glm.families import Family
from jaxlr.glm.problem import Problem, lanes_of
from jaxlr.paths import descent, proofs, proximal, resort
from jaxlr.paths.proofs import Ends

MARGIN = 0.1  # of tol: what a descent aims at, since its own estimate is only that
USEFUL = 0.25  # of λ `reaching`: from half of that a decrement bounds nothing
MEMORY = 2**30  # bytes for the logits and metrics of a batch of certificates


class Answers(NamedTuple):
    """Of lanes m x K: params [m, K, C, P], and risk, gap, decrement, num_steps [m, K]."""

    params: np.ndarray
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    num_steps: np.ndarray


def march(
    family: Family,
    problem: Problem,
    lambdas: np.ndarray,
    l1_ratio: float,
    tol: float,
    max_steps: int,
    start: np.ndarray | None = None,
) -> Answers:
    """Every target and fold of the problem under each of its descending penalties [K, m].

    Lane m is target m // F on fold m % F, and starts from params `start` [m, C, P], or from 0.
    Runs under float64.
    """
    engine = proximal if l1_ratio > 0 else descent
    num_penalties, num_lanes = lambdas.shape
    plan = engine.plan(family, problem, num_lanes)
    bulk = engine.bulk(problem, MARGIN * tol)
    if start is None:
        start = np.zeros((num_lanes, family.num_outputs, problem.x.shape[1]))
    start = sharing.by_lane(start.astype(bulk.x.dtype))
    state = engine.start(family, bulk, lanes_of(bulk, lambdas[0], l1_ratio), start, plan)
    reach = np.asarray(_reaching(family, problem))
    width = _width(family, problem, num_lanes, num_penalties)
    narrow = bulk if bulk.x.dtype != problem.x.dtype else None
    certified = partial(
        proofs.certified, family, problem, ridge_only=l1_ratio == 0, tol=tol, narrow=narrow
    )
    seen = []
    for first in range(0, num_penalties, width):
        block = lambdas[first : first + width]
        kept = len(block)
        block = np.concatenate([block, np.repeat(block[-1:], width - kept, axis=0)])  # one shape
        lanes = [lanes_of(bulk, lam, l1_ratio) for lam in block]
        goals = [_goal(lam, reach[of.fold]) for lam, of in zip(block, lanes, strict=True)]
        turns = jax.tree.map(lambda *leaves: np.stack(leaves), *lanes)
        goals = np.stack(goals).astype(bulk.x.dtype)
        aim = MARGIN * tol
        state, ends = _walked(engine, family, bulk, turns, plan, state, aim, goals, max_steps, kept)
        proof = certified(lanes_of(problem, block.ravel(), l1_ratio), ends._replace(num_steps=None))
        proof = jax.device_get(proof)
        columns = [np.reshape(leaf, (*block.shape, *leaf.shape[1:])) for leaf in proof[:4]]
        seen.append([leaf[:kept] for leaf in (*columns, np.array(ends.num_steps))])
    columns = [np.concatenate(column) for column in zip(*seen, strict=True)]
    table = resort.Table(*columns)
    resort.finish(family, problem, lambdas, l1_ratio, tol, max_steps, table)
    risk, gap, decrement, params, steps = (np.swapaxes(column, 0, 1) for column in table)
    return Answers(params, risk, gap, decrement, steps)


@partial(QuicklyCompiled, static_argnums=(0, 1, 4))
def _walked(engine, family, problem, turns, plan, state, tol, goals, max_steps, num_turns):
    """The first `num_turns` penalties of `turns`, one after the other; the rest are left out."""

    def one(state, turn):
        lanes, goal, here = turn
        state = engine.onward(lanes, state)
        state = state._replace(active=state.active & here)
        state = engine.solve(family, problem, lanes, plan, state, tol, goal, max_steps)
        return state, _end(engine, state)

    here = jnp.arange(len(goals)) < num_turns
    return jax.lax.scan(one, state, (turns, goals, here))


def _end(engine, state) -> Ends:
    def wide(leaf):
        return leaf.astype(float) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    ends = Ends(state.params, state.risk, engine.known(state), state.num_steps)
    return jax.tree.map(wide, ends)


def _goal(lam, reach):
    """Decrements [m] that a certificate's third bound can use."""
    return USEFUL * lam * reach


def proved(family: Family, problem: Problem, params: np.ndarray, lambdas: np.ndarray) -> Answers:
    """Params [m, K, C, P] found in one step under λ [K, m], with their certificates."""
    seen = []
    for k, lam in enumerate(lambdas):
        lanes = lanes_of(problem, lam, 0.0)
        end = Ends(params[None, :, k], None, None, None)
        proof = proofs.certified(family, problem, lanes, end, ridge_only=True, tol=0.0)
        proof = jax.device_get(proof)
        seen.append((proof.params, proof.risk, proof.gap, proof.decrement))
    params, *rest = (np.stack(column, axis=1) for column in zip(*seen, strict=True))
    return Answers(params, *rest, np.ones(rest[0].shape, np.int32))


def _width(family, problem, num_lanes, num_lambdas) -> int:
    """How many penalties are a block, all blocks being as long as can be alike."""
    num_rows, size = problem.x.shape
    logits = num_lanes * family.num_outputs * num_rows * 8
    metric = family.num_outputs * size**2 * problem.x.dtype.itemsize
    most = int(np.clip(MEMORY // (8 * logits + 2 * metric), 1, num_lambdas))
    return -(-num_lambdas // -(-num_lambdas // most))


_reaching = partial(jax.jit, static_argnums=0)(bounds.reaching)
