"""The rows that folds hold out: what a metric says of every lane there, and their logits."""

from functools import partial

import jax
import numpy as np

from jaxlr.glm.door import Given
from jaxlr.paths import blas
from jaxlr.paths.scorers import Scorer, whole
from jaxlr.results.path import Path
from jaxlr.results.predictions import logits
from jaxlr.solvers.status import Status


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


@partial(jax.jit, static_argnums=0)
def _of_setting(metric, labels, logits, held_out):
    def one(labels, logits, weights):
        return metric(labels, logits, sample_weight=weights)

    return jax.vmap(one)(labels, logits, held_out)


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


def scores(path: Path, asked: Given, away: np.ndarray, scorer: Scorer) -> np.ndarray:
    """The metric of every lane [T, F, A, K] on rows of weights `away` [F, N]."""
    num_targets, num_folds, num_ratios, num_lambdas = path.risk.shape
    labels = whole(asked.labels) if scorer.of_classes else asked.labels
    labels = np.repeat(labels, num_folds, axis=0)
    weights = np.tile(away, (num_targets, 1))
    out = np.empty(path.risk.shape)
    alone = blas.on_one_core(asked.x.shape[1])
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), alone:
        for a, k in np.ndindex(num_ratios, num_lambdas):  # at a time: logits are [T F, N]
            params = {name: leaf[:, :, a, k] for name, leaf in path.params.items()}
            said = logits(params, asked.x, 2)
            values = _of_setting(scorer.metric, labels, said.reshape(-1, *said.shape[2:]), weights)
            out[:, :, a, k] = np.asarray(values).reshape(num_targets, num_folds)
    return out


def predictions(path: Path, asked: Given, away: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Logits [T, N] or [T, N, C] of all the caller's rows at the chosen (a, k) [T, 2].

    The mean of the folds with weights `away` [T, F, N]; NaN where there is none.
    """
    num_targets, _, _, _, _, *classes = path.params["w"].shape
    out = np.full((num_targets, len(asked.counted), *classes), np.nan)
    for target, (a, k) in enumerate(chosen):
        params = {name: leaf[target, :, a, k] for name, leaf in path.params.items()}
        said = logits(params, asked.x, 1)
        here = (away[target] > 0).reshape(*away.shape[1:], *[1] * len(classes))
        with np.errstate(invalid="ignore"):
            mean = np.where(here, said, 0).sum(axis=0) / here.sum(axis=0)
        out[target, asked.counted] = mean
    return out
