"""Large problems with an l1 part: few columns at a time, as most weights are 0.

Each penalty is solved on the columns that its lanes seem to need; those whose slopes then break
their bound are taken in, until none does. A column is in for all lanes, classes and folds.

Reference:
  Tibshirani and others, Strong rules for discarding predictors in lasso-type problems (2012).
"""

from functools import partial

import jax
import numpy as np

from jaxlr.glm import problem
from jaxlr.glm.problem import lane_of, lanes_of, logits_of
from jaxlr.paths import march, proofs
from jaxlr.paths.preconditioner import Ends
from jaxlr.paths.proofs import Answers

ROOM = 2**25  # numbers in a matrix for every lane: up to here all columns are worked on at once
FEWEST = 16  # columns


def answers(family, x, problem_of, lambdas, l1_ratio, tol, max_steps) -> Answers:
    """What `march.march` gives for x [N, D] under penalties [K, m].

    `problem_of` makes the problem of some columns of x.
    """
    whole, bounds, seen = problem_of(x), l1_ratio * lambdas, []
    params = np.zeros((lambdas.shape[1], family.num_outputs, x.shape[1] + 1))
    for k, lam in enumerate(lambdas):
        lanes, steps = lanes_of(whole, lam, l1_ratio), np.zeros(len(params), np.int32)
        slopes = np.abs(_slopes(family, whole, lanes, params))
        likely = 2 * bounds[k] - bounds[max(k - 1, 0)]
        wanted = _any(slopes > likely[:, None, None]) | _any(params != 0)
        while True:
            columns = _padded(np.flatnonzero(wanted), x.shape[1])
            at = np.append(columns, x.shape[1])  # and the intercept
            given = family, problem_of(_taken(x, columns)), lambdas[k : k + 1], l1_ratio
            found = march.march(*given, tol, max_steps, start=_taken(params, at))
            params, here = np.zeros_like(params), at >= 0
            params[..., at[here]] = found.params[:, 0][..., here]
            steps += found.num_steps[:, 0]
            slopes = np.abs(_slopes(family, whole, lanes, params))
            broken = _any(slopes > bounds[k][:, None, None]) & ~wanted
            if not broken.any():
                break
            wanted |= broken
        ends = Ends(params[None], found.risk.T, None, None)
        own, options = lanes_of(whole, lam[None], l1_ratio), {"ridge_only": False, "direct": False}
        proof = jax.device_get(proofs.certified(family, whole, own, ends, tol=tol, **options))
        march.tell(len(params))
        seen.append((*(leaf[0] for leaf in proof[:4]), np.minimum(steps, max_steps)))
    return Answers(*(np.stack(column, axis=1) for column in zip(*seen, strict=True)))


@partial(jax.jit, static_argnums=0)
def _slopes(family, rows, lanes, params):
    """Of J's smooth part [m, C, P]."""

    def one(lanes, params):
        lane, logits = lane_of(rows, lanes), logits_of(params, rows)
        return problem.gradient(family, rows, lane, params, logits)

    return jax.vmap(one)(lanes, params)


def _any(flags):
    """Which columns [D] have the flag in any lane and class; the intercept is no column."""
    return flags[..., :-1].any(axis=(0, 1))


def _padded(columns, num_columns):
    """The columns and some -1, together a power of two, since each length is a program."""
    length = max(FEWEST, 1 << max(len(columns) - 1, 0).bit_length())
    if length >= num_columns:
        return np.arange(num_columns)
    return np.concatenate([columns, np.full(length - len(columns), -1)])


def _taken(leaf, columns):
    """The leaf's last axis at the columns, 0 where one is -1."""
    return np.where(columns >= 0, leaf[..., columns], 0)
