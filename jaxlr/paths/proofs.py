"""Certificates of a block of penalties: they need no order, and are one batch or a few."""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxlr.backend import QuicklyCompiled
from jaxlr.certificates import bounds
from jaxlr.glm import sharing
from jaxlr.paths import preconditioner
from jaxlr.pytypes import Array


class Answers(NamedTuple):
    """Of lanes m x K: params [m, K, C, P], and risk, gap, decrement, num_steps [m, K]."""

    params: np.ndarray
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    num_steps: np.ndarray


class Ends(NamedTuple):
    """Where the lanes of K penalties ended, in float64: all [K, ...]."""

    params: Array
    risk: Array
    metric: Any  # the engine's preconditioner, or None
    num_steps: Array


@partial(QuicklyCompiled, static_argnums=0, static_argnames=("ridge_only", "direct", "num_steps"))
def certified(family, problem, lanes, ends, *, tol, direct=None, **options):
    """Certificates of the ends of K penalties, lanes and all else [K, m, ...].

    Where risks are known, they need be no sharper than half of tol · risk. A preconditioner serves
    conjugate gradients. A penalty at a time: what is made of rows is then in cache.
    """
    direct = direct if ends.metric is None else False
    options |= {"direct": direct, "apply": preconditioner.apply}

    def of_penalty(own):
        lanes, params, risk, metric = own
        enough = None if risk is None else tol / 2 * risk
        return bounds.certify(
            family, problem, lanes, params, enough=enough, metric=metric, **options
        )

    own = sharing.pinned((lanes, ends.params, ends.risk, ends.metric), lanes=1)
    return jax.lax.map(of_penalty, own)
