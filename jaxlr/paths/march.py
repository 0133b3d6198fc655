"""From strong penalties to weak ones: each penalty's lanes start where the last one's ended.

The lanes of one penalty (targets x folds) are solved together: they are near each other in
difficulty, so that few wait for the slowest, and near the last penalty's answer, so that the
worst of them take tens of steps where a cold start takes hundreds. Certificates need no such
order: those of several penalties are one batch.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.backend import QUICKLY_COMPILED
from jaxlr.paths import certificates, descent, proximal
from jaxlr.paths import metric as metrics
from jaxlr.paths.families import Family
from jaxlr.paths.problem import Lanes, Problem

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
    plan = engine.plan(family, problem, num_lanes)
    bulk = engine.bulk(problem, MARGIN * tol)
    zeros = jnp.zeros((num_lanes, family.num_outputs, problem.x.shape[1]), bulk.x.dtype)
    lanes = _lanes(bulk, lambdas[0], l1_ratio)
    state, old = engine.start(family, bulk, lanes, zeros, plan), None
    seen = []
    reach = np.asarray(_reaching(family, problem))
    width = _width(family, problem, num_lanes, len(lambdas))
    for first in range(0, len(lambdas), width):
        block, states = lambdas[first : first + width], []
        for lam in block:
            lanes = _lanes(bulk, lam, l1_ratio)
            if old is not None:
                state = engine.onward(lanes, old, state)
            old = lanes
            goal = np.where(lam > 0, MARGIN * np.where(lam > 0, lam, 1) * reach[lanes.fold], np.inf)
            goal = goal.astype(bulk.x.dtype)
            state = engine.solve(family, bulk, lanes, plan, state, MARGIN * tol, goal, max_steps)
            # Logits are made again where they are needed: a block of them is much to keep.
            states.append(engine.packed(state))
        for finer in 1e-3 ** np.arange(1, ROUNDS + 1):
            proof = _proof(family, problem, block, l1_ratio, tol, states, width, engine)
            shape = (-1, num_lanes)
            steps = np.stack([s.num_steps for s in states])
            short = np.asarray(proof.gap > tol * proof.risk).reshape(shape) & (steps < max_steps)
            if not short.any() or finer == 1e-3**ROUNDS:
                break
            for k in np.flatnonzero(short.any(axis=1)):
                lanes = _lanes(problem, block[k], l1_ratio)
                resumed = engine.again(family, problem, lanes, states[k], jnp.asarray(short[k]))
                aim = float(MARGIN * tol * finer)  # NumPy's would be another program
                goal = np.full(num_lanes, np.inf)
                resumed = engine.solve(family, problem, lanes, plan, resumed, aim, goal, max_steps)
                states[k] = engine.packed(resumed)
        columns = (proof.params, proof.risk, proof.gap, proof.decrement)
        columns = [np.asarray(c).reshape(*shape, *c.shape[1:]) for c in columns]
        seen += zip(*columns, steps, strict=True)
    return _answers(seen)


def proved(family: Family, problem: Problem, params: np.ndarray, lambdas: np.ndarray) -> Answers:
    """Params [m, K, C, P] found in one step, with their certificates."""
    seen = []
    for k, lam in enumerate(lambdas):
        lanes = _lanes(problem, np.full(len(params), lam), 0.0)
        ends = [(params[:, k], None, None)]
        proof = _certified(family, problem, lanes, ends, tol=0.0, ridge_only=True)
        steps = np.ones(len(params), np.int32)
        seen.append((proof.params, proof.risk, proof.gap, proof.decrement, steps))
    return _answers(seen)


def _width(family, problem, num_lanes, num_lambdas) -> int:
    """How many penalties' certificates are one batch."""
    num_rows, size = problem.x.shape
    logits = num_lanes * family.num_outputs * num_rows * 8
    metric = family.num_outputs * size**2 * problem.x.dtype.itemsize
    return int(np.clip(MEMORY // (8 * logits + 2 * metric), 1, num_lambdas))


def _proof(family, problem, block, l1_ratio, tol, states, width, engine):
    """Certificates of a block of penalties, [K · m]; a short block is filled up, to one shape."""
    bare = block[-1] == 0
    certified = partial(_certified, ridge_only=l1_ratio == 0)
    direct = bare.any() and family.num_outputs * problem.x.shape[1] <= FACTORED
    if direct:  # without a penalty only a factored Hessian bounds anything
        lanes = _lanes(problem, block[-1], l1_ratio)
        last = states[len(block) - 1].params
        ends = [(last, None, None)]
        factored = certified(family, problem, lanes, ends, direct=True, tol=0.0)
        factored = jax.tree.map(np.array, jax.device_get(factored))
        if bare.all() and len(block) == 1:
            return factored
    missing = width - len(block)
    lam = np.concatenate([block, np.repeat(block[-1:], missing, axis=0)]).ravel()
    lanes = _lanes(problem, lam, l1_ratio)
    states = states + [states[-1]] * missing
    ends = [(state.params, state.risk, engine.known(state)) for state in states]
    proof = jax.device_get(certified(family, problem, lanes, ends, tol=tol))
    proof = jax.tree.map(lambda leaf: np.array(leaf[: block.size]), proof)
    if direct:
        tail = slice(block.size - len(bare), block.size)
        for leaf, better in zip(proof, factored, strict=True):
            leaf = leaf[tail]
            keep = bare.reshape(-1, *[1] * (leaf.ndim - 1))
            leaf[...] = np.where(keep, better, leaf)
    return proof


@partial(
    jax.jit,
    static_argnums=0,
    static_argnames=("ridge_only", "direct"),
    compiler_options=QUICKLY_COMPILED,
)
def _certified(family, problem, lanes, ends, *, tol, ridge_only, direct=None):
    """Certificates of ends [(params, risk, metric)], one after the other.

    With a metric for the conjugate gradients, where the engine has one; then they rest at a gap of
    half of tol · risk. Long rows are taken an end at a time: what is made of them stays in cache.
    """
    num_ends = len(ends)
    ends = jax.tree.map(lambda *leaves: jnp.concatenate(leaves).astype(float), *ends)
    params = ends[0]
    certify = partial(certificates.certify, family, problem, ridge_only=ridge_only)
    logits = params[..., 0].size * len(problem.x)
    turns = num_ends if logits > num_ends * CACHED else 1

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
        return leaf.reshape(turns, len(leaf) // turns, *leaf.shape[1:])

    proofs = jax.lax.map(of_turn, jax.tree.map(dealt, (lanes, *ends)))
    return jax.tree.map(lambda leaf: leaf.reshape(len(params), *leaf.shape[2:]), proofs)


_reaching = partial(jax.jit, static_argnums=0)(certificates.reaching)


def _lanes(problem: Problem, lam: np.ndarray, l1_ratio: float) -> Lanes:
    """Targets x folds, as many times over as lam [K · m] has penalties, in the rows' precision."""
    num_targets, num_folds = len(problem.labels), len(problem.weights)
    lane = np.arange(len(lam)) % (num_targets * num_folds)
    fold, target = lane % num_folds, lane // num_folds
    dtype = problem.x.dtype
    return Lanes(lam.astype(dtype), np.full(len(lam), l1_ratio, dtype), fold, target)


def _answers(seen: list) -> Answers:
    columns = zip(*jax.device_get(seen), strict=True)
    return Answers(*(np.stack(column, axis=1) for column in columns))
