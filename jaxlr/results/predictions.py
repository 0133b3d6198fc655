"""What fitted params say of new rows."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxlr import activations, losses
from jaxlr.pytypes import Array, Params

LINKS = {"log_loss": activations.sigmoid, "softmax_cross_entropy": activations.softmax}


def loss_name(loss: Callable[[Array, Array], Array]) -> str:
    """The name of a loss of `losses`; of any other also where it is from."""
    name = getattr(loss, "__qualname__", type(loss).__qualname__)
    if getattr(losses, name, None) is loss:
        return name
    return f"{getattr(loss, '__module__', type(loss).__module__)}.{name}"


def logits(params: Params, x: np.ndarray, num_axes: int) -> np.ndarray:
    """Of lanes {"w": [..., D] or [..., D, C], "b": [...] or [..., C]} on rows x [M, D].

    Args:
      params: see above.
      x: see above.
      num_axes: how many axes of lanes there are.

    Returns:
      [..., M] or [..., M, C].
    """
    w, b = params["w"], params["b"]
    if b.ndim == num_axes:  # a logit each
        return w @ x.T + b[..., None]
    w = np.swapaxes(w, -1, -2)
    one = w.reshape(-1, w.shape[-1]) @ x.T  # one product for all lanes
    return np.swapaxes(one.reshape(*b.shape, -1) + b[..., None], -1, -2)


def rows(x: Any, num_columns: int) -> np.ndarray:
    """x [..., D] in float64.

    Raises:
      ValueError: rows of another width, or what is no number.
    """
    x = x.toarray() if hasattr(x, "toarray") else x
    try:
        x = np.asarray(x, np.float64)
    except (TypeError, ValueError):
        raise ValueError("x must be numbers [M, D], rows of one length") from None
    if x.ndim < 2 or x.shape[-1] != num_columns:
        raise ValueError(
            f"x must be [M, D] with D = {num_columns}, as what was fitted; its shape is {x.shape}"
        )
    return x


def probabilities(loss: str, scores: np.ndarray) -> np.ndarray:
    """Of logits: of label 1 [...], or of every class [..., C].

    Raises:
      ValueError: a loss whose logits have no probabilities.
    """
    if loss not in LINKS:
        raise ValueError(
            f"logits of {loss} have no probabilities, those of {' and '.join(LINKS)} have: call"
            " predict(x)"
        )
    with jax.enable_x64(True):
        return np.asarray(LINKS[loss](scores))
