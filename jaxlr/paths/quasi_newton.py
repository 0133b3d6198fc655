"""The inverse Hessian of L-BFGS on a metric, for many lanes, in compact form."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.paths import metric as metrics
from jaxlr.paths.metric import Metric
from jaxlr.paths.problem import dot
from jaxlr.pytypes import Array

PAIRS = 8


class Pairs(NamedTuple):
    """The last steps s and changes y of the gradient [M, L, C, P], oldest first; 1 / sᵀy [M, L]."""

    s: Array
    y: Array
    rho: Array


def no_pairs(params: Array) -> Pairs:
    """Of lanes at params [L, C, P]."""
    none = jnp.zeros((PAIRS, *params.shape), params.dtype)
    return Pairs(none, none, none[..., 0, 0])


def learnt(pairs: Pairs, s: Array, y: Array, lanes: Array) -> Pairs:
    """The pairs with the newest one of these lanes [L], where it has curvature."""
    curved = dot(s, y)
    learns = lanes & (curved > 1e-10 * jnp.sqrt(dot(s, s) * dot(y, y)))
    pair = Pairs(s, y, jnp.where(learns, 1 / jnp.where(learns, curved, 1), 0))

    def pushed(rows, row):
        where = learns.reshape((1, -1) + (1,) * (rows.ndim - 2))
        return jnp.where(where, jnp.concatenate([rows[1:], row[None]]), rows)

    return jax.tree.map(pushed, pairs, pair)


def inverse_hessian(pairs: Pairs, metric: Metric, grad: Array) -> Array:
    """L-BFGS's inverse Hessian on the metric B, times grad g [L, C, P], in compact form.

        H g = γ B (g - Y p) + S q,   p = R⁻¹ Sᵀg,   q = R⁻ᵀ ((D + γ YᵀBY) p - γ YᵀBg)

    with R the upper triangle of SᵀY, oldest pair first, and D its diagonal: a dozen operations,
    where the two loops over the pairs would be two hundred. γ = sᵀy / yᵀBy of the newest pair.

    Reference:
      Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their use in
      limited memory methods (1994), eq. 3.1.
    """
    s, y = pairs.s, pairs.y
    images = metrics.apply(metric, jnp.concatenate([y, grad[None]]))
    by, bg = images[:-1], images[-1]
    product = partial(jnp.einsum, precision="highest")
    sy = product("mlcp,klcp->lmk", s, y)
    yby = product("mlcp,klcp->lmk", y, by)
    known = (pairs.rho > 0).T  # [L, M]
    used = known[:, :, None] & known[:, None, :]
    eye = jnp.eye(len(s), dtype=grad.dtype)[None]
    upper = jnp.where(used, jnp.triu(sy), eye)
    diagonal = jnp.diagonal(upper, axis1=1, axis2=2)
    newest = known[:, -1] & (yby[:, -1, -1] > 0)
    scale = jnp.where(newest, diagonal[:, -1] / jnp.where(newest, yby[:, -1, -1], 1), 1)
    sg = jnp.where(known, product("mlcp,lcp->lm", s, grad), 0)
    ybg = jnp.where(known, product("mlcp,lcp->lm", by, grad), 0)
    inverse = _inverse_upper(upper)
    p = product("lmk,lk->lm", inverse, sg)
    middle = diagonal * p + scale[:, None] * (
        product("lmk,lk->lm", jnp.where(used, yby, 0), p) - ybg
    )
    q = product("lmk,lm->lk", inverse, middle)
    p, q = jnp.where(known, p, 0), jnp.where(known, q, 0)
    out = scale[:, None, None] * (bg - product("mlcp,lm->lcp", by, p))
    return out + product("mlcp,lm->lcp", s, q)


def _inverse_upper(upper: Array) -> Array:
    """Inverses of triangular [L, M, M], a column at a time: XLA's own takes many small loops."""
    size = upper.shape[-1]
    diagonal = jnp.diagonal(upper, axis1=1, axis2=2)

    def column(j, inverse):
        known = jnp.where(jnp.arange(size)[None] < j, upper[:, :, j], 0)
        new = -jnp.einsum("lmk,lk->lm", inverse, known, precision="highest")
        new = jnp.where(jnp.arange(size)[None] == j, 1, new) / diagonal[:, j, None]
        return inverse.at[:, :, j].set(new)

    return jax.lax.fori_loop(0, size, column, jnp.zeros_like(upper))
