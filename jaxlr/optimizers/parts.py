"""What every optimizer is made of: a rule for one array, lifted to a pytree by `leafwise`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.optimizers.checks import check_number, check_params, check_same_tree
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule

Rule = Callable[..., tuple]
Mask = Any  # a pytree of bools (or a prefix of one), or a function from grads to it


class CountState(NamedTuple):
    """Steps taken (None without a schedule): all that a rule without memory needs."""

    count: Array | None


def leafwise(
    rule: Rule,
    state_type: Callable[..., Any],
    start: tuple[Callable[[Array], Array] | None, ...],
    *,
    counts: bool = False,
    needs_params: bool = False,
    masks: Mapping[str, Mask] | None = None,
    **numbers: ScalarOrSchedule | None,
) -> Optimizer:
    """The optimizer that applies `rule` to every leaf, alone.

    Numbers reach the rule ready for use: schedules called at the step (from 0), arrays cast to
    the leaf's working dtype, which is the widest of gradient, weight and memory but float32 at
    least. So a bfloat16 step is the float32 step, rounded; and 0.999 does not become 1. Updates
    come in the weight's dtype (the gradient's, if the caller gave no params); memory keeps its
    own. Python numbers are checked here; traced ones cannot be.

    Args:
      rule: `rule(g, w, t, *memory, **numbers) -> (update, *memory)` on arrays: gradient, weight
        (None if the caller gave no params), step number from 1, and what it remembers.
      state_type: NamedTuple of the count of steps taken, and one tree per memory.
      start: the first value of each memory from a weight; None for a memory that is not kept.
      counts: whether the rule reads t. If not, and no number is a schedule, the count is None.
      needs_params: whether the rule reads w. A `weight_decay` other than the literal 0 needs it.
      masks: for some numbers, where they apply; elsewhere the rule receives None.
      **numbers: what the rule calls its numbers.
    """
    numbers = {name: check_number(name, number) for name, number in numbers.items()}
    if isinstance(numbers.get("weight_decay"), float) and numbers["weight_decay"] == 0:
        numbers["weight_decay"] = None  # spares the program the reading of params
    needs_params |= numbers.get("weight_decay") is not None
    counts |= any(callable(number) for number in numbers.values())
    masks = {name: mask for name, mask in (masks or {}).items() if mask is not None}

    def init(params):
        check_params(params)
        memory = (None if first is None else jax.tree.map(first, params) for first in start)
        return state_type(jnp.zeros([], jnp.int32) if counts else None, *memory)

    def update(grads, state, params=None):
        count, *memory = state
        check_same_tree(grads, params, memory, needs_params)
        t = next_count(count) if counts else None
        now = {name: rate_at(number, count) for name, number in numbers.items()}
        applies = [mask_tree(mask, grads) for mask in masks.values()]
        one = functools.partial(_one_leaf, rule, now, tuple(masks), t)
        updates, *new = map_leaves(one, 1 + len(memory), grads, params, *applies, *memory)
        kept = (None if old is None else tree for old, tree in zip(memory, new, strict=True))
        return updates, state_type(t, *kept)

    return Optimizer(init, update)


def _one_leaf(rule: Rule, numbers: dict, masked: tuple[str, ...], t: Array | None, g, w, *rest):
    """The rule on one leaf, in its working dtype and back.

    `rest` is a flag for each masked number, then the memory.
    """
    memory = rest[len(masked) :]
    off = {name for name, applies in zip(masked, rest, strict=False) if not applies}
    dtype = working_dtype(g, w, *memory)
    cast = {name: None if name in off else like(number, dtype) for name, number in numbers.items()}
    arrays = [None if x is None else jnp.asarray(x).astype(dtype) for x in (g, w, *memory)]
    outputs = rule(arrays[0], arrays[1], t, *arrays[2:], **cast)
    targets = (g if w is None else w, *memory)
    return tuple(
        None if target is None else output.astype(jnp.result_type(target))
        for output, target in zip(outputs, targets, strict=True)
    )


def map_leaves(function: Callable[..., tuple], num_outputs: int, *trees: Params) -> list[Params]:
    """`function(leaf, ...) -> (output, ...)` over trees of one structure: a tree per output.

    None in place of a tree is None at every leaf.
    """
    leaves, structure = jax.tree.flatten(trees[0])
    columns = [
        [None] * len(leaves) if tree is None else structure.flatten_up_to(tree)
        for tree in trees[1:]
    ]
    rows = [function(*row) for row in zip(leaves, *columns, strict=True)]
    return [structure.unflatten([row[i] for row in rows]) for i in range(num_outputs)]


def mask_tree(mask: Mask, tree: Params) -> Params:
    """A bool for every leaf of `tree`, from a mask, a prefix of one, or a function of the tree."""
    try:
        return jax.tree.broadcast(mask(tree) if callable(mask) else mask, tree)
    except ValueError as error:
        raise ValueError(
            "a mask does not fit the grads: give it their structure, or a prefix of it."
        ) from error


def working_dtype(*arrays: Array | None) -> np.dtype:
    """The widest dtype among the arrays (None aside), and float32 at least."""
    dtypes = [jnp.result_type(x) for x in arrays if x is not None]
    return max([jnp.dtype(jnp.float32), *dtypes], key=lambda dtype: dtype.itemsize)


def like(number: Scalar | None, dtype: np.dtype) -> Scalar | None:
    """An array in `dtype`; Python's numbers and None, which bend to any dtype, as they are."""
    if number is None or isinstance(number, float):
        return number
    return jnp.asarray(number).astype(dtype)


def rate_at(number: ScalarOrSchedule | None, count: Array) -> Scalar | None:
    """The number at step `count` (from 0): a schedule called, anything else as it is."""
    return number(count) if callable(number) else number


def next_count(count: Array) -> Array:
    """count + 1, which stays at the largest int32 rather than turn negative."""
    return count + (count < jnp.iinfo(jnp.int32).max).astype(jnp.int32)


def zeros(leaf: Array) -> Array:
    """Zeros in the leaf's shape, dtype and sharding."""
    return jnp.zeros_like(leaf, dtype=jnp.result_type(leaf))


def zeros_in(dtype: Any | None) -> Callable[[Array], Array]:
    """Zeros in the leaf's shape, and in `dtype` (None: the leaf's)."""
    return zeros if dtype is None else functools.partial(jnp.zeros_like, dtype=dtype)


def full(number: Scalar) -> Callable[[Array], Array]:
    """`number` in every place, in the leaf's shape, dtype and sharding."""
    return lambda leaf: jnp.full_like(leaf, number, dtype=jnp.result_type(leaf))


def power(decay: Scalar, t: Array) -> Array:
    """decayᵗ, in the decay's own dtype: 0.999 must not be rounded before it is raised."""
    return decay ** t.astype(jnp.result_type(decay))


def unbiased(mean: Array, decay: Scalar, t: Array) -> Array:
    """A running mean that started from 0, over the share 1 - decayᵗ that is not that 0."""
    return mean / (1 - power(decay, t)).astype(mean.dtype)


def decayed(direction: Array, weight_decay: Scalar | None, w: Array) -> Array:
    """Direction + weight_decay · w, or the direction where no decay applies (None)."""
    return direction if weight_decay is None else direction + weight_decay * w


def norm(leaf: Array) -> Array:
    """√Σx² of all entries, with derivative 0 at 0 rather than NaN."""
    squares = jnp.sum(leaf**2)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0)
