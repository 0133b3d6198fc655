"""Certificates of a block of penalties: they need no order, and are one batch or a few."""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import sharing
from jaxlr.paths import preconditioner
from jaxlr.paths.preconditioner import Preconditioner
from jaxlr.pytypes import Array

FACTORED = 1000  # C P up to which a Hessian is factored where nothing else bounds the gap
CACHED = 2**16  # logits of one penalty above which its certificates are made by themselves


class Answers(NamedTuple):
    """Of lanes m x K: params [m, K, C, P], and risk, gap, decrement, num_steps [m, K]."""

    params: np.ndarray
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    num_steps: np.ndarray


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

    Where risks are known, they need be no sharper than half of tol · risk. The engine's metric
    preconditions conjugate gradients. Long rows are taken a penalty at a time, in cache.
    """
    num_ends, num_lanes = ends.params.shape[:2]
    turns = num_ends if num_lanes * family.num_outputs * len(problem.x) > CACHED else 1
    options = {"ridge_only": ridge_only, "num_steps": num_steps, "direct": direct}
    metric = ends.metric
    if metric is not None:
        options["direct"] = False
    if isinstance(metric, Preconditioner):
        options["apply"] = preconditioner.apply

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
    proofs = jax.lax.map(of_turn, sharing.pinned((lanes, *ends), lanes=1))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), proofs)
