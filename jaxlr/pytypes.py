"""The four types that every other file speaks: Array, Params, Batch, Optimizer."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

Array = jax.Array
Params = Any  # a pytree of arrays
Scalar = float | jax.Array
ScalarOrSchedule = Scalar | Callable[[Array], Array]


class Batch(NamedTuple):
    """Examples: x [B, D], labels [B] (or [B, C]), weights [B] >= 0, or None for all ones.

    A weight means repetition: weight 2 is the row twice, weight 0 is the row absent, whatever it
    holds. NumPy's arrays, lists and frames of numbers are welcome.
    """

    x: Array
    labels: Array
    weights: Array | None = None


class Optimizer(NamedTuple):
    """A rule as two pure functions, interchangeable with optax's GradientTransformation.

    `init(params) -> opt_state`; `update(grads, opt_state, params) -> (updates, opt_state)`.
    Updates are added to the params.
    """

    init: Callable[[Params], Any]
    update: Callable[..., tuple[Params, Any]]
