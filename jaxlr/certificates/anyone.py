"""A certificate for anybody's answer, whatever found it."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.certificates import bounds
from jaxlr.data import containers
from jaxlr.glm import door, problem
from jaxlr.glm.losses import loss as loss_of
from jaxlr.glm.problem import Lanes, lane_of, logits_of
from jaxlr.pytypes import Array, Batch, Params
from jaxlr.solvers.status import Status

LOOKS = 6  # at the given params, and at better ones where these are not certified


class Certificate(NamedTuple):
    """How far from the optimum an answer can be; every leaf has the lanes' axes, in float64.

    Attributes:
      risk: J at the params.
      gap: an upper bound on J - J*.
      decrement: an estimate of it, half of Newton's decrement squared; never more than the gap.
      status: of `Status`: certified, solved, nan, or stalled where neither is shown.
    """

    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    status: np.ndarray


def certify(
    batch: Batch,
    params: Params,
    lam: float | Array,
    *,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Array = 0.0,
    fold_weights: Array | None = None,
    tol: float = 1e-6,
    num_classes: int | None = None,
    fit_intercept: bool = True,
) -> Certificate:
    """Bounds what J(params) loses to the optimum, J being that of `paths.fit`.

    Not for `jit`: it reads its numbers. It runs in float64, from the params as they are given.

    Args:
      batch: x [N, D]; labels [N], or [T, N] for T targets; weights [N] or None.
      params: {"w": [..., D] or [..., D, C], "b": [...] or [..., C]}; the axes before those of one
        model are lanes. With T targets the first is theirs, then with `fold_weights` the folds'.
      lam: λ >= 0 of every lane, broadcast to the lanes' axes.
      loss: as of `paths.fit`.
      l1_ratio: α of every lane, broadcast likewise.
      fold_weights: [F, N], or None.
      tol: of J: a certified answer is proved to be within tol · J of the optimum.
      num_classes: C of a loss of [C] logits.
      fit_intercept: False: the optimum is that of models with b = 0.

    Raises:
      ValueError: a shape, number or label that the problem can't have.
    """
    asked = door.given(
        batch, None, loss, 0.0, fold_weights, num_classes, fit_intercept=fit_intercept
    )
    if not 0 < tol < 1:
        raise ValueError(f"tol must lie between 0 and 1, and is {tol}")
    w, b, shape = _params(params, asked)
    lam = _number("lam", lam, shape, "be finite and at least 0")
    l1_ratio = _number("l1_ratio", l1_ratio, shape, "lie between 0 (ridge) and 1 (lasso)", 1)
    target, fold = _owners(asked, shape)
    centre = problem.middles(asked.x) if fit_intercept else np.zeros(asked.x.shape[1])
    rows = problem.laid_out(asked.x - centre, asked.codes, asked.weights, last=fit_intercept)
    size = np.abs(centre) + rows.largest[:-1]
    lost = np.finfo(np.float64).eps * (np.abs(w) @ size).max(axis=1)  # of a logit, by rounding
    columns = np.concatenate([w, (b + w @ centre)[..., None]], axis=-1)  # [L, C, P]
    family = loss_of(loss, asked.num_classes, fit_intercept)
    with jax.enable_x64(True):
        lanes = Lanes(lam, l1_ratio, fold, target)
        risk, gap, decrement, steep = _in_turns(family, rows, lanes, columns, tol)
    gap, decrement = (leaf + lost * (steep + lost) for leaf in (gap, decrement))
    bad = ~np.isfinite(risk)
    gap, decrement = (np.where(bad, np.nan, leaf) for leaf in (gap, decrement))
    shown = [bad, gap <= tol * risk, decrement <= tol * risk]
    status = np.select(shown, [Status.nan, Status.certified, Status.solved], Status.stalled)
    leaves = risk, gap, decrement, status.astype(np.int32)
    return Certificate(*(leaf.reshape(shape) for leaf in leaves))


def _params(params, asked):
    """w [L, C, D], b [L, C] and the axes of lanes."""
    if not isinstance(params, dict) or set(params) != {"w", "b"}:
        raise ValueError('params must be a dict of "w" and "b", as models.linear takes them')
    w, b = (containers.numbers(f'params["{name}"]', params[name]) for name in ("w", "b"))
    num_outputs = asked.num_classes or 1
    model = (asked.x.shape[1], asked.num_classes)[: 1 + bool(asked.num_classes)]
    shape = w.shape[: -len(model)]
    if w.shape[len(shape) :] != model or b.shape != shape + model[1:]:
        raise ValueError(
            f'params are {{"w": {w.shape}, "b": {b.shape}}}, and one model of these rows and this'
            f' loss is {{"w": {model}, "b": {model[1:]}}}, lanes before it'
        )
    return w.reshape(-1, model[0], num_outputs).swapaxes(1, 2), b.reshape(-1, num_outputs), shape


def _number(name, values, shape, rule, most=np.inf) -> np.ndarray:
    values = door.between(name, values, rule, most)
    try:
        return np.broadcast_to(values, shape).ravel()
    except ValueError:
        raise ValueError(
            f"{name} {values.shape} doesn't fit the lanes {shape} of the params"
        ) from None


def _owners(asked, shape) -> list[np.ndarray]:
    """Whose target and whose fold each lane is: [L] both."""
    sizes = {"targets": len(asked.labels), "folds": len(asked.weights)}
    given = {name: n for (name, n), axis in zip(sizes.items(), asked.axes, strict=False) if axis}
    if list(shape[: len(given)]) != [*given.values()]:
        raise ValueError(
            f"the lanes {shape} of the params must begin with the {' and '.join(given)},"
            f" {[*given.values()]}"
        )
    places = iter(np.indices(shape, np.int32))
    none = np.zeros(shape, np.int32)
    return [(next(places) if name in given else none).ravel() for name in sizes]


def _in_turns(family, rows, lanes, params, tol):
    """`_certified`, of as many lanes at a time as memory holds; the turns are one shape."""
    size, num_lanes = family.num_outputs * rows.x.shape[1], len(params)
    each = family.num_outputs * len(rows.x) * 8 + (size**2 if size <= bounds.FACTORED else 0)
    width = int(np.clip(bounds.MEMORY // each, 1, max(num_lanes, 1)))
    seen = []
    for first in range(0, num_lanes, width):
        here = np.minimum(np.arange(first, first + width), num_lanes - 1)
        turn = jax.tree.map(lambda leaf, here=here: leaf[here], (lanes, params))
        seen.append(jax.device_get(_certified(family, rows, *turn, tol)))
    return (np.concatenate(column)[:num_lanes] for column in zip(*seen, strict=True))


@partial(jax.jit, static_argnums=0)
def _certified(family, rows, lanes, params, tol) -> tuple[Array, ...]:
    """Risk, gap, decrement, and the sum of the loss's slopes by size, of each lane [L]."""
    direct = family.num_outputs * rows.x.shape[1] <= bounds.FACTORED
    options = {"apply": None, "direct": direct, "ridge_only": False, "num_steps": bounds.MOST}
    certified = partial(bounds.of_lane, family, rows, bounds.radii(family, rows), None, **options)
    one = partial(_of_lane, family, rows, certified, tol)
    if direct:
        return jax.lax.map(lambda lane: one(*lane), (lanes, params))
    return jax.vmap(one)(lanes, params)


