"""From strong penalties to weak ones: each penalty's lanes start where the last one's ended.

The lanes of one penalty (targets x folds) are solved together: they are near each other in
difficulty, so that few wait for the slowest, and near the last penalty's answer, so that the
worst of them take tens of steps where a cold start takes hundreds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds, duality
from jaxlr.glm import sharing
from jaxlr.glm.problem import Problem, cast, lanes_of
from jaxlr.glm.sharing import EXAMPLES, LANES
from jaxlr.paths import descent, keeping, proofs, proximal
from jaxlr.paths.preconditioner import Ends
from jaxlr.paths.proofs import Answers

# Of tol: what a descent aims at, since its own estimate is only that. With 1 lanes end unproved:
# the first call takes 1.7 times as long on breast cancer, 2 on wide rows.
MARGIN = 0.1
# Of that, where lanes end unproved all the same, and before each of them goes on alone: without a
# second walk embeddings of 700 rows take 3.3 times as long with four classes, 2.8 with two.
AGAIN = 0.03
WITHIN_FLOAT32 = 1e-9  # estimates of J - J*, as parts of J: smaller ones are noise in float32
# Of λ / (M k R)²: from half of that a decrement bounds nothing. Without it digits take 16 times as
# long, as lanes end unproved, rare dummies 1.5.
USEFUL = 0.25


SIGNS_OF_LIFE = 8  # of a march that somebody listens to
_HEARS: ContextVar[Callable[[int], None] | None] = ContextVar("hears", default=None)


@contextmanager
def progress(hears: Callable[[int], None]) -> Iterator[None]:
    """`hears(number)` is told of penalties x lanes that have ended, while paths are solved here.

    They come in blocks, an eighth of a path or less, and with those of a refit. Answers are the
    same; blocks of another size are another program.
    """
    before = _HEARS.set(hears)
    try:
        yield
    finally:
        _HEARS.reset(before)


def tell(number: int) -> None:
    """Tells whoever listens."""
    if _HEARS.get() is not None:
        _HEARS.get()(number)


def march(family, problem, lambdas, l1_ratio, tol, max_steps, start=None) -> Answers:
    """Every target and fold of the problem under each of its descending penalties [K, m].

    Lane m is target m // F on fold m % F, and starts from params `start` [m, C, P], or from 0.
    Runs under float64.
    """
    (num_penalties, num_lanes), inner = lambdas.shape, start is not None
    if not inner:
        start = np.zeros((num_lanes, family.num_outputs, problem.x.shape[1]))
    width = _width(family, problem, num_lanes, num_penalties)
    if _HEARS.get() is not None or keeping.is_on():
        width = min(width, -(-num_penalties // SIGNS_OF_LIFE))
    certified = partial(proofs.certified, family, problem, ridge_only=l1_ratio == 0, tol=tol)
    walked = partial(_walked_l1 if l1_ratio > 0 else _walked, family, problem)
    planned = descent.plan(family, problem, num_lanes)
    planned = planned._replace(narrow=l1_ratio == 0 and MARGIN * tol >= WITHIN_FLOAT32)
    # A preconditioner dearer than the steps that it serves has to earn its price by many penalties.
    plans = [(planned._replace(bare=False), MARGIN * tol)]
    if num_penalties == 1 and planned.bare and l1_ratio == 0:
        plans.insert(0, (planned, MARGIN * tol))
    if planned.narrow and AGAIN * MARGIN * tol >= WITHIN_FLOAT32:
        plans.append((plans[-1][0], AGAIN * MARGIN * tol))
    seen, before = [], start
    for first in range(0, num_penalties, width):
        block = lambdas[first : first + width]
        kept = len(block)
        block = np.concatenate([block, np.repeat(block[-1:], width - kept, axis=0)])  # one shape
        turns, here = lanes_of(problem, block, l1_ratio), (start, before)
        solved = partial(_solved, walked, certified, plans, turns, here, kept, tol, max_steps)
        told = block, l1_ratio, here, kept, tol, max_steps
        start, before, answers = keeping.block(solved, family, problem, *told)
        seen.append([leaf[:kept] for leaf in answers])
        if not inner:
            tell(kept * num_lanes)
    columns = (np.concatenate(column) for column in zip(*seen, strict=True))
    answers = Answers(*(np.swapaxes(column, 0, 1) for column in columns))
    proofs.finish(family, problem, lambdas, l1_ratio, tol, max_steps, answers)
    return answers


def _solved(walked, certified, plans, turns, here, kept, tol, max_steps):
    """A block by the first of the plans whose lanes are all proved, or else by the last."""
    for planned, aim in plans:
        most = min(planned.serves, max_steps) if planned.bare else max_steps
        *there, ends = walked(planned, turns, here, aim, kept, most)
        proof = jax.device_get(certified(turns, ends._replace(num_steps=None)))
        if np.all(proof.gap <= tol * proof.risk):
            break
    return (*there, (*proof[:4], np.array(ends.num_steps)))


@partial(QuicklyCompiled, static_argnums=(0, 2))
def _walked(family, problem, planned, turns, start, aim, num_turns, max_steps):
    """The first `num_turns` penalties of `turns`, one after the other; the rest take no step."""
    rows = cast(jnp.float32, problem) if planned.narrow else problem
    reach = duality.over(USEFUL, bounds.radii(family, problem) ** 2)
    goals = turns.lam * reach[turns.fold]
    here = jnp.where(jnp.arange(len(goals)) < num_turns, max_steps, 0)
    turns, start, goals, aim = cast(rows.x.dtype, (turns, start, goals, jnp.asarray(aim)))

    def walk(rows, turns, start, goals, aim, here):
        return descent.walk(family, rows, turns, start, planned, aim, goals, here)

    of_rows = Problem(P(EXAMPLES), *[P(None, EXAMPLES)] * 3, P(EXAMPLES), P())
    lanes, every = P(LANES), P(None, LANES)
    walk = sharing.by_device(walk, (of_rows, every, lanes, every, P(), P()), (lanes, lanes, every))
    params, before, ends = walk(rows, turns, start, goals, aim, here)
    return params, before, cast(jnp.float64, ends)


@partial(QuicklyCompiled, static_argnums=(0, 2))
def _walked_l1(family, problem, planned, turns, start, aim, num_turns, max_steps):
    del planned

    def one(state, turn):
        lanes, most = turn
        state = state._replace(num_steps=jnp.zeros_like(state.num_steps))
        state = proximal.solve(family, problem, lanes, state, aim, most)
        return state, Ends(state.params, state.risk, None, state.num_steps)

    first = jax.tree.map(lambda leaf: leaf[0], turns)
    state = proximal.start(family, problem, first, start[0])
    most = jnp.where(jnp.arange(len(turns.lam)) < num_turns, max_steps, 0)
    state, ends = jax.lax.scan(one, state, (turns, most))
    return state.params, state.params, ends


def proved(family, problem, params, lambdas) -> Answers:
    """Params [m, K, C, P] found in one step under λ [K, m], with their certificates."""
    lanes = lanes_of(problem, lambdas, 0.0)
    ends = Ends(np.swapaxes(params, 0, 1), None, None, None)
    proof = proofs.certified(family, problem, lanes, ends, ridge_only=True, tol=0.0)
    known = [np.swapaxes(leaf, 0, 1) for leaf in jax.device_get(proof)[:4]]
    return Answers(*known, np.ones(lambdas.T.shape, np.int32))


def _width(family, problem, num_lanes, num_lambdas) -> int:
    """How many penalties are a block, all blocks being as long as can be alike."""
    num_rows, size = problem.x.shape
    numbers = family.num_outputs * (8 * num_lanes * num_rows + 2 * size**2)
    most = int(np.clip(bounds.MEMORY // numbers, 1, num_lambdas))
    return -(-num_lambdas // -(-num_lambdas // most))
