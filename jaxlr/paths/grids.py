"""The penalties of a path that nobody named: from where everything is zero, down by a ratio."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.glm import door
from jaxlr.glm.intercepts import profiled
from jaxlr.glm.losses import loss as loss_of
from jaxlr.paths import data_sets
from jaxlr.pytypes import Array, Batch

NUM, RATIO = 100, 1e-4
RIDGE = 1e-3  # the l1_ratio whose grid a pure ridge takes, as in glmnet
# Of a derivative, relative to its terms before the intercept is fitted; without it the penalties of
# features that are uncorrelated with the labels would be rounding's own, from 1e-18 down.
ROUNDING = 1e-12


def lambda_grid(
    batch: Batch,
    *,
    loss: Callable[[Array, Array], Array],
    num: int = NUM,
    ratio: float = RATIO,
    l1_ratio: float = 0.0,
    num_classes: int | None = None,
    fit_intercept: bool = True,
) -> np.ndarray:
    """Penalties [num], descending evenly in their logarithm from λ_max to ratio · λ_max.

    Of several data sets or targets the largest λ_max counts.
    λ_max is the smallest penalty under which every weight is 0: the largest derivative of the
    loss where only the intercept is fitted, over l1_ratio. A ridge sets no weight to 0 and takes
    the λ_max of l1_ratio 0.001. Where no derivative is more than rounding (every feature constant
    or uncorrelated with the labels) every weight is 0 under any penalty, and λ_max is 1.

    Raises:
      ValueError: as `fit`; num < 1; ratio not between 0 and 1.
    """
    if num < 1:
        raise ValueError(f"num must be at least 1, and is {num}")
    if not 0 < ratio < 1:
        raise ValueError(f"ratio must lie between 0 and 1, and is {ratio}")
    options = loss, l1_ratio, None, num_classes
    sets, _ = data_sets.given(batch, None, *options, fit_intercept=fit_intercept)
    return _of_sets(sets, loss, num, ratio)


def filled(sets: list[door.Given], loss: Callable, folds: slice = slice(None)) -> list[door.Given]:
    """The data sets with one grid of these folds where nobody named penalties."""
    if sets[0].lambdas is not None:
        return sets
    own = [asked._replace(weights=asked.weights[folds]) for asked in sets]
    lambdas = _of_sets(own, loss, NUM, RATIO)
    return [asked._replace(lambdas=lambdas) for asked in sets]


def _of_sets(sets, loss, num, ratio) -> np.ndarray:
    largest = max(_largest(asked, loss) for asked in sets)
    return largest * ratio ** (np.arange(num) / max(1, num - 1))


def _largest(asked: door.Given, loss: Callable) -> float:
    """The largest λ_max of its targets, folds and l1_ratios."""
    family = loss_of(loss, asked.num_classes, asked.fit_intercept)
    with jax.enable_x64(True):
        labels = np.repeat(asked.codes, len(asked.weights), axis=0)
        weights = np.tile(asked.weights, (len(asked.labels), 1))
        first, slopes = map(np.asarray, _slopes(family, labels, weights))
    x, lacking = asked.x, 0
    if asked.fit_intercept:
        x = x - x[0]  # a constant column is exactly 0 now, and a large offset small
        # Slopes sum to 0, but for what the intercepts lack; centred columns would not feel it.
        lacking = slopes.sum(axis=2)[:, :, None] * (weights @ x)[:, None]
    derivatives = np.abs(slopes @ x - lacking)
    told = derivatives > ROUNDING * (np.abs(first) @ np.abs(x))
    steepest = np.where(told, derivatives, 0).max()
    return steepest / max(RIDGE, asked.l1_ratios.min()) if steepest > 0 else 1.0


@partial(jax.jit, static_argnums=0)
def _slopes(family, labels, weights) -> tuple[Array, Array]:
    """Weighted slopes [L, C, N] at 0, and where only the intercepts are fitted."""

    def one(labels, weights):
        zero = start = jnp.zeros((family.num_outputs, len(labels)))
        if family.intercept and not family.multiclass:  # numbers may be far from 0
            start = start + jnp.dot(labels, weights)
        fitted = start + profiled(family, start, labels, weights).shift[:, None]
        return tuple(family.gradient(z, labels) * weights[None] for z in (zero, fitted))

    return jax.vmap(one)(labels, weights)
