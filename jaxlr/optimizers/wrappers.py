"""What goes around an optimizer: clipping, weight decay, one after another, lookahead."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.optimizers.checks import check_number
from jaxlr.optimizers.parts import (
    CountState,
    Mask,
    decayed,
    leafwise,
    like,
    map_leaves,
    working_dtype,
)
from jaxlr.pytypes import Array, Optimizer, Params, Scalar, ScalarOrSchedule


def chain(*optimizers: Optimizer) -> Optimizer:
    """One after another: the updates of each are the gradients of the next.

    Takes ours and optax's. The state is the tuple of their states.
    """

    def init(params):
        return tuple(optimizer.init(params) for optimizer in optimizers)

    def update(grads, state, params=None):
        states = []
        for optimizer, before in zip(optimizers, state, strict=True):
            grads, after = optimizer.update(grads, before, params)
            states.append(after)
        return grads, tuple(states)

    return Optimizer(init, update)


def clip_by_global_norm(max_norm: Scalar) -> Optimizer:
    """g · max_norm / ‖g‖ where ‖g‖, over all leaves at once, is not below max_norm; else g.

    Put it before the optimizer: `chain(clip_by_global_norm(1.0), sgd(0.1))`. Where the sum of
    squares overflows, the result is 0.

    Reference:
      Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013).
    """
    max_norm = check_number("max_norm", max_norm)

    def init(params):
        del params
        return CountState(None)

    def update(grads, state, params=None):
        del params
        dtype = working_dtype(*jax.tree.leaves(grads))
        squares = [jnp.sum(g.astype(dtype) ** 2) for g in jax.tree.leaves(grads)]
        size = jnp.sqrt(sum(squares, jnp.zeros([], dtype)))
        return jax.tree.map(functools.partial(_clip, size, like(max_norm, dtype)), grads), state

    return Optimizer(init, update)


def _clip(size: Array, max_norm: Scalar, g: Array) -> Array:
    clipped = g.astype(size.dtype) / size * max_norm
    return jnp.where(size < max_norm, g, clipped.astype(g.dtype))


def add_weight_decay(weight_decay: ScalarOrSchedule = 0.0, mask: Mask = None) -> Optimizer:
    """g + weight_decay·w: an ℓ2 penalty before an optimizer, decoupled decay after its scaling.

    `mask` is True at the weights that decay: a pytree of bools, a prefix of one, or a function
    of the gradients that returns it; None is all. optax calls this add_decayed_weights.
    """

    def rule(g, w, t, *, weight_decay):
        return (decayed(g, weight_decay, w),)

    return leafwise(rule, CountState, (), masks={"weight_decay": mask}, weight_decay=weight_decay)


class LookaheadParams(NamedTuple):
    """The weights that move at every step, and the slow ones that follow."""

    fast: Params
    slow: Params


class LookaheadState(NamedTuple):
    """The fast optimizer's state, steps since the weights met, and the slow weights.

    `slow` is None where the caller keeps the slow weights, in LookaheadParams.
    """

    fast_state: Any
    steps_since_sync: Array
    slow: Params | None


def lookahead(
    fast_optimizer: Optimizer,
    sync_period: Scalar,
    slow_step_size: Scalar,
    reset_state: bool = False,
) -> Optimizer:
    """k steps forward, one step back.

    Every k = `sync_period` steps of the fast optimizer,

        slow ← slow + slow_step_size·(fast - slow)
        fast ← slow

    Plain params are the fast weights, and the slow ones live in the state. As in optax, params
    may instead be the pair LookaheadParams(fast, slow) (ours or optax's), and then the updates
    are such a pair; gradients are for the fast weights, alone or in a pair.

    Args:
      fast_optimizer: an (init, update) pair, ours or optax's.
      sync_period: steps from one meeting to the next, 1 at least.
      slow_step_size: how far the slow weights go, 1 for all the way.
      reset_state: whether the fast optimizer forgets everything when the weights meet.

    Reference:
      Zhang et al., Lookahead optimizer: k steps forward, 1 step back (2019), algorithm 1.
    """
    check_number("sync_period", sync_period)
    if isinstance(sync_period, (int, float, np.generic)) and (sync_period < 1 or sync_period % 1):
        raise ValueError(
            f"sync_period must be a whole number of steps, 1 or more; got {sync_period}."
        )
    slow_step_size = check_number("slow_step_size", slow_step_size)

    def init(params):
        paired = is_pair(params)
        fast = params.fast if paired else params
        slow = None if paired else jax.tree.map(jnp.array, params)
        return LookaheadState(fast_optimizer.init(fast), jnp.zeros([], jnp.int32), slow)

    def update(grads, state, params=None):
        if params is None:
            raise ValueError(
                "params is missing, and lookahead reads it: update(grads, state, params)."
            )
        paired = is_pair(params)
        fast, slow = (params.fast, params.slow) if paired else (params, state.slow)
        grads = grads.fast if is_pair(grads) else grads
        updates, fast_state = fast_optimizer.update(grads, state.fast_state, fast)
        sync = state.steps_since_sync + 1 == jnp.asarray(sync_period).astype(jnp.int32)
        meet = functools.partial(_meet, sync, slow_step_size)
        fast_updates, slow_updates = map_leaves(meet, 2, fast, slow, updates)
        if reset_state:
            fresh = fast_optimizer.init(fast)
            fast_state = jax.tree.map(functools.partial(jnp.where, sync), fresh, fast_state)
        steps = jnp.where(sync, 0, state.steps_since_sync + 1)
        if paired:
            updates = params._replace(fast=fast_updates, slow=slow_updates)
            return updates, LookaheadState(fast_state, steps, None)
        moved = jax.tree.map(jnp.add, slow, slow_updates)
        return fast_updates, LookaheadState(fast_state, steps, moved)

    return Optimizer(init, update)


def is_pair(tree: Any) -> bool:
    """Whether the tree is a LookaheadParams, ours or optax's."""
    return hasattr(tree, "fast") and hasattr(tree, "slow")


def _meet(sync: Array, slow_step_size: Scalar, fast: Array, slow: Array, u: Array):
    """Updates of a fast and a slow leaf: (u, 0), or both to where they meet."""
    dtype = working_dtype(fast)
    size = like(slow_step_size, dtype)
    gap = fast.astype(dtype) + u.astype(dtype) - slow.astype(dtype)
    to_slow = jnp.where(sync, size * gap, 0)
    to_fast = u.astype(dtype) - jnp.where(sync, (1 - size) * gap, 0)
    return to_fast.astype(fast.dtype), to_slow.astype(slow.dtype)
