"""Arrays made ready: standardised columns, stratified splits, folds as weights, SGD's order."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array


class Moments(NamedTuple):
    """Weighted mean [D] and standard deviation [D] of each column; a constant column has std 1."""

    mean: Array
    std: Array


def moments(x: Array, weights: Array | None = None) -> Moments:
    """The columns' moments, in two passes, from the rows that have weight.

    Take them from training rows only: a test row's scale is knowledge of the test set.

    Args:
      x: [N, D].
      weights: [N] >= 0, or None for ones.
    """
    mean = jnp.average(x, axis=0, weights=weights)
    variance = jnp.average((x - mean[None]) ** 2, axis=0, weights=weights)
    # A constant column keeps a variance of rounding size, which must not be blown up.
    noise = (jnp.finfo(x.dtype).eps * jnp.abs(mean)) ** 2 * 16
    return Moments(mean, jnp.sqrt(jnp.where(variance > noise, variance, 1)))


def standardise(x: Array, given: Moments) -> Array:
    """(x - mean) / std, column by column; x is [N, D]."""
    return (x - given.mean[None]) / given.std[None]


def split(key: Array, labels: Array, test_fraction: float) -> tuple[Array, Array]:
    """Rows of a stratified (train, test) split, each in ascending order.

    Every class gives the same fraction up to one row, and so does the whole. Runs eagerly, since
    the sizes depend on the numbers.

    Args:
      key: consumed once.
      labels: [N] classes; all zeros for a split without strata (regression).
      test_fraction: in (0, 1).

    Raises:
      ValueError: the fraction is out of range or leaves either side empty.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must lie between 0 and 1, and is {test_fraction}")
    rows = np.asarray(_dealt(key, jnp.asarray(labels)))
    taken = np.floor(np.arange(1, len(rows) + 1) * test_fraction).astype(int)
    tested = np.diff(taken, prepend=0) > 0
    if not tested.any() or tested.all():
        raise ValueError(
            f"test_fraction {test_fraction} of {len(rows)} rows leaves one side empty; "
            "take another fraction or more rows"
        )
    return jnp.asarray(np.sort(rows[~tested])), jnp.asarray(np.sort(rows[tested]))


def folds(key: Array, labels: Array, num_folds: int, dtype=float) -> Array:
    """Stratified folds as weights: 1 where a row trains, 0 where the fold holds it out.

    Fold sizes, and the classes within them, differ by at most one row.

    Args:
      key: consumed once.
      labels: [N] classes; all zeros for folds without strata (regression).
      num_folds: F, static, at least 2.
      dtype: of the weights.

    Returns:
      [F, N].

    Raises:
      ValueError: F < 2, or (where labels can be read) a class has fewer rows than folds.
    """
    if num_folds < 2:
        raise ValueError(f"num_folds must be at least 2, and is {num_folds}")
    if not isinstance(labels, jax.core.Tracer):
        classes, counts = np.unique(np.asarray(labels), return_counts=True)
        if counts.min() < num_folds:
            rare = classes[counts.argmin()]
            raise ValueError(
                f"class {rare} has {counts.min()} rows, fewer than the {num_folds} folds; "
                f"take at most {counts.min()} folds or leave the class out"
            )
    rows = _dealt(key, jnp.asarray(labels))
    dealt = jnp.arange(len(rows)) % num_folds
    held_by = jnp.zeros_like(dealt).at[rows].set(dealt)
    return (held_by[None] != jnp.arange(num_folds)[:, None]).astype(dtype)


def epochs(key: Array, num_examples: int, batch_size: int, num_epochs: int) -> Array:
    """The rows that each step of SGD meets: a fresh shuffle in every epoch, cut into batches.

    An epoch is num_examples // batch_size steps; the rows left over sit that epoch out.

    Returns:
      order [T, B], int32, T = num_epochs * (num_examples // batch_size).

    Raises:
      ValueError: a size below 1, or a batch larger than the data.
    """
    sizes = {"num_examples": num_examples, "batch_size": batch_size, "num_epochs": num_epochs}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, and is {size}")
    if batch_size > num_examples:
        raise ValueError(
            f"batch_size {batch_size} is larger than the data's {num_examples} rows; "
            f"take at most {num_examples}"
        )
    steps = num_examples // batch_size
    shuffled = jax.vmap(lambda key: jax.random.permutation(key, num_examples))(
        jax.random.split(key, num_epochs)
    )
    return shuffled[:, : steps * batch_size].reshape(-1, batch_size).astype(jnp.int32)


@jax.jit
def _dealt(key: Array, labels: Array) -> Array:
    """Rows class after class, shuffled within a class: dealt out like cards, strata stay even."""
    shuffled = jax.random.permutation(key, len(labels))
    return shuffled[jnp.argsort(labels[shuffled], stable=True)]
