"""The rows that folds hold out: what a metric says of every lane there, and their logits."""

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.certificates.status import Status
from jaxlr.glm.door import Given
from jaxlr.glm.losses import loss as loss_of
from jaxlr.paths import placed
from jaxlr.paths.path import Path
from jaxlr.pytypes import Array


def weights(sample: np.ndarray, fold_weights: np.ndarray) -> np.ndarray:
    """[F, N] those of the sample [N] where a fold has none.

    Raises:
      ValueError: a fold that holds nothing out.
    """
    out = (fold_weights == 0) * sample
    empty = np.flatnonzero(out.sum(axis=1) == 0)
    if len(empty):
        raise ValueError(f"fold {empty[0]} of fold_weights holds no row out: give it zeros")
    return out


@lru_cache  # one object for one loss: programs are found by it
def mean_loss(loss: Callable, num_classes: int | None) -> Callable[..., Array]:
    """The mean loss as a metric of logits."""

    def mean_loss(labels, logits, *, sample_weight):
        family = loss_of(loss, num_classes)
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


def endless(path: Path, asked: Given) -> np.ndarray:
    """[T, F, A, K] lanes that can't be chosen: what has no optimum is no fit.

    A class that no row at all is of is in no fold's way, if two others are left.
    """
    separable = path.status == Status.separable
    if asked.num_classes is None:
        return separable
    classes = np.arange(asked.num_classes)
    heard = np.array([np.isin(classes, labels) for labels in asked.labels])  # [T, C]
    same = (np.isfinite(path.params["b"]) == heard[:, None, None, None]).all(axis=-1)
    return separable & ~(same & (heard.sum(axis=1) > 1)[:, None, None, None])


def scores(
    path: Path, asked: Given, away: np.ndarray, metric: Callable, mesh: jax.sharding.Mesh | None
) -> np.ndarray:
    """The metric of every lane [T, F, A, K] on rows of weights `away` [F, N]."""
    num_targets, num_folds, num_ratios, num_lambdas = path.risk.shape
    labels = np.repeat(asked.labels, num_folds, axis=0)
    weights = np.tile(away, (num_targets, 1))
    out = np.empty(path.risk.shape)
    with jax.enable_x64(True), placed.within(mesh), jax.numpy_dtype_promotion("standard"):
        x, labels = placed.rows(asked.x, 0, mesh), placed.rows(labels, 1, mesh)
        weights = placed.rows(weights, 1, mesh, weighs=True)
        for a in range(num_ratios):  # a setting at a time: logits are [T F, N]
            for k in range(num_lambdas):
                w, b = (path.params[name][:, :, a, k] for name in "wb")
                w, b = (v.reshape(-1, *v.shape[2:]) for v in (w, b))
                values = _of_setting(metric, x, labels, weights, w, b)
                out[:, :, a, k] = np.asarray(values).reshape(num_targets, num_folds)
    return out


def predictions(
    path: Path, asked: Given, away: np.ndarray, chosen: np.ndarray, mesh: jax.sharding.Mesh | None
) -> np.ndarray:
    """Logits [T, N] or [T, N, C] of all the caller's rows at the chosen (a, k) [T, 2].

    The mean of the folds with weights `away` [T, F, N]; NaN where there is none.
    """
    num_targets, _, _, _, _, *classes = path.params["w"].shape
    out = np.full((num_targets, len(asked.counted), *classes), np.nan)
    with jax.enable_x64(True), placed.within(mesh):
        x = placed.rows(asked.x, 0, mesh)
        for target, (a, k) in enumerate(chosen):
            w, b = (path.params[name][target, :, a, k] for name in "wb")
            logits = np.asarray(_logits(x, jnp.asarray(w), jnp.asarray(b)))[:, : len(asked.x)]
            here = (away[target] > 0).reshape(*away.shape[1:], *[1] * len(classes))
            with np.errstate(invalid="ignore"):
                mean = np.where(here, logits, 0).sum(axis=0) / here.sum(axis=0)
            out[target, asked.counted] = mean
    return out
