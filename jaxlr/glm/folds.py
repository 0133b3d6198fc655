"""Rows in groups that every fold weighs alike: K folds of K groups need one pass, not K.

The matrix Σ s_fn w_n x_n x_nᵀ of every fold f is then a mixture of the groups' own matrices,
and those cost together what a single fold's does.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import sharing
from jaxlr.pytypes import Array

ROWS, NUMBERS = 2**10, 2**17  # of a turn, all of one group: one or the other stays in the cache


class Groups(NamedTuple):
    """U groups of rows, in turns of one length.

    Attributes:
      of_turn: [turns] the group of every turn.
      base: [N] what a row weighs; 0 for a row that fills up a turn.
      mix: [F, U]: fold f gives row n the weight mix[f, group of n] · base[n].
    """

    of_turn: Array
    base: Array
    mix: Array


def grouped(weights: np.ndarray, num_columns: int) -> tuple[np.ndarray, Groups] | None:
    """An order of the rows, with some twice to fill turns up, and their groups in it.

    None where the weights [F, N] have no such groups, or rows are too few for it to pay.
    """
    num_folds, num_rows = weights.shape
    if num_folds < 2 or num_folds > 60 or num_rows < 4 * ROWS * num_folds:
        return None
    base = weights.max(axis=0)
    code = np.zeros(num_rows, np.int64)
    for fold, row in enumerate(weights):
        code |= (row > 0).astype(np.int64) << fold
    codes, group = np.unique(code, return_inverse=True)
    if len(codes) > 2 * num_folds:
        return None
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    mix = np.stack([weights[:, part[base[part].argmax()]] for part in parts], axis=1)
    top = mix.max(axis=0)
    mix = mix / np.where(top > 0, top, 1)
    for fold, row in enumerate(weights):
        if not np.allclose(row, mix[fold, group] * base, rtol=1e-13, atol=0):
            return None
    longest = max(map(len, parts))
    turn = -(-longest // -(-longest // max(ROWS, NUMBERS // num_columns)))  # groups are much alike
    turn += -turn % 8
    short = [-len(part) % turn for part in parts]
    places = np.concatenate(
        [np.r_[p, np.repeat(p[:1], s)] for p, s in zip(parts, short, strict=True)]
    )
    heavy = np.concatenate([np.r_[base[p], np.zeros(s)] for p, s in zip(parts, short, strict=True)])
    turns = [(len(part) + s) // turn for part, s in zip(parts, short, strict=True)]
    of_turn = np.repeat(np.arange(len(parts)), turns)
    return places, Groups(of_turn, heavy, mix)


def blocks_of(x: Array, x_t: Array, groups: Groups, curvature: Array) -> Array:
    """Σ_n s_fn curvature[t, n] x_n x_nᵀ for every target t and fold f: [T, F, P, P].

    In the curvature's precision.
    """
    num_targets, size = len(curvature), x.shape[1]
    length = len(x) // len(groups.of_turn)
    dtype = curvature.dtype
    weights = jax.lax.optimization_barrier(curvature * groups.base[None].astype(dtype))

    def add(x, x_t, weights, of_turn, turn, total):
        rows = jax.lax.dynamic_slice_in_dim(x, turn * length, length).astype(dtype)
        columns = jax.lax.dynamic_slice_in_dim(x_t, turn * length, length, 1).astype(dtype)
        heavy = jax.lax.dynamic_slice_in_dim(weights, turn * length, length, 1)
        scaled = (heavy[:, None] * columns[None]).reshape(num_targets * size, length)
        part = jnp.dot(scaled, rows, precision="highest").reshape(num_targets, size, size)
        return total.at[of_turn[turn]].add(part)

    def of_rows(*rows):
        empty = jnp.zeros((groups.mix.shape[1], num_targets, size, size), dtype)
        return jax.lax.fori_loop(0, len(rows[-1]), partial(add, *rows), empty)

    parts = sharing.summed(of_rows, x, sharing.pinned(x_t, rows=1), weights, groups.of_turn)
    return jnp.einsum("fu,utpq->tfpq", groups.mix.astype(dtype), parts, precision="highest")
