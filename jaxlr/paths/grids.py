"""The penalties of a path that nobody named: from where everything is zero, down by a ratio."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.paths import door, families
from jaxlr.pytypes import Array, Batch

NUM, RATIO = 100, 1e-4
RIDGE = 1e-3  # the l1_ratio whose grid a pure ridge takes, as in glmnet


def lambda_grid(
    batch: Batch,
    *,
    loss: Callable[[Array, Array], Array],
    num: int = NUM,
    ratio: float = RATIO,
    l1_ratio: float = 0.0,
    num_classes: int | None = None,
) -> np.ndarray:
    """Penalties [num], descending evenly in their logarithm from λ_max to ratio · λ_max.

    λ_max is the smallest penalty under which every weight is 0: the largest derivative of the
    loss where only the intercept is fitted, over l1_ratio. A ridge sets no weight to 0 and takes
    the λ_max of l1_ratio 0.001.

    Raises:
      ValueError: as `fit`; num < 1; ratio not between 0 and 1.
    """
    asked = door.given(batch, None, loss, l1_ratio, None, num_classes)
    return of(asked, loss, num, ratio)


def of(asked: door.Given, loss: Callable, num: int = NUM, ratio: float = RATIO) -> np.ndarray:
    """The grid of what was asked; the largest λ_max of its targets, folds and l1_ratios."""
    if num < 1:
        raise ValueError(f"num must be at least 1, and is {num}")
    if not 0 < ratio < 1:
        raise ValueError(f"ratio must lie between 0 and 1, and is {ratio}")
    family = families.family(loss, asked.num_classes)
    with jax.enable_x64(True):
        slopes = np.asarray(_slopes_at_intercept(family, asked))
    steepest = np.abs(np.einsum("mcn,nd->mcd", slopes, asked.x)).max()
    largest = steepest / max(RIDGE, asked.l1_ratios.min())
    return largest * ratio ** (np.arange(num) / max(1, num - 1))


def _slopes_at_intercept(family, asked) -> Array:
    """Weighted slopes [T·F, C, N] where only the intercepts are fitted, by Newton's method."""
    num_targets, num_folds = len(asked.labels), len(asked.weights)
    labels = jnp.asarray(np.repeat(asked.labels, num_folds, axis=0))
    weights = jnp.asarray(np.tile(asked.weights, (num_targets, 1)))

    def logits(b):
        return jnp.broadcast_to(b[:, :, None], (*b.shape, labels.shape[1]))

    def mean(values):
        return jnp.einsum("mcn,mn->mc", values, weights)

    @jax.jit
    def step(b):
        slope = mean(family.slope(logits(b), labels))
        curvature = mean(family.curvature(family.bend(logits(b), labels)))
        return b - jnp.clip(slope / jnp.maximum(curvature, 1e-12), -1, 1)

    b = jnp.zeros((num_targets * num_folds, family.num_outputs))
    for _ in range(100):
        b = step(b)
    return family.slope(logits(b), labels) * weights[:, None]
