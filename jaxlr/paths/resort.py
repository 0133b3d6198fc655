"""The last resort: lanes that a march leaves unproved go on alone, in float64, to where that ends.

One lane at a time, on one small set of programs: slow beside a march, and rarely needed.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from jaxlr.glm import objective
from jaxlr.glm.losses import Loss
from jaxlr.glm.problem import Problem, lane_of, lanes_of, logits_of
from jaxlr.paths import newton, proofs, proximal
from jaxlr.paths.proofs import Ends

MOST = 1000  # iterations of conjugate gradients, for a proof


class Table(NamedTuple):
    """What is known of lanes K x m: risk, gap, decrement and num_steps [K, m], params [K, m, C, P].

    NumPy arrays, written in place.
    """

    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    params: np.ndarray
    num_steps: np.ndarray


def finish(
    family: Loss,
    problem: Problem,
    lambdas: np.ndarray,
    l1_ratio: float,
    tol: float,
    max_steps: int,
    table: Table,
) -> None:
    """Takes the lanes of `table` under penalties [K, m] on that are not certified to tol.

    A lane starts from where it stands, or from its answer to the last penalty if J is lower there.
    """
    left = ~(table.gap < np.inf) | ~(table.gap <= tol * table.risk)
    left &= table.num_steps < max_steps
    for k, m in np.argwhere(left):
        of_penalty = lanes_of(problem, lambdas[k], l1_ratio)
        lane = jax.tree.map(lambda leaf, m=m: leaf[m : m + 1], of_penalty)
        starts = np.stack([table.params[k, m], table.params[max(k - 1, 0), m]])
        starts = np.where(np.isfinite(starts), starts, 0)
        one = jax.tree.map(lambda leaf: leaf[0], lane)
        risks = [_risk(family, problem, one, start).item() for start in starts]
        start = starts[int(risks[1] < risks[0])][None]
        steps = table.num_steps[k, m : m + 1]
        ends = Ends(start[None], None, None, steps[None])
        proof = partial(_proof, family, problem, lane, l1_ratio, tol)
        # A march looks at the duality gap alone: another bound may be all that is missing.
        found = proof(ends) if l1_ratio > 0 else None
        if found is None or not found.gap[0] <= tol * found.risk[0]:
            ends = _end(family, problem, lane, start, l1_ratio, tol, steps, max_steps)
            found = proof(ends)
        table.num_steps[k, m] = ends.num_steps.item()
        if not found.gap[0] >= table.gap[k, m] or found.risk[0] < table.risk[k, m]:
            for column, new in zip(table[:4], found[:4], strict=True):
                column[k, m] = new[0]


@partial(jax.jit, static_argnums=0)
def _risk(family, problem, lane, params):
    return objective.risk(family, lane_of(problem, lane), params, logits_of(params, problem))


def _end(family, problem, lane, params, l1_ratio, tol, num_steps, max_steps) -> Ends:
    engine = proximal if l1_ratio > 0 else newton
    state = engine.alone(family, problem, lane, params, tol, num_steps, max_steps)
    ends = Ends(state.params, state.risk, engine.known(state), state.num_steps)
    return jax.tree.map(lambda leaf: leaf[None], ends)


def _proof(family, problem, lane, l1_ratio, tol, ends):
    """A certificate by a factor of a Hessian of ordinary size, or by products.

    Of a single logit, or with an l1 part, the better of both.
    """
    ends = ends._replace(num_steps=None)
    whole = l1_ratio == 0 and newton.is_whole(family, problem)
    factored = whole or family.num_outputs * problem.x.shape[1] <= proofs.FACTORED
    found = None
    for direct in (True, False)[not factored : 2 - whole]:
        given = ends._replace(metric=None) if direct else ends
        options = {"ridge_only": l1_ratio == 0, "direct": direct, "num_steps": MOST}
        proof = proofs.certified(family, problem, lane, given, tol=tol, **options)
        proof = jax.tree.map(np.array, jax.device_get(proof))
        if found is not None:
            proof = proof._replace(
                gap=np.fmin(proof.gap, found.gap),
                decrement=np.fmin(proof.decrement, found.decrement),
            )
        if proof.gap[0] <= tol * proof.risk[0]:
            return proof
        found = proof
    return found
