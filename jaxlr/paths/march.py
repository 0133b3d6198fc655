"""From strong penalties to weak ones: each penalty's lanes start where the last one's ended.

The lanes of one penalty (targets x folds) are solved together: they are near each other in
difficulty, so that few wait for the slowest, and near the last penalty's answer, so that the
worst of them take tens of steps where a cold start takes hundreds. Certificates need no such
order: those of several penalties are one batch.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QUICKLY_COMPILED
from jaxlr.paths import certificates, descent, proximal
from jaxlr.paths import metric as metrics
from jaxlr.paths.families import Family
from jaxlr.paths.problem import Lanes, Problem
from jaxlr.pytypes import Array

MARGIN = 0.1  # of tol: what a descent aims at, since its own estimate is only that
ROUNDS = 3  # descents of one penalty, each a thousandth of the last one's aim
FACTORED = 1000  # C P up to which a Hessian is factored where nothing else bounds the gap
CACHED = 2**17  # logits of one penalty above which its certificates are made by themselves
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
) -> Answers:
    """Every target and fold of the problem under each of its descending penalties [K, m].

    Lane m is target m // F on fold m % F. Runs under float64.
    """
    num_lanes = lambdas.shape[1]
    engine = proximal if l1_ratio > 0 else descent
    num_penalties, num_lanes = lambdas.shape
    plan = engine.plan(family, problem, num_lanes)
    bulk = engine.bulk(problem, MARGIN * tol)
    zeros = jnp.zeros((num_lanes, family.num_outputs, problem.x.shape[1]), bulk.x.dtype)
    state = engine.start(family, bulk, _lanes(bulk, lambdas[0], l1_ratio), zeros, plan)
    reach = np.asarray(_reaching(family, problem))
    width = _width(family, problem, num_lanes, num_penalties)
    certified = partial(_certified, family, problem, ridge_only=l1_ratio == 0, tol=tol)
    seen = []
    for first in range(0, num_penalties, width):
        block = lambdas[first : first + width]
        kept = len(block)
        block = np.concatenate([block, np.repeat(block[-1:], width - kept, axis=0)])  # one shape
        lanes = [_lanes(bulk, lam, l1_ratio) for lam in block]
        goals = [_goal(lam, reach[of.fold]) for lam, of in zip(block, lanes, strict=True)]
        turns = jax.tree.map(lambda *leaves: np.stack(leaves), *lanes)
        goals = np.stack(goals).astype(bulk.x.dtype)
        aim = MARGIN * tol
        state, ends = _walked(engine, family, bulk, turns, plan, state, aim, goals, max_steps, kept)
        for finer in 1e-3 ** np.arange(1, ROUNDS + 1):
            proof = _proof(family, problem, block, l1_ratio, ends, certified)
            short = (proof.gap > tol * proof.risk).reshape(block.shape)
            short &= np.asarray(ends.num_steps) < max_steps
            if not short[:kept].any() or finer == 1e-3**ROUNDS:
                break
            ends = jax.tree.map(np.array, ends)
            for k in np.flatnonzero(short[:kept].any(axis=1)):
                lanes = _lanes(problem, block[k], l1_ratio)
                again = engine.start(family, problem, lanes, ends.params[k], plan)
                again = again._replace(active=short[k], num_steps=ends.num_steps[k])
                aim = float(MARGIN * tol * finer)  # NumPy's would be another program
                goal = np.full(num_lanes, np.inf)
                again = _solved(engine, family, problem, lanes, plan, again, aim, goal, max_steps)
                for row, new in zip(
                    jax.tree.leaves(ends), jax.tree.leaves(_end(engine, again)), strict=True
                ):
                    row[k] = new
        columns = (np.reshape(leaf, (*block.shape, *leaf.shape[1:])) for leaf in proof[:4])
        seen.append([leaf[:kept] for leaf in (*columns, np.asarray(ends.num_steps))])
    columns = (np.concatenate(column) for column in zip(*seen, strict=True))
    risk, gap, decrement, params, steps = (np.swapaxes(column, 0, 1) for column in columns)
    return Answers(params, risk, gap, decrement, steps)


class Ends(NamedTuple):
    """Where the lanes of K penalties ended, in float64: all [K, ...].

    metric is what the engine knows for a certificate, or None.
    """

    params: Array
    risk: Array
    metric: Any
    num_steps: Array


@partial(jax.jit, static_argnums=(0, 1, 4), compiler_options=QUICKLY_COMPILED)
def _solved(engine, family, problem, lanes, plan, state, tol, goal, max_steps):
    return engine.solve(family, problem, lanes, plan, state, tol, goal, max_steps)


@partial(jax.jit, static_argnums=(0, 1, 4), compiler_options=QUICKLY_COMPILED)
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
    return np.where(lam > 0, MARGIN * np.where(lam > 0, lam, 1) * reach, np.inf)


def proved(family: Family, problem: Problem, params: np.ndarray, lambdas: np.ndarray) -> Answers:
    """Params [m, K, C, P] found in one step, with their certificates."""
    seen = []
    for k, lam in enumerate(lambdas):
        lanes = _lanes(problem, np.full(len(params), lam), 0.0)
        end = Ends(params[None, :, k], None, None, None)
        proof = jax.device_get(_certified(family, problem, lanes, end, ridge_only=True, tol=0.0))
        seen.append((proof.params, proof.risk, proof.gap, proof.decrement))
    params, *rest = (np.stack(column, axis=1) for column in zip(*seen, strict=True))
    return Answers(params, *rest, np.ones(rest[0].shape, np.int32))


def _width(family, problem, num_lanes, num_lambdas) -> int:
    """How many penalties' certificates are one batch."""
    num_rows, size = problem.x.shape
    logits = num_lanes * family.num_outputs * num_rows * 8
    metric = family.num_outputs * size**2 * problem.x.dtype.itemsize
    return int(np.clip(MEMORY // (8 * logits + 2 * metric), 1, num_lambdas))


def _proof(family, problem, block, l1_ratio, ends, certified):
    """Certificates of a block of penalties [K, m]: leaves [K · m, ...], in NumPy."""
    bare = block[-1] == 0
    direct = bare.any() and family.num_outputs * problem.x.shape[1] <= FACTORED
    if direct:  # without a penalty only a factored Hessian bounds anything
        lanes = _lanes(problem, block[-1], l1_ratio)
        last = Ends(ends.params[-1:], None, None, None)
        factored = jax.tree.map(np.array, jax.device_get(certified(lanes, last, direct=True)))
        if bare.all() and len(block) == 1:
            return factored
    lanes = _lanes(problem, block.ravel(), l1_ratio)
    ends = ends._replace(num_steps=None)
    proof = jax.tree.map(np.array, jax.device_get(certified(lanes, ends)))
    if direct:
        for k in np.flatnonzero((block[:, bare] == 0).any(axis=1)):
            for leaf, better in zip(proof, factored, strict=True):
                here = leaf[k * len(bare) : (k + 1) * len(bare)]
                here[bare] = better[bare]
    return proof


@partial(
    jax.jit,
    static_argnums=0,
    static_argnames=("ridge_only", "direct"),
    compiler_options=QUICKLY_COMPILED,
)
def _certified(family, problem, lanes, ends, *, tol, ridge_only, direct=None):
    """Certificates of the ends of K penalties, leaves [K · m, ...].

    With a metric for the conjugate gradients, where the engine has one; then they rest at a gap of
    half of tol · risk. Long rows are taken an end at a time: what is made of them stays in cache.
    """
    num_ends, num_lanes = ends.params.shape[:2]
    logits = num_lanes * family.num_outputs * len(problem.x)
    turns = num_ends if logits > CACHED else 1
    certify = partial(certificates.certify, family, problem, ridge_only=ridge_only)

    def of_turn(turn):
        lanes, params, risk, metric = turn
        if metric is None:
            enough = None if risk is None else tol / 2 * risk
            return certify(lanes, params, enough=enough, direct=direct)

        def precondition(v):
            return metrics.apply(metric, v[None])[0]

        def share(curvature, weights):
            return metrics.share_of(metric, curvature, weights, lanes.lam)

        enough = tol / 2 * risk
        return certify(
            lanes, params, precondition=precondition, direct=False, enough=enough, share=share
        )

    def dealt(leaf):
        return leaf.reshape(turns, num_ends // turns * leaf.shape[1], *leaf.shape[2:])

    lanes = jax.tree.map(lambda leaf: leaf.reshape(turns, -1), lanes)
    ends = jax.tree.map(dealt, (ends.params, ends.risk, ends.metric))
    proofs = jax.lax.map(of_turn, (lanes, *ends))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), proofs)


_reaching = partial(jax.jit, static_argnums=0)(certificates.reaching)


def _lanes(problem: Problem, lam: np.ndarray, l1_ratio: float) -> Lanes:
    """Targets x folds, as many times over as lam [K · m] has penalties, in the rows' precision."""
    num_targets, num_folds = len(problem.labels), len(problem.weights)
    lane = np.arange(len(lam)) % (num_targets * num_folds)
    fold, target = lane % num_folds, lane // num_folds
    dtype = problem.x.dtype
    return Lanes(lam.astype(dtype), np.full(len(lam), l1_ratio, dtype), fold, target)
