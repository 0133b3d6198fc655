"""What a loss accepts of one example; every message names the argument and the cure."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.activations.arguments import floating
from jaxlr.pytypes import Array


def score(name: str, value: Array) -> Array:
    """A floating-point [] of one example."""
    return _scalar(name, floating(name, value))


def real_label(name: str, value: Array, dtype: np.dtype) -> Array:
    """A real [] (integers and booleans too), cast to `dtype`."""
    value = _scalar(name, jnp.asarray(value))
    return _real(name, value).astype(dtype)


def distribution(name: str, value: Array, num_classes: int, dtype: np.dtype) -> Array:
    """Real [num_classes], cast to `dtype`."""
    value = jnp.asarray(value)
    if value.shape != (num_classes,):
        raise ValueError(
            f"{name} must be a class [] or one probability for each of the {num_classes} logits,"
            f" and has shape {value.shape}"
        )
    return _real(name, value).astype(dtype)


def check_probability(name: str, value: Array) -> None:
    """Raises where `value` is known to leave [0, 1]; one that is traced passes."""
    if (known := _known(value)) is not None and not np.all((known >= 0) & (known <= 1)):
        raise ValueError(f"{name} must lie between 0 and 1, and is {known}")


def check_class(name: str, value: Array, num_classes: int) -> None:
    """Raises where `value` is known to be no class; one that is traced passes."""
    if (known := _known(value)) is not None and not 0 <= known < num_classes:
        raise ValueError(
            f"{name} must be a class from 0 to {num_classes - 1}, the logits' last, and is {known}"
        )


def check_total(name: str, value: Array) -> None:
    """Raises where a distribution is known not to sum to 1, whatever its format's rounding."""
    if (known := _known(value)) is None:
        return
    rounding = float(jnp.finfo(jnp.result_type(value)).eps) if known.dtype.kind == "f" else 0.0
    if abs(known.sum() - 1) > known.size * max(rounding, 1e-6):
        raise ValueError(f"{name} must sum to 1, and sums to {known.sum()}")


def _known(value: Array) -> np.ndarray | None:
    """The numbers of a value that is not traced; a complex one has its own error."""
    if isinstance(value, jax.core.Tracer) or jnp.iscomplexobj(value):
        return None
    known = np.asarray(value)
    return known if known.dtype.kind in "biu" else known.astype(np.float64)


def _scalar(name: str, value: Array) -> Array:
    if value.ndim:
        raise ValueError(
            f"{name} must be a scalar [], as a loss is of one example, and has shape"
            f" {value.shape}: jax.vmap the loss over the batch"
        )
    return value


def _real(name: str, value: Array) -> Array:
    if jnp.issubdtype(value.dtype, jnp.complexfloating):
        raise TypeError(f"{name} must be real, and is {value.dtype} of shape {value.shape}")
    return value
