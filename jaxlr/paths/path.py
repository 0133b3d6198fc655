"""A path: one convex problem under many penalties, folds and targets, every lane to its end."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np

from jaxlr import losses
from jaxlr.backend import on_one_core
from jaxlr.glm import door, sharing
from jaxlr.glm.door import Given
from jaxlr.glm.losses import loss as loss_of
from jaxlr.glm.losses import recognised
from jaxlr.glm.problem import Problem, laid_out, middles
from jaxlr.paths import data_sets, grids, limits, march, working_set
from jaxlr.paths.proofs import Answers
from jaxlr.pytypes import Array, Batch
from jaxlr.results import predictions
from jaxlr.results.axes import stacked
from jaxlr.results.path import About, Path
from jaxlr.solvers.least_squares import least_squares
from jaxlr.solvers.status import Status

HOLD = ("lambda", "C")


def fit(
    batch: Batch,
    lambdas: Sequence[float] | Array | None = None,
    *,
    loss: Callable[[Array, Array], Array],
    l1_ratio: float | Sequence[float] = 0.0,
    fold_weights: Array | None = None,
    hold: str = "lambda",
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
        Or S data sets x [S, N, D], each a problem of its own in the same compiled programs: labels
        [N], [S, N] or [T, S, N], weights [N] or [S, N].
      lambdas: [K] >= 0, in any order; None for `lambda_grid`'s.
      loss: `losses.log_loss`, `softmax_cross_entropy`, `squared_error`, or any convex function
        (logit, label) -> [] that is at least 0 and that JAX can differentiate twice; or a
        `glm.Loss`.
      l1_ratio: α from 0 (ridge) to 1 (lasso), or several.
      fold_weights: [F, N], as from `data.folds`; or [S, F, N].
      hold: what the folds share, "lambda" or "C" = 1 / (λ Σ weights). With "C" a fold's own λ is
        the one given, times the folds' mean Σ of weights, over its own.
      tol: of J: what a certified lane is proved to be within.
      num_classes: C of a loss of [C] logits; softmax_cross_entropy counts them if it is None.
      max_steps: of one lane.
      mesh: of devices, with the axes "lanes", "examples" or both: targets x folds are shared out
        along the one, rows along the other, and neither needs to be a multiple of the devices.
      fit_intercept: False leaves b at 0.

    Raises:
      ValueError: before any work: a shape, a number or a label that the problem can't have, an
        unknown hold, or a mesh with another axis.
    """
    check_known("hold", hold, HOLD)
    mesh, loss = checked(tol, max_steps, mesh), recognised(loss)
    options = loss, l1_ratio, fold_weights, num_classes
    sets, axes = data_sets.given(batch, lambdas, *options, fit_intercept=fit_intercept)
    sets = grids.filled(sets, loss)
    if hold == "C":
        sets = [asked._replace(shrink=totals(asked).mean() / totals(asked)) for asked in sets]
    return together([solved(asked, loss, tol, max_steps, mesh) for asked in sets], axes)


def check_known(name: str, value: str, all_known: Sequence[str]) -> None:
    """Raises ValueError for a value that is none of those known."""
    if value not in all_known:
        raise ValueError(f"{name} must be one of {', '.join(all_known)}, and is {value!r}")


def totals(asked: Given) -> np.ndarray:
    """Σ of each fold's weights [F], up to a factor that they share."""
    return asked.folds @ door.shares(asked.sample)


def checked(tol: float, max_steps: int, mesh: jax.sharding.Mesh | None) -> jax.sharding.Mesh | None:
    """The mesh, as `sharing.checked` has it; a ValueError for numbers that no path can have."""
    mesh = sharing.checked(mesh)
    if not 0 < tol < 1:
        raise ValueError(f"tol must lie between 0 and 1, and is {tol}")
    if max_steps < 1:
        raise ValueError(f"max_steps must be at least 1, and is {max_steps}")
    return mesh


def solved(asked: Given, loss: Callable, tol: float, max_steps: int, mesh) -> Path:
    """Every lane of one data set, [T, F, A, K]; λ in the order that was asked for."""
    lambdas = asked.lambdas
    rising, back = np.unique(lambdas, return_inverse=True)
    asked = asked._replace(lambdas=rising[::-1])
    centre = np.zeros(asked.x.shape[1])
    if asked.fit_intercept:  # J does not know where the columns' origins are, and digits do
        centre = middles(asked.x)
        asked = asked._replace(x=asked.x - centre)
    endless = limits.limits(asked, loss)
    with jax.enable_x64(True), sharing.within(mesh):
        parts = [
            _of_ratio(asked, loss, ratio, endless, tol, max_steps, mesh)
            for ratio in asked.l1_ratios
        ]
    answers = Answers(*(np.stack(columns, axis=2) for columns in zip(*parts, strict=True)))
    endless = limits.noticed(endless, asked, answers, tol)
    lanes = _shaped(asked, answers, endless, centre, tol, max_steps)
    at = len(rising) - 1 - back
    lanes = jax.tree.map(lambda leaf: leaf[:, :, :, at], lanes)
    axes = ("target", "fold", "l1_ratio", "lambda")
    return Path(*lanes, lambdas, asked.l1_ratios, About(predictions.loss_name(loss), axes))


def together(found: list[Path], kept: Sequence[str]) -> Path:
    """The paths [T, F, A, K] of all data sets, under the axes that are kept."""
    lanes = stacked([part[:6] for part in found], kept)
    ratios = found[0].l1_ratios if "l1_ratio" in kept else found[0].l1_ratios[0]
    return Path(*lanes, found[0].lambdas, ratios, About(found[0].about.loss, tuple(kept)))


