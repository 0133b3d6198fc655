"""What an optimizer refuses, and how it says so."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Params, ScalarOrSchedule

# Running means divide by 1 - decayᵗ, or never forget: 1 is not allowed.
DECAYS = frozenset({"b1", "b2", "b3", "decay", "rho"})


def check_number(name: str, number: ScalarOrSchedule | None) -> ScalarOrSchedule | None:
    """A Python or NumPy number as a float in its range; arrays, schedules and None as they are.

    Raises:
      ValueError: a negative number or NaN, a decay outside [0, 1), or an array with axes. The
        values of arrays are not looked at: they may be traced.
    """
    if number is None or callable(number):
        return number
    if not isinstance(number, (int, float, np.generic)):
        if jnp.ndim(number):
            raise ValueError(
                f"{name} has shape {jnp.shape(number)}: pass one number, and vmap to sweep it."
            )
        return number
    if name in DECAYS and not 0 <= number < 1:
        raise ValueError(f"{name} must be in [0, 1), the share of the past kept; got {number}.")
    if not number >= 0:
        raise ValueError(f"{name} must be zero or positive; got {number}.")
    return float(number)


def check_params(params: Params) -> None:
    """Raises TypeError, naming the leaf, unless every leaf is an array of real floats."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise TypeError(
                f"params{jax.tree_util.keystr(path)} has dtype {dtype}, but an optimizer moves "
                "floating-point numbers: cast it, or leave it out of params."
            )


def check_same_tree(
    grads: Params, params: Params | None, memory: list[Params | None], needs_params: bool
) -> None:
    """Raises ValueError unless grads, params and state speak of the same arrays."""
    if params is None and needs_params:
        raise ValueError("params is missing, and this rule reads it: update(grads, state, params).")
    if params is not None:
        _check_match(grads, params, "params", "pass the params that grads were taken at")
    for tree in memory[:1]:  # one memory tells of all, for init made them together
        if tree is not None:
            _check_match(grads, tree, "the state", "call init again for these params")


def _check_match(grads: Params, other: Params, name: str, cure: str) -> None:
    ours, theirs = jax.tree.structure(grads), jax.tree.structure(other)
    if ours != theirs:
        raise ValueError(f"grads has the structure {ours}, but {name} has {theirs}: {cure}.")
    for (path, g), x in zip(
        jax.tree_util.tree_leaves_with_path(grads), jax.tree.leaves(other), strict=True
    ):
        if jnp.shape(g) != jnp.shape(x):
            raise ValueError(
                f"grads{jax.tree_util.keystr(path)} has shape {jnp.shape(g)}, "
                f"but {name} has {jnp.shape(x)} there: {cure}."
            )
