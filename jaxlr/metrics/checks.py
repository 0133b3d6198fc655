"""What a caller may pass: refused with a sentence when values can be read, NaN when they can't.

Eagerly, a bad value raises a ValueError that names the argument. Inside `jit` and `vmap` values
can't be read, so the rule is: *a bad value in a row of non-zero weight makes the whole result NaN*
(-1 in integer counts). Bad are NaN scores, predictions or probabilities, weights that are negative
or not finite, and labels outside 0…num_classes-1. Shapes are known even there, and always raise.
`checked` turns the NaN into an error that says which argument was bad.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify

from jaxlr.pytypes import Array

# The 64-bit setting around a `checked` call, or None outside of one.
_CHECKING = contextvars.ContextVar("checking", default=None)


def checked(metric: Callable) -> Callable:
    """`metric` made to return (error, result), where error says what was wrong with the values.

    For use inside `jit`, where values can't be read: `jax.jit(checked(metric))(y_true, y_score)`
    and then `error.throw()`. Built on `jax.experimental.checkify`.
    """

    @functools.wraps(metric)
    def run(*args, **kwargs):
        return checkify.checkify(functools.partial(_with_checks, metric))(*args, **kwargs)

    return run


def _with_checks(metric: Callable, *args, **kwargs):
    with _checking():
        return metric(*args, **kwargs)


@contextlib.contextmanager
def _checking():
    token = _CHECKING.set(jax.config.jax_enable_x64)
    try:
        yield
    finally:
        _CHECKING.reset(token)


def traced(*values) -> bool:
    """Whether any of these is an array inside `jit`, `vmap` or `grad`, whose values are unknown."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def require(ok: Array | np.ndarray | bool, message: str) -> Array | None:
    """Raises when `ok` can be read and is False; otherwise returns it, for `poison`.

    None means that everything was read and found well.
    """
    if not traced(ok):
        if not bool(ok):
            raise ValueError(message)
        return None
    setting = _CHECKING.get()
    if setting is not None:
        # An error code is an integer of the caller's default width, whatever ours is by now.
        with jax.enable_x64(setting):
            checkify.check(ok, message.replace("{", "{{").replace("}", "}}"))
    return ok


def both(*oks: Array | None) -> Array | None:
    """The conjunction of verdicts from `require`."""
    known = [ok for ok in oks if ok is not None]
    return functools.reduce(jnp.logical_and, known) if known else None


def same_length(**arrays) -> None:
    """Raises a ValueError unless all the arrays that aren't None have one length."""
    lengths = {name: np.shape(a)[0] for name, a in arrays.items() if a is not None}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"arguments must have one length, and {said} rows")


def one_of(name: str, value, choices: tuple) -> None:
    """Raises a ValueError unless `value` is among `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, and is {value!r}")


def finite(name: str, values: Array | np.ndarray, weights=None, allow_infinite=False):
    """Requires values without NaN (nor infinity) in rows of non-zero weight."""
    lib = jnp if traced(values, weights) else np
    good = ~lib.isnan(values) if allow_infinite else lib.isfinite(values)
    kind = "not NaN" if allow_infinite else "finite"
    return require(_all_in(lib, good, weights), f"{name} must be {kind} in every row that counts")


def within(name: str, values, low, high, weights=None):
    """Requires low <= value <= high in rows of non-zero weight."""
    real_numbers(name, values)
    lib = jnp if traced(values, weights) else np
    good = (values >= low) & (values <= high)
    return require(_all_in(lib, good, weights), f"{name} must lie between {low} and {high}")


def real_numbers(name: str, array) -> None:
    """Raises a ValueError unless the array holds real numbers or booleans."""
    if np.dtype(array.dtype).kind in "OUSc":
        raise ValueError(f"{name} must hold real numbers, and holds {array.dtype}")


def _all_in(lib, good, weights):
    if weights is not None:
        absent = lib.asarray(weights) == 0
        good = good | absent.reshape(absent.shape + (1,) * (good.ndim - 1))
    return lib.all(good)


def row_weights(sample_weight, num_rows: int):
    """(weights [N] or None, verdict): one finite number at least 0 for each row."""
    if sample_weight is None:
        return None, None
    lib = jnp if traced(sample_weight) else np
    weights = lib.asarray(sample_weight)
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights[:, 0]
    if weights.shape != (num_rows,):
        raise ValueError(
            f"sample_weight must be one number for each of the {num_rows} rows, "
            f"and has shape {weights.shape}"
        )
    if weights.dtype.kind == "b":
        weights = weights.astype(lib.int32)
    if weights.dtype.kind == "O":
        weights = weights.astype(float)
    good = lib.all((weights >= 0) & lib.isfinite(weights))
    return weights, require(good, "sample_weight must be finite and at least 0 in every row")
