"""Which rows train and which test, fold by fold, and the order that SGD meets them in."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array


def split(key: Array, labels: Array, test_fraction: float) -> tuple[Array, Array]:
    """Rows of a stratified (train, test) split, each in ascending order.

    Every class gives the same fraction up to one row, and so does the whole. Runs eagerly, since
    the sizes depend on the numbers.

    Args:
      key: consumed once.
      labels: [N] classes, of any kind; all zeros for a split without strata (regression).
      test_fraction: in (0, 1).

    Raises:
      ValueError: labels aren't [N]; the fraction is out of range or leaves either side empty.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must lie between 0 and 1, and is {test_fraction}")
    rows = np.asarray(_dealt(key, _coded(labels)))
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
      labels: [N] classes, of any kind; all zeros for folds without strata (regression).
      num_folds: F, static, at least 2.
      dtype: of the weights.

    Returns:
      [F, N].

    Raises:
      ValueError: F < 2, labels aren't [N], or (where they can be read) a class has fewer rows
        than folds.
    """
    if num_folds < 2:
        raise ValueError(f"num_folds must be at least 2, and is {num_folds}")
    codes = _coded(labels)
    if not isinstance(codes, jax.core.Tracer):
        counts = np.bincount(codes)
        if counts.min() < num_folds:
            rare = np.asarray(labels)[np.argmax(codes == counts.argmin())]
            raise ValueError(
                f"class {rare} has {counts.min()} rows, fewer than the {num_folds} folds; "
                f"take at most {counts.min()} folds or leave the class out"
            )
    rows = _dealt(key, codes)
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


def _coded(labels) -> Array | np.ndarray:
    """Classes as int32 0, 1, 2 …: JAX would narrow whole numbers, and take no texts."""
    if not isinstance(labels, jax.core.Tracer):
        labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size:
        raise ValueError(
            f"labels must be [N], a class for each row and one row at least; their shape is"
            f" {labels.shape}"
        )
    if isinstance(labels, jax.core.Tracer):
        return labels
    if labels.dtype == object:  # whose classes need have no order
        seen = {}
        return np.array([seen.setdefault(label, len(seen)) for label in labels], np.int32)
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


@jax.jit
def _dealt(key: Array, labels: Array) -> Array:
    """Rows class after class, shuffled within a class: dealt out like cards, strata stay even."""
    shuffled = jax.random.permutation(key, len(labels))
    return shuffled[jnp.argsort(labels[shuffled], stable=True)]
