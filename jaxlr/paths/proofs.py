"""Certificates of a block of penalties: they need no order, and are one batch or a few."""

from functools import partial
from typing import Any, NamedTuple

import jax

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import sharing
from jaxlr.paths import metric as metrics
from jaxlr.pytypes import Array

FACTORED = 1000  # C P up to which a Hessian is factored where nothing else bounds the gap
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
def certified(family, problem, lanes, ends, *, tol, ridge_only, direct=None, num_steps=30):
    """Certificates of the ends of K penalties, leaves [K · m, ...].

    Where the risks are known, conjugate gradients rest at a gap of half of tol · risk; the engine's
    metric preconditions them. Long rows are taken a penalty at a time: what is made of them stays
    in cache.
    """
    num_ends, num_lanes = ends.params.shape[:2]
    logits = num_lanes * family.num_outputs * len(problem.x)
    turns = num_ends if logits > CACHED else 1
    metric, apply = _preconditioner(ends.metric)
    direct = False if metric is not None else direct
    options = {"ridge_only": ridge_only, "direct": direct, "num_steps": num_steps, "apply": apply}

    def of_turn(turn):
        lanes, params, risk, metric = turn
        enough = None if risk is None else tol / 2 * risk
        return bounds.certify(
            family, problem, lanes, params, enough=enough, metric=metric, **options
        )

    def dealt(leaf):
        return leaf.reshape(turns, num_ends // turns * leaf.shape[1], *leaf.shape[2:])

    lanes = jax.tree.map(lambda leaf: leaf.reshape(turns, -1), lanes)
    ends = jax.tree.map(dealt, (ends.params, ends.risk, metric))
    proofs = jax.lax.map(of_turn, sharing.by_lane((lanes, *ends), axis=1))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), proofs)


def _preconditioner(metric):
    """Arrays [K, G, ...] and how one group's of them are applied: a metric's, or a diagonal."""
    if not isinstance(metric, metrics.Metric):
        return metric, lambda diagonal, r: diagonal * r

    def apply(inverse, r):
        whole = metrics.Metric(*(leaf[None] for leaf in inverse), None, None, None)
        out = metrics.apply(whole, r.reshape(1, 1, *inverse[0].shape[:2]))
        return out.reshape(r.shape)

    return (metric.inverse, metric.coupling), apply