def _of_ratio(asked, loss, ratio, endless, tol, max_steps, mesh) -> Answers:
    """The answers of one l1_ratio, [T, F, K, ...]."""
    lanes = len(asked.labels), len(asked.weights)
    family = loss_of(loss, asked.num_classes, asked.fit_intercept)
    # Of a ridge one class's block, in the rows' span; with an l1 part all of the Hessian.
    factor = family.num_outputs * asked.x.shape[1] if ratio > 0 else min(asked.x.shape)
    parts = []
    for penalised in (True, False):
        part = asked._replace(lambdas=asked.lambdas[(asked.lambdas > 0) == penalised])
        if not len(part.lambdas):
            continue
        if loss is losses.squared_error and (ratio == 0 or not penalised):
            found = _least_squares(family, part, mesh)
        elif penalised:
            with on_one_core(factor):
                found = _march(family, part, _of_lanes(part, mesh), ratio, tol, max_steps, mesh)
        else:
            solvable = np.ones(lanes, bool) if endless is None else ~endless.waiting
            parts.append(limits.unpenalised(family, part, solvable, tol, max_steps, mesh))
            continue
        parts.append(Answers(*(sharing.asked_for(leaf, *lanes, mesh) for leaf in found)))
    return Answers(*(np.concatenate(columns, axis=2) for columns in zip(*parts, strict=True)))


def _of_lanes(asked, mesh) -> np.ndarray:
    """The λ of every target and fold, [K, m]."""
    own = np.broadcast_to(asked.shrink, len(asked.weights))[:, None] * asked.lambdas
    lanes = sharing.filled_up(np.tile(own, (len(asked.labels), 1, 1)), mesh)
    return np.ascontiguousarray(lanes.reshape(-1, len(asked.lambdas)).T)


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
    size = np.sqrt(np.vdot(asked.x, asked.x) / asked.x.size)
    power, turn = -int(np.round(np.log2(size))) if 0 < size < np.inf else 0, None
    if asked.x.shape[1] > len(asked.x):
        # The ridge optimum lies in the span of the rows: its penalty is the same in any direction.
        turn, rows = np.linalg.qr(np.ldexp(asked.x, power).T)
        problem = _problem(asked, rows.T, mesh)
    else:
        problem = _problem(asked, asked.x, mesh, power)
    lambdas = np.ldexp(lambdas, 2 * power)
    answers = march.march(family, problem, lambdas, ratio, tol, max_steps)
    w, b = answers.params[..., :-1], answers.params[..., -1:]
    w = np.ldexp(w if turn is None else w @ turn.T, power)
    return answers._replace(params=np.concatenate([w, b], axis=-1))


def _least_squares(family, asked, mesh) -> Answers:
    problem = _problem(asked, asked.x, mesh)
    rows = np.concatenate([asked.x, np.ones((len(asked.x), 1))], axis=1)
    labels, weights = asked.labels, asked.weights
    if not asked.fit_intercept:  # with every row mirrored at the origin the intercept is 0
        rows, labels = np.concatenate([rows, -rows]), np.concatenate([labels, -labels], axis=1)
        weights = np.concatenate([weights, weights], axis=1)
    shrink = np.broadcast_to(asked.shrink, len(weights))
    parts = [
        least_squares(rows, labels, own[None], asked.lambdas * factor)
        for own, factor in zip(weights, shrink, strict=True)
    ]
    params = np.concatenate(parts, axis=1)  # [T, F, K, P]
    params[..., -1] *= asked.fit_intercept
    params = sharing.filled_up(params, mesh).reshape(-1, len(asked.lambdas), 1, params.shape[-1])
    return march.proved(family, problem, params, _of_lanes(asked, mesh))


def _problem(asked, x, mesh, power=0) -> Problem:
    """Of rows x, as many as there are labels, times 2^power."""
    last = asked.fit_intercept
    given = laid_out(x, asked.codes, asked.weights, power=power, last=last)
    return sharing.placed(given, mesh)


def _shaped(asked, answers, endless, centre, tol, max_steps) -> tuple:
    """Params, risk, gap, decrement, status and num_steps of every lane [T, F, A, K]."""
    # What logits lose as params are rounded, large ones that cancel; J is of second order in that.
    size = np.abs(centre) + np.abs(asked.x).max(axis=0)
    lost = (np.abs(answers.params[..., :-1]) @ size).max(axis=-1)
    lost = (np.finfo(np.float64).eps * lost) ** 2
    answers = answers._replace(gap=answers.gap + lost, decrement=answers.decrement + lost)
    separable = np.zeros(answers.risk.shape, bool)
    if endless is not None:
        answers, separable = limits.applied(endless, asked, answers)
    bound = tol * answers.risk
    endings = {
        Status.separable: separable,
        Status.nan: ~np.isfinite(answers.risk),
        Status.certified: answers.gap <= bound,
        Status.solved: answers.decrement <= bound,
        Status.budget: answers.num_steps >= max_steps,
    }
    status = np.select([*endings.values()], [*endings], Status.stalled).astype(np.int32)
    params = answers.params.copy()
    params[..., -1] -= params[..., :-1] @ centre
    w, b = np.swapaxes(params[..., :-1], -1, -2), params[..., -1]
    if asked.num_classes is None:
        w, b = w[..., 0], b[..., 0]
    known = answers.risk, answers.gap, answers.decrement, status
    return {"w": w, "b": b}, *known, answers.num_steps.astype(np.int32)
