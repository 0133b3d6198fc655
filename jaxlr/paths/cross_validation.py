"""Penalties compared on the rows that each fold holds out, and the chosen one refitted on all."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.paths import door, families, grids, placed
from jaxlr.paths.path import Path, Status, fit
from jaxlr.pytypes import Array, Batch

RULES = ("best", "one_standard_error")


class CrossValidation(NamedTuple):
    """What the folds said. A leading axis of T targets where labels were [T, N].

    Attributes:
      path: every lane, [T?, F, A, K].
      lambdas: [K].
      l1_ratios: [A].
      scores: [T?, F, A, K] the metric on the rows that the fold holds out; NaN where separable.
      mean, standard_error: [T?, A, K] over folds.
      best: [T?, 2] indices (a, k) of the best mean.
      one_standard_error: [T?, 2] the largest λ, at the best l1_ratio, whose mean is within one
        standard error of the best.
      chosen: [T?, 2] that of the rule.
      refit: Path of the chosen setting on all rows, [T?].
      predictions: [T?, N] or [T?, N, C] held-out logits of every row at the chosen setting, the
        mean where several folds hold it out, NaN where none does.
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
) -> CrossValidation:
    """Fits folds x l1_ratios x λ at once, scores what each fold holds out, chooses and refits.

    Args:
      batch: as for `fit`, and so loss, l1_ratio, tol, num_classes, max_steps and mesh.
      lambdas: as for `fit`; the default ones are those of all rows.
      loss: see batch.
      l1_ratio: see batch.
      tol: see batch.
      num_classes: see batch.
      max_steps: see batch.
      mesh: see batch.
      fold_weights: [F, N], F >= 2; a fold holds out the rows of weight 0.
      metric: (labels [N], logits [N] or [N, C], *, sample_weight [N]) -> [], as from a function
        of `metrics` that has been given predictions or probabilities of these logits; None is
        the mean loss.
      maximise: whether more of the metric is better.
      rule: "best", or "one_standard_error".

    Raises:
      ValueError: as `fit`; one fold, or one that holds nothing out; an unknown rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, and is {rule!r}")
    mesh = placed.checked(mesh)
    if np.ndim(fold_weights) != 2 or len(fold_weights) < 2:
        raise ValueError(
            f"fold_weights must be [F, N] with 2 folds at least; shape {np.shape(fold_weights)}"
        )
    asked = door.given(batch, lambdas, loss, l1_ratio, fold_weights, num_classes)
    held_out = _held_out(batch, fold_weights)
    if lambdas is None:
        whole = door.given(batch, None, loss, l1_ratio, None, num_classes)
        lambdas = grids.of(whole, loss)
    several = np.ndim(batch.labels) == 2
    targets = batch._replace(labels=np.atleast_2d(np.asarray(batch.labels)))
    options = {"loss": loss, "tol": tol, "num_classes": asked.num_classes}
    options |= {"max_steps": max_steps, "mesh": mesh}
    path = fit(targets, lambdas, l1_ratio=asked.l1_ratios, fold_weights=fold_weights, **options)
    metric = metric or _mean_loss(loss, asked.num_classes)
    scores = _scores(path, asked, held_out, metric, mesh)
    mean = scores.mean(axis=1)
    error = scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    best, simplest = _choices(mean, error, maximise)
    chosen = best if rule == "best" else simplest
    refit = _refit(targets, path.lambdas, asked.l1_ratios, chosen, options)
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
        _predictions(path, asked, held_out, chosen, mesh),
    )
    return found if several else _of_one_target(found)


def _held_out(batch, fold_weights) -> np.ndarray:
    """[F, N] the weights of the rows that each fold holds out."""
    weights = np.ones(len(batch.x)) if batch.weights is None else np.asarray(batch.weights)
    held_out = (np.asarray(fold_weights) == 0) * weights
    empty = np.flatnonzero(held_out.sum(axis=1) == 0)
    if len(empty):
        raise ValueError(f"fold {empty[0]} of fold_weights holds no row out: give it zeros")
    return held_out


@lru_cache  # one object for one loss: programs are found by it
def _mean_loss(loss, num_classes):
    def mean_loss(labels, logits, *, sample_weight):
        family = families.family(loss, num_classes)
        z = logits.T[None] if num_classes else logits[None, None]
        return jnp.vdot(family.value(z, labels[None])[0], sample_weight) / jnp.sum(sample_weight)

    return mean_loss


def _logits(x, w, b) -> Array:
    """Of lanes w [m, D(, C)]: [m, N(, C)]."""
    return jnp.einsum("nd,md...->mn...", x, w, precision="highest") + b[:, None]


@partial(jax.jit, static_argnums=0)
def _of_setting(metric, x, labels, held_out, w, b):
    def one(labels, logits, weights):
        return metric(labels, logits, sample_weight=weights)

    return jax.vmap(one)(labels, _logits(x, w, b), held_out)


def _scores(path, asked, held_out, metric, mesh) -> np.ndarray:
    """[T, F, A, K], a setting (a, k) at a time."""
    num_targets, num_folds, num_ratios, num_lambdas = path.risk.shape
    labels = np.repeat(asked.labels, num_folds, axis=0)
    weights = np.tile(held_out, (num_targets, 1))
    out = np.empty(path.risk.shape)
    with jax.enable_x64(True), placed.within(mesh), jax.numpy_dtype_promotion("standard"):
        x, labels = placed.rows(asked.x, 0, mesh), placed.rows(labels, 1, mesh)
        weights = placed.rows(weights, 1, mesh, weighs=True)
        for a in range(num_ratios):
            for k in range(num_lambdas):
                w, b = (path.params[name][:, :, a, k] for name in "wb")
                w, b = (v.reshape(-1, *v.shape[2:]) for v in (w, b))
                values = _of_setting(metric, x, labels, weights, w, b)
                out[:, :, a, k] = np.asarray(values).reshape(num_targets, num_folds)
    # A direction is no fit: what has no optimum can't be chosen.
    return np.where(path.status == Status.separable, np.nan, out)


def _choices(mean, error, maximise) -> tuple[np.ndarray, np.ndarray]:
    """(best, one_standard_error), [T, 2] each."""
    loss = np.where(np.isnan(mean), np.inf, -mean if maximise else mean)
    best, simplest = [], []
    for table, spread in zip(loss, error, strict=True):
        a, k = np.unravel_index(np.argmin(table), table.shape)
        limit = table[a, k] + np.nan_to_num(spread[a, k])
        best.append((a, k))
        simplest.append((a, int(np.argmax(table[a] <= limit))))  # λ descends: the first is largest
    return np.array(best), np.array(simplest)


def _refit(batch, lambdas, l1_ratios, chosen, options) -> Path:
    """Each target's own setting on all rows, [T]: a path through the chosen λ for each l1_ratio."""
    parts = [None] * len(chosen)
    for a in np.unique(chosen[:, 0]):
        ks = np.unique(chosen[chosen[:, 0] == a, 1])
        path = fit(batch, lambdas[ks], l1_ratio=float(l1_ratios[a]), **options)
        for target, (own, k) in enumerate(chosen):
            if own == a:
                at = (target, int(np.searchsorted(ks, k)))
                parts[target] = jax.tree.map(lambda leaf, at=at: leaf[at], path[:-1])
    return Path(*jax.tree.map(lambda *leaves: np.stack(leaves), *parts), lambdas[chosen[:, 1]])


def _predictions(path, asked, held_out, chosen, mesh) -> np.ndarray:
    with jax.enable_x64(True), placed.within(mesh):
        x, rows = placed.rows(asked.x, 0, mesh), []
        for target, (a, k) in enumerate(chosen):
            w, b = (path.params[name][target, :, a, k] for name in "wb")
            logits = np.asarray(_logits(x, jnp.asarray(w), jnp.asarray(b)))[:, : len(asked.x)]
            away = (held_out > 0).astype(float)
            away = away.reshape(*away.shape, *[1] * (logits.ndim - 2))
            with np.errstate(invalid="ignore"):
                rows.append((logits * away).sum(axis=0) / away.sum(axis=0))
    return np.stack(rows)


def _of_one_target(found: CrossValidation) -> CrossValidation:
    def first(part):
        return jax.tree.map(lambda leaf: leaf[0], part)

    path = Path(*first(tuple(found.path[:-1])), found.path.lambdas)
    refit = Path(*first(tuple(found.refit)))
    kept = {"path": path, "refit": refit}
    for name in ("scores", "mean", "standard_error", "best", "one_standard_error", "chosen"):
        kept[name] = getattr(found, name)[0]
    return found._replace(**kept, predictions=found.predictions[0])
