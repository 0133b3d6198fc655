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
    """Certificates of the ends of K penalties, lanes and all else [K, m, ...].

    Where risks are known, they need be no sharper than half of tol · risk. The engine's metric
    preconditions conjugate gradients. A penalty at a time: what is made of rows is then in cache.
    """
    options = {"ridge_only": ridge_only, "num_steps": num_steps, "direct": direct}
    metric = ends.metric
    if metric is not None:
        options["direct"] = False
    if isinstance(metric, Preconditioner):
        options["apply"] = preconditioner.apply

    def of_penalty(own):
        lanes, params, risk, metric = own
        enough = None if risk is None else tol / 2 * risk
        return bounds.certify(
            family, problem, lanes, params, enough=enough, metric=metric, **options
        )

    own = sharing.pinned((lanes, ends.params, ends.risk, metric), lanes=1)
    return jax.lax.map(of_penalty, own)