def _of_lane(family, rows, certified, tol, lanes, params):
    """Of one lane: a bound of better params bounds the given ones too.

    J - J* is what those gained, and their own gap. So while the lane is not certified Newton's
    method goes on from it, a few steps at most.
    """
    lane, z = lane_of(rows, lanes), logits_of(params, rows)
    risk = problem.risk(family, lane, params, z)
    steep = jnp.sum(jnp.abs(problem.slopes_of(family, lane, z)))

    def going(state):
        _, gap, _, look = state
        return (look == 0) | ((lane.lasso == 0) & ~(gap <= tol * risk) & (look < LOOKS))

    def looked(state):
        params, gap, decrement, look = state
        best, step = certified(lanes, params, tol / 2 * risk)
        gained = risk - best.risk + best.rounding
        gap = jnp.fmin(gap, best.gap + gained)
        decrement = jnp.where(look == 0, best.decrement + gained, decrement)
        reach = jnp.max(jnp.abs(logits_of(step, rows)))
        reach = 0 * reach if family.self_concordance == 0 else reach
        # How much of a Newton step can be trusted to descend.
        length = jnp.where(reach > 0, jnp.log1p(reach) / jnp.where(reach > 0, reach, 1), 1)
        step = jnp.where(jnp.isfinite(step), length * step, 0)
        return best.params - step, gap, decrement, look + 1

    unknown = jnp.full_like(risk, jnp.inf)
    state = params, unknown, unknown, jnp.int32(0)
    _, gap, decrement, _ = jax.lax.while_loop(going, looked, state)
    return risk, gap, jnp.fmin(decrement, gap), steep
