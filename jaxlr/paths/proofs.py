"""Certificates of a block of penalties: they need no order, and are one batch or a few."""

from functools import partial
from typing import Any, NamedTuple

import jax

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import sharing
from jaxlr.glm.problem import narrowed
from jaxlr.paths import metric as metrics
from jaxlr.pytypes import Array

FACTORED = 1000  # C P up to which a Hessian is factored where nothing else bounds the gap
STEPS = 30  # of conjugate gradients
CACHED = 2**16  # logits of one penalty above which its certificates are made by themselves


class Ends(NamedTuple):
    """Where the lanes of K penalties ended, in float64: all [K, ...].

    metric is what the engine knows for a certificate, or None.
    """

    params: Array
    risk: Array
    metric: Any
    num_steps: Array


@partial(QuicklyCompiled, static_argnums=0, static_argnames=("ridge_only", "direct", "num_steps"))
def certified(
    family, problem, lanes, ends, *, tol, ridge_only, direct=None, narrow=None, num_steps=STEPS
):
    """Certificates of the ends of K penalties, leaves [K · m, ...].

    With a metric for the conjugate gradients, where the engine has one; then they rest at a gap of
    half of tol · risk. `narrow` is the problem in float32, for their steps. Long rows are taken an
    end at a time: what is made of them stays in cache.
    """
    num_ends, num_lanes = ends.params.shape[:2]
    logits = num_lanes * family.num_outputs * len(problem.x)
    turns = num_ends if logits > CACHED else 1
    options = {"ridge_only": ridge_only, "num_steps": num_steps}
    certify = partial(bounds.certify, family, problem, **options)

    def of_turn(turn):
        lanes, params, risk, metric = turn
        if metric is None:
            enough = None if risk is None else tol / 2 * risk
            return certify(lanes, params, enough=enough, direct=direct)

        precondition, shares = _of_engine(metric, lanes.lam)
        return certify(
            lanes,
            params,
            narrow=narrow,
            precondition=precondition,
            direct=False,
            enough=tol / 2 * risk,
            shares=shares,
        )

    def dealt(leaf):
        return leaf.reshape(turns, num_ends // turns * leaf.shape[1], *leaf.shape[2:])

    lanes = jax.tree.map(lambda leaf: leaf.reshape(turns, -1), lanes)
    ends = jax.tree.map(dealt, (ends.params, ends.risk, ends.metric))
    proofs = jax.lax.map(of_turn, sharing.by_lane((lanes, *ends), axis=1))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), proofs)


def _of_engine(metric, lam):
    """For the conjugate gradients: the approximate inverse, and how near it is, if that is known.

    From an engine's metric, or from the diagonal of one [L, C, P].
    """
    small = narrowed(metric)

    def of(v):
        return metric if v.dtype == lam.dtype else small

    if not isinstance(metric, metrics.Metric):
        return lambda v: of(v) * v, None
    return (
        lambda v: metrics.apply(of(v), v[None])[0],
        lambda curvature, weights: metrics.shares_of(metric, curvature, weights, lam),
    )
