"""A path: one convex problem under many penalties, folds and targets, every lane to its end."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from jaxlr import losses
from jaxlr.certificates.status import Status
from jaxlr.glm import door, folds, host
from jaxlr.glm.losses import loss as loss_of
from jaxlr.glm.losses import recognised
from jaxlr.glm.problem import Problem
from jaxlr.paths import blas, grids, limits, march, placed, unpenalised, working_set
from jaxlr.paths.march import Answers
from jaxlr.pytypes import Array, Batch, Params
from jaxlr.solvers.least_squares import least_squares


class Path(NamedTuple):
    """Every lane's answer, and how far from the optimum it can be.

    The leading axes are targets x folds x l1_ratios x lambdas, of these the ones that were given
    as an axis, and lambdas always. Everything is NumPy, in float64.

    Attributes:
      params: {"w": [..., D] or [..., D, C], "b": [...] or [..., C]}.
      risk: J; where it is separable its infimum, without a penalty an estimate of that or NaN.
      gap: an upper bound on J - J*, infinite for a direction.
      decrement: an estimate of it, half of Newton's decrement squared, from a fresh Hessian, to a
        factor of two at worst; a bound on that where it was not found within the steps that are
        taken for it. Never more than the gap.
      status: of `Status`, int32.
      num_steps: int32.
      lambdas: [K].
    """

    params: Params
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    status: np.ndarray
    num_steps: np.ndarray
    lambdas: np.ndarray


def fit(
    batch: Batch,
    lambdas: Sequence[float] | Array | None = None,
    *,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Sequence[float] = 0.0,
    fold_weights: Array | None = None,
    tol: float = 1e-6,
    num_classes: int | None = None,
    max_steps: int = 1000,
    mesh: jax.sharding.Mesh | None = None,
    fit_intercept: bool = True,
) -> Path:
    """Minimises J(W, b) = Σ sᵢ ℓ(xᵢ W + b, yᵢ) / Σ sᵢ + λ [(1-α)/2 ‖W‖² + α ‖W‖₁] for every λ.

    Not for `jit`: it reads its numbers, and compiles what it needs. Whatever precision JAX is set
    to, a ridge descends in float32, and what that leaves short of `tol` goes on in float64;
    certificates and everything with an l1 part are float64. The process's BLAS uses one core
    meanwhile, unless there are large factors to make.

    Args:
      batch: x [N, D]; labels [N], or [T, N] for T targets on the same rows; weights [N] or None.
      lambdas: [K] >= 0, descending; None for `lambda_grid`'s.
      loss: `losses.log_loss`, `softmax_cross_entropy`, `squared_error`, or any convex function
        (logit, label) -> [] that is at least 0 and that JAX can differentiate twice.
      l1_ratio: α from 0 (ridge) to 1 (lasso), or several.
      fold_weights: [F, N], as from `data.folds`.
      tol: of J: what a certified lane is proved to be within.
      num_classes: C of a loss of [C] logits; softmax_cross_entropy counts them if it is None.
      max_steps: of one lane.
      mesh: of devices, with the axes "lanes", "examples" or both: targets x folds are shared out
        along the one, rows along the other, and neither needs to be a multiple of the devices.
      fit_intercept: False leaves b at 0.

    Raises:
      ValueError: before any work: a shape, a number or a label that the problem can't have, or a
        mesh with another axis.
    """
    mesh, loss = placed.checked(mesh), recognised(loss)
    given = batch, lambdas, loss, l1_ratio, fold_weights, num_classes
    asked = door.given(*given, fit_intercept=fit_intercept)
    if not 0 < tol < 1:
        raise ValueError(f"tol must lie between 0 and 1, and is {tol}")
    if max_steps < 1:
        raise ValueError(f"max_steps must be at least 1, and is {max_steps}")
    centre = np.zeros(asked.x.shape[1])
    if fit_intercept:  # J does not know where the columns' origins are, and digits do
        centre = host.middles(asked.x)
        asked = asked._replace(x=asked.x - centre)
    if asked.lambdas is None:
        asked = asked._replace(lambdas=grids.of(asked, loss))
    endless = limits.limits(asked, loss)
    with jax.enable_x64(True), placed.within(mesh):
        parts = [
            _of_ratio(asked, loss, ratio, endless, tol, max_steps, mesh)
            for ratio in asked.l1_ratios
        ]
    answers = Answers(*(np.stack(columns, axis=2) for columns in zip(*parts, strict=True)))
    endless = limits.noticed(endless, asked, loss, answers, tol)
    return _shaped(asked, answers, endless, centre, tol, max_steps)


def _of_ratio(asked, loss, ratio, endless, tol, max_steps, mesh) -> Answers:
    """The answers of one l1_ratio, [T, F, K, ...]."""
    num_targets, num_folds = len(asked.labels), len(asked.weights)
    family = loss_of(loss, asked.num_classes, asked.fit_intercept)
    parts = []
    for penalised in (True, False):
        lambdas = asked.lambdas[(asked.lambdas > 0) == penalised]
        part = asked._replace(lambdas=lambdas)
        if not len(lambdas):
            continue
        if loss is losses.squared_error and (ratio == 0 or not penalised):
            found = _least_squares(family, part, mesh)
        elif penalised:
            lambdas = np.repeat(lambdas[:, None], num_targets * num_folds, axis=1)
            lanes = placed.lanes(lambdas.T.reshape(num_targets, num_folds, -1), mesh)
            lambdas = np.ascontiguousarray(lanes.reshape(-1, len(lambdas)).T)
            with blas.on_one_core(_largest_factor(family, asked.x, ratio)):
                found = _march(family, part, lambdas, ratio, tol, max_steps, mesh)
        else:
            before = parts[0].params[:, :, -1] if parts else None
            parts.append(_unpenalised(family, part, endless, before, tol, max_steps, mesh))
            continue
        parts.append(Answers(*(placed.asked_for(a, num_targets, num_folds, mesh) for a in found)))
    return Answers(*(np.concatenate(columns, axis=2) for columns in zip(*parts, strict=True)))


def _unpenalised(family, asked, endless, before, tol, max_steps, mesh) -> Answers:
    """At λ = 0, from params `before` [T, F, C, P], where there are any."""
    solvable = np.ones((len(asked.labels), len(asked.weights)), bool)
    if endless is not None:
        solvable = ~endless.waiting
    problem = asked.x, _codes(asked), asked.weights, solvable, before
    found = unpenalised.answers(family, *problem, tol, max_steps, mesh)
    return Answers(found.params, found.risk, found.gap, found.decrement, found.num_steps)


def _codes(asked) -> np.ndarray:
    return asked.labels.astype(np.int32 if asked.num_classes else np.float64)


def _largest_factor(family, x, ratio) -> int:
    """Of a ridge one class's block, in the rows' span; with an l1 part all of the Hessian."""
    return family.num_outputs * x.shape[1] if ratio > 0 else min(x.shape)


def _march(family, asked, lambdas, ratio, tol, max_steps, mesh) -> Answers:
    """A march; more features than rows are first turned into as many as there are rows."""
    if ratio > 0:
        size = family.num_outputs * (asked.x.shape[1] + 1)
        if lambdas.shape[1] * size**2 > working_set.ROOM:
            problem_of = partial(_problem, asked, mesh=mesh)
            return working_set.answers(family, asked.x, problem_of, lambdas, ratio, tol, max_steps)
        problem = _problem(asked, asked.x, mesh)
        return march.march(family, problem, lambdas, ratio, tol, max_steps)
    # Features of ordinary size, by a power of 2 that rounds nothing: w has the inverse one.
    size = np.sqrt(np.vdot(asked.x, asked.x) / asked.x.size) if asked.x.size else 0
    power = -int(np.round(np.log2(size))) if 0 < size < np.inf else 0
    turn = None
    if asked.x.shape[1] > len(asked.x):
        # The ridge optimum lies in the span of the rows: its penalty is the same in any direction.
        turn, rows = np.linalg.qr(host.scaled(asked.x, power).T)
        problem = _problem(asked, rows.T, mesh)
    else:
        problem = _problem(asked, asked.x, mesh, power)
    lambdas = np.ldexp(lambdas, 2 * power)
    answers = march.march(family, problem, lambdas, ratio, tol, max_steps)
    w, b = answers.params[..., :-1], answers.params[..., -1:]
    w = np.ldexp(w if turn is None else w @ turn.T, power)
    return answers._replace(params=np.concatenate([w, b], axis=-1))


def _least_squares(family, asked, mesh) -> Answers:
    problem = _problem(asked, asked.x, mesh)  # whose rows may have an order of their own
    rows = np.concatenate([asked.x, np.ones((len(asked.x), 1))], axis=1)
    labels, weights = asked.labels, asked.weights
    if not asked.fit_intercept:  # with every row mirrored at the origin the intercept is 0
        rows, labels = np.concatenate([rows, -rows]), np.concatenate([labels, -labels], axis=1)
        weights = np.concatenate([weights, weights], axis=1)
    params = least_squares(rows, labels, weights, asked.lambdas)  # [T, F, K, P]
    params[..., -1] *= asked.fit_intercept
    params = placed.lanes(params, mesh).reshape(-1, len(asked.lambdas), 1, params.shape[-1])
    return march.proved(family, problem, params, asked.lambdas)


def _problem(asked, x, mesh, power=0) -> Problem:
    """Of rows x, as many as there are labels, times 2^power."""
    labels, weights, groups, order = _codes(asked), asked.weights, None, None
    if asked.num_classes is None and (found := folds.grouped(weights, x.shape[1])) is not None:
        order, groups = found
        labels = labels[:, order]
        of_row = np.repeat(groups.of_turn, len(order) // len(groups.of_turn))
        weights = groups.mix[:, of_row] * groups.base
    rows = host.laid_out(x, order, power, float(asked.fit_intercept))
    arrays = Problem(rows.x, labels, weights, rows.x_t, groups, rows.squares, rows.largest)
    return placed.problem(arrays, mesh)


def _shaped(asked, answers, endless, centre, tol, max_steps) -> Path:
    """The answers under the axes that were asked for, with their statuses."""
    # What logits lose as params are rounded, large ones that cancel; J is of second order in that.
    size = np.abs(centre) + np.abs(asked.x).max(axis=0)
    lost = (np.abs(answers.params[..., :-1]) @ size).max(axis=-1)
    lost = (np.finfo(np.float64).eps * lost) ** 2
    answers = answers._replace(gap=answers.gap + lost, decrement=answers.decrement + lost)
    separable = np.zeros(answers.risk.shape, bool)
    if endless is not None:
        answers, separable = limits.applied(endless, asked, answers)
    bound = tol * answers.risk
    status = np.select(
        [
            separable,
            ~np.isfinite(answers.risk),
            answers.gap <= bound,
            answers.decrement <= bound,
            answers.num_steps >= max_steps,
        ],
        [Status.separable, Status.nan, Status.certified, Status.solved, Status.budget],
        Status.stalled,
    ).astype(np.int32)
    params = answers.params.copy()
    params[..., -1] -= params[..., :-1] @ centre
    if asked.num_classes is None:
        params = params[..., 0, :]
    w, b = params[..., :-1], params[..., -1]
    if asked.num_classes is not None:
        w = np.swapaxes(w, -1, -2)
    gone = tuple(axis for axis, kept in enumerate(asked.axes) if not kept)
    path = Path(
        {"w": w, "b": b},
        answers.risk,
        answers.gap,
        answers.decrement,
        status,
        answers.num_steps.astype(np.int32),
        asked.lambdas,
    )
    return Path(*(jax.tree.map(lambda a: a.squeeze(gone), part) for part in path[:-1]), path[-1])
