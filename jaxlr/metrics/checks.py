"""What a caller may pass: refused with a sentence when values can be read, NaN when they can't.

Eagerly, a bad value raises a ValueError that names the argument. Inside `jit` and `vmap` values
can't be read, so the rule is: *a bad value in a row of non-zero weight makes the whole result NaN*
(-1 in integer counts). Bad are NaN scores, predictions or probabilities, weights that are negative
or not finite, and labels outside 0…num_classes-1. Shapes are known even there, and always raise.
An infinite score is refused eagerly, as scikit-learn does, and ranks inside `jit`. A row of weight
zero is absent: whatever it holds, it is neither refused nor seen in a value or a slope. `checked`
turns the NaN into an error that says which argument was bad.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify

from jaxlr.metrics.foreign import numbers_of, place, traced
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


def whole(name: str, value, at_least: int = 1) -> int:
    """A static number such as 3 as an int; a ValueError unless it is whole and great enough."""
    try:
        fine = int(value) == value and value >= at_least
    except (TypeError, ValueError, OverflowError):
        fine = False
    if not fine:
        raise ValueError(f"{name} must be at least {at_least}, a whole number, and is {value!r}")
    return int(value)


def finite(name: str, values, weights=None, *, given=None, infinite: bool = False):
    """(values, verdict): finite in every row that counts, and 0 wherever they are not.

    `infinite` lets infinity pass where values can't be read: it has its place in an order. `given`
    is what the caller passed, whose columns may have names.
    """
    if not jnp.issubdtype(values.dtype, jnp.floating):
        return values, None
    lib = jnp if traced(values, weights) else np
    rule = f"{name} must be {{}} in every row that counts"
    if infinite:
        found = _in_rows(rule.format("not NaN"), values, ~lib.isnan(values), weights, given)
        if lib is jnp:
            return found
        values = found[0]
    return _in_rows(rule.format("finite"), values, lib.isfinite(values), weights, given)


def probabilities(name: str, values, weights=None, *, given=None):
    """(values, verdict): between 0 and 1 in every row that counts, and ½ wherever they are not."""
    rule = f"{name} must lie between 0 and 1"
    return _in_rows(rule, values, (values >= 0) & (values <= 1), weights, given, 0.5)


def row_weights(sample_weight, num_rows: int):
    """(weights [N] or None, verdict): one finite number at least 0 for each row."""
    if sample_weight is None:
        return None, None
    weights = numbers_of("sample_weight", sample_weight)
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights[:, 0]
    if not traced(weights) and weights.dtype.kind == "f":
        weights = weights.astype(np.float64)  # by NumPy: XLA takes a subnormal for zero
    if weights.shape != (num_rows,):
        raise ValueError(
            f"sample_weight must be one number for each of the {num_rows} rows, "
            f"and has shape {weights.shape}"
        )
    lib = jnp if traced(weights) else np
    rule = "sample_weight must be finite and at least 0 in every row"
    _, ok = _in_rows(rule, weights, (weights >= 0) & lib.isfinite(weights))
    return weights, ok


def counts_or(good, weights):
    """Whether each row (or cell) is good, or is in a row of weight 0, which is absent."""
    if weights is None:
        return good
    lib = jnp if traced(good, weights) else np
    absent = lib.asarray(weights) == 0
    return good | absent.reshape(absent.shape + (1,) * (good.ndim - 1))


def _in_rows(rule: str, values, good, weights=None, given=None, otherwise: float = 0.0):
    """(values, `otherwise` where they aren't good; verdict over the rows that count)."""
    fine = counts_or(good, weights)
    if traced(fine):
        ok = require(jnp.all(fine), rule)
    elif fine.all():
        ok = None
    else:
        first = tuple(np.argwhere(~np.asarray(fine))[0].tolist())
        found = "wrong" if traced(values) else values[first]
        raise ValueError(f"{rule}, and is {found} in {place(first, given)}")
    if isinstance(values, np.ndarray) and not traced(good):
        return (values if good.all() else np.where(good, values, values.dtype.type(otherwise))), ok
    return jax.lax.select(
        jnp.asarray(good), jnp.asarray(values), jnp.full_like(values, otherwise)
    ), ok
