"""Certificates of what marches leave, and the last resort of lanes that these do not prove.

Such lanes go on alone, in float64, to where that ends: one at a time, on one small set of programs,
slow beside a march, and rarely needed.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import problem, sharing
from jaxlr.glm.problem import lane_of, lanes_of, logits_of
from jaxlr.paths import newton, preconditioner, proximal
from jaxlr.paths.preconditioner import Ends

BEYOND = 1e-7  # of tol: bounds at weak penalties ask for all that float64 has


class Answers(NamedTuple):
    """Of lanes m x K: params [m, K, C, P], and risk, gap, decrement, num_steps [m, K]."""

    params: np.ndarray
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    num_steps: np.ndarray


@partial(QuicklyCompiled, static_argnums=0, static_argnames=("ridge_only", "direct", "num_steps"))
def certified(family, rows, lanes, ends, *, tol, direct=None, **options):
    """Certificates of the ends of K penalties, lanes and all else [K, m, ...].

    Where risks are known, they need be no sharper than half of tol · risk. A preconditioner serves
    conjugate gradients. A penalty at a time: what is made of rows is then in cache.
    """
    direct = direct if ends.metric is None else False
    options |= {"direct": direct, "apply": preconditioner.apply}

    def of_penalty(own):
        lanes, params, risk, metric = own
        enough = None if risk is None else tol / 2 * risk
        return bounds.certify(family, rows, lanes, params, enough=enough, metric=metric, **options)

    own = sharing.pinned((lanes, ends.params, ends.risk, ends.metric), lanes=1)
    return jax.lax.map(of_penalty, own)


def finish(family, rows, lambdas, l1_ratio, tol, max_steps, answers) -> None:
    """Takes lanes on, in place, that are not certified to tol under their penalties [K, m].

    A lane starts from where it stands, or from its answer to the last penalty if J is lower there.
    """
    params, risk, gap, _, steps = answers
    left = ~((gap < np.inf) & (gap <= tol * risk)) & (steps < max_steps)
    engine = proximal if l1_ratio > 0 else newton
    for k, m in np.argwhere(left.T):
        of_penalty = lanes_of(rows, lambdas[k], l1_ratio)
        lane = jax.tree.map(lambda leaf, m=m: leaf[m : m + 1], of_penalty)
        starts = params[m, [k, max(k - 1, 0)]]
        starts = np.where(np.isfinite(starts), starts, 0)
        here, before = (_risk(family, rows, lane, start).item() for start in starts)
        start = starts[int(before < here)][None]
        ends = Ends(start[None], None, None, steps[m, k][None, None])
        proof = partial(_proof, family, rows, lane, l1_ratio, tol)
        # A march looks at the duality gap alone: another bound may be all that is missing.
        found = proof(ends) if l1_ratio > 0 else None
        if found is None or not found.gap[0] <= tol * found.risk[0]:
            on = start, BEYOND * tol, ends.num_steps[0], max_steps
            ends = engine.alone(family, rows, lane, *on)
            found = proof(ends)
        steps[m, k] = ends.num_steps.item()
        if not found.gap[0] >= gap[m, k] or found.risk[0] < risk[m, k]:
            for column, new in zip(answers[:4], found, strict=False):
                column[m, k] = new[0]


@partial(jax.jit, static_argnums=0)
def _risk(family, rows, lane, params):
    own = lane_of(rows, jax.tree.map(lambda leaf: leaf[0], lane))
    return problem.risk(family, own, params, logits_of(params, rows))


def _proof(family, rows, lane, l1_ratio, tol, ends):
    """A certificate by a factor of a Hessian of ordinary size, or by products.

    Of a single logit, or with an l1 part, the better of both.
    """
    ends, found = ends._replace(num_steps=None), None
    whole = l1_ratio == 0 and newton.is_whole(family, rows)
    factored = whole or family.num_outputs * rows.x.shape[1] <= bounds.FACTORED
    own = jax.tree.map(lambda leaf: leaf[None], lane)
    for direct in (True, False)[not factored : 2 - whole]:
        given = ends._replace(metric=None) if direct else ends
        options = {"ridge_only": l1_ratio == 0, "direct": direct, "num_steps": bounds.MOST}
        proof = certified(family, rows, own, given, tol=tol, **options)
        proof = jax.tree.map(lambda leaf: np.array(leaf)[0], jax.device_get(proof))
        if found is not None:
            gap, decrement = map(np.fmin, proof[2:4], found[2:4])
            proof = proof._replace(gap=gap, decrement=decrement)
        if proof.gap[0] <= tol * proof.risk[0]:
            return proof
        found = proof
    return found
