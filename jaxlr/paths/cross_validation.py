"""Penalties compared on the rows that each fold holds out, and the chosen one refitted on all."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxlr.data import containers
from jaxlr.glm import door
from jaxlr.paths import choices, grids, held_out, placed
from jaxlr.paths.path import Path, fit
from jaxlr.pytypes import Array, Batch

RULES = ("best", "one_standard_error")


class CrossValidation(NamedTuple):
    """What the folds said. A leading axis of T targets where labels were [T, N].

    Attributes:
      path: every lane, [T?, F, A, K].
      lambdas: [K].
      l1_ratios: [A].
      scores: [T?, F, A, K] the metric on the rows that the fold holds out; NaN where separable,
        unless all that is missing are classes that no row at all is of.
      mean, standard_error: [T?, A, K] over the folds that are not `left_out`, the same for every
        setting; NaN where one of these has no score, and such a setting is not chosen.
      best: [T?, 2] indices (a, k) of the best mean.
      one_standard_error: [T?, 2] the largest λ, at the best l1_ratio, whose mean is within one
        standard error of the best.
      chosen: [T?, 2] that of the rule.
      refit: Path of the chosen setting on all rows, [T?].
      predictions: [T?, N] or [T?, N, C] held-out logits of every row at the chosen setting, the
        mean where several folds hold it out, NaN where none does that could have a score.
    """

    path: Path
    lambdas: np.ndarray
    l1_ratios: np.ndarray
    scores: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray
    best: np.ndarray
    one_standard_error: np.ndarray
    chosen: np.ndarray
    refit: Path
    predictions: np.ndarray

    @property
    def left_out(self) -> np.ndarray:
        """[T?, F] folds without a finite score at any setting: no mean knows of them."""
        return ~np.isfinite(self.scores).any(axis=(-2, -1))


def cross_validate(
    batch: Batch,
    lambdas: Sequence[float] | Array | None = None,
    *,
    loss: Callable[[Array, Array], Array],
    fold_weights: Array,
    l1_ratio: float | Sequence[float] = 0.0,
    metric: Callable[..., Array] | None = None,
    maximise: bool = False,
    rule: str = "best",
    tol: float = 1e-6,
    num_classes: int | None = None,
    max_steps: int = 1000,
    mesh: jax.sharding.Mesh | None = None,
    fit_intercept: bool = True,
) -> CrossValidation:
    """Fits folds x l1_ratios x λ at once, scores what each fold holds out, chooses and refits.

    Args:
      batch: as for `fit`, and so loss, l1_ratio, tol, num_classes, max_steps, mesh, fit_intercept.
      lambdas: as for `fit`; the default ones are those of all rows.
      loss: see batch.
      l1_ratio: see batch.
      tol: see batch.
      num_classes: see batch.
      max_steps: see batch.
      mesh: see batch.
      fit_intercept: see batch.
      fold_weights: [F, N], F >= 2; a fold holds out the rows of weight 0.
      metric: (labels [N], logits [N] or [N, C], *, sample_weight [N]) -> [], as from a function
        of `metrics` that has been given predictions or probabilities of these logits; None is
        the mean loss.
      maximise: whether more of the metric is better.
      rule: "best", or "one_standard_error".

    Raises:
      ValueError: as `fit`; one fold, or one that holds nothing out; an unknown rule; scores that
        leave nothing to choose by.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, and is {rule!r}")
    mesh = placed.checked(mesh)
    fold_weights = containers.numbers("fold_weights", fold_weights)
    if fold_weights.ndim != 2 or len(fold_weights) < 2:
        raise ValueError(
            f"fold_weights must be [F, N] with 2 folds at least; shape {fold_weights.shape}"
        )
    asked = door.given(batch, lambdas, loss, l1_ratio, fold_weights, num_classes, held_out=True)
    fold_weights = fold_weights[:, asked.counted]
    weights = np.ones(len(asked.counted))
    if batch.weights is not None:
        weights = containers.numbers("weights", batch.weights)
    targets = Batch(asked.x, asked.labels, weights[asked.counted])
    away = held_out.weights(targets.weights, fold_weights)
    if lambdas is None:
        given = targets, None, loss, l1_ratio, None, asked.num_classes
        whole = door.given(*given, fit_intercept=fit_intercept)
        lambdas = grids.of(whole, loss)
    options = {"loss": loss, "tol": tol, "num_classes": asked.num_classes}
    options |= {"max_steps": max_steps, "mesh": mesh, "fit_intercept": fit_intercept}
    path = fit(targets, lambdas, l1_ratio=asked.l1_ratios, fold_weights=fold_weights, **options)
    metric = metric or held_out.mean_loss(loss, asked.num_classes)
    endless = held_out.endless(path, asked)
    scores = np.where(endless, np.nan, held_out.scores(path, asked, away, metric, mesh))
    mean, error = choices.means(scores, endless)
    best, simplest = choices.choose(mean, error, maximise)
    chosen = best if rule == "best" else simplest
    if rule == "one_standard_error":
        choices.check_errors(error)
    refit = _refit(targets, path.lambdas, asked.l1_ratios, chosen, options)
    away = away * ~endless[np.arange(len(chosen)), :, *chosen.T][:, :, None]
    predictions = held_out.predictions(path, asked, away, chosen, mesh)
    found = CrossValidation(
        path,
        path.lambdas,
        asked.l1_ratios,
        scores,
        mean,
        error,
        best,
        simplest,
        chosen,
        refit,
        predictions,
    )
    return found if asked.axes[0] else _of_one_target(found)


def _refit(batch, lambdas, l1_ratios, chosen, options) -> Path:
    """Each target's own setting on all rows, [T]: a path down to the chosen λ for each l1_ratio."""
    parts = [None] * len(chosen)
    for a in np.unique(chosen[:, 0]):
        last = chosen[chosen[:, 0] == a, 1].max()
        path = fit(batch, lambdas[: last + 1], l1_ratio=float(l1_ratios[a]), **options)
        for target, (own, k) in enumerate(chosen):
            if own == a:
                at = (target, int(k))
                parts[target] = jax.tree.map(lambda leaf, at=at: leaf[at], path[:-1])
    return Path(*jax.tree.map(lambda *leaves: np.stack(leaves), *parts), lambdas[chosen[:, 1]])


def _of_one_target(found: CrossValidation) -> CrossValidation:
    def first(part):
        return jax.tree.map(lambda leaf: leaf[0], part)

    path = Path(*first(tuple(found.path[:-1])), found.path.lambdas)
    refit = Path(*first(tuple(found.refit)))
    kept = {"path": path, "refit": refit}
    for name in ("scores", "mean", "standard_error", "best", "one_standard_error", "chosen"):
        kept[name] = getattr(found, name)[0]
    return found._replace(**kept, predictions=found.predictions[0])
