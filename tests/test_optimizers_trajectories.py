"""Every optimizer takes optax's steps: 200 of them, on trees, with fixed and scheduled rates."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jaxlr import optimizers
from tests.test_optimizers import TABLE, example, in_plain_but, in_table, oracle

NUM_STEPS = 200
# Ulps of the largest step that the coordinate has taken so far: where the terms of a step cancel,
# the rounding that is left is that of the terms. 3 were seen; the formulas are the same, but the
# compiler chooses where to fuse a product with a sum.
ULPS = 6


def schedule(count):
    return 0.1 / (1.0 + 0.05 * count.astype(jnp.float32))


def walk(optimizer, params, grads):
    """Updates [T, ...] along a stream of gradients."""

    def step(carry, g):
        params, state = carry
        updates, state = optimizer.update(g, state, params)
        params = jax.tree.map(lambda p, u: p + u, params, updates)
        return (params, state), updates

    return jax.lax.scan(step, (params, optimizer.init(params)), grads)[1]


def stream(seed, params):
    """Gradients [T, ...] whose size wanders over three decades, and is 0 now and then."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-2, 1, NUM_STEPS) * (rng.uniform(size=NUM_STEPS) > 0.05)

    def draws(leaf):
        normal = rng.normal(size=(*leaf.shape, NUM_STEPS)) * size
        return jnp.asarray(np.moveaxis(normal, -1, 0), leaf.dtype)

    return jax.tree.map(draws, params)


@functools.cache
def problem():
    """Params and a stream of gradients.

    In the float64 pass the matrix is float64, beside a float32 scalar.
    """
    params = example(5)
    params["n"][0] = params["n"][0].astype(float)
    return params, stream(6, params)


def ulps(ours, theirs):
    """The largest distance in one leaf, [T, ...], as ULPS counts it."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    scale = np.maximum.accumulate(np.abs(theirs), axis=0)
    assert np.all(np.isfinite(ours))
    # A coordinate that has not moved yet must not move.
    distance = np.abs(ours - theirs) / np.where(scale == 0, np.inf, np.spacing(scale))
    assert np.all(ours[scale == 0] == 0)
    return np.max(distance, initial=0)


@functools.cache
def walk_of_ours(name):
    """Updates of the row called `name`, its numbers Python floats."""
    case = {str(case): case for case in TABLE}[name]
    return jax.jit(functools.partial(walk, case.make(optimizers)))(*problem())


def check(ours, optimizer, params, grads):
    with jax.numpy_dtype_promotion("standard"):
        theirs = jax.jit(functools.partial(walk, optimizer))(params, grads)
    chex.assert_trees_all_equal_shapes_and_dtypes(ours, theirs)
    worst = jax.tree.map(ulps, ours, theirs)
    assert max(jax.tree.leaves(worst)) <= ULPS, worst
    assert all(np.any(u != 0) for u in jax.tree.leaves(ours) if u.size)


@in_table
def test_fixed_rate(case):
    check(walk_of_ours(str(case)), oracle(case), *problem())


@in_plain_but("rprop")  # its learning rate is a start, not a schedule
def test_scheduled_rate(case):
    params, grads = (tree["n"][0] for tree in problem())
    ours = jax.jit(functools.partial(walk, case.make(optimizers, schedule)))(params, grads)
    check(ours, oracle(case, schedule), params, grads)


SHAPES = [(), (3,), (2, 3), (0,)]


def trees(leaf):
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.tuples(inner, inner),
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.none(),
        ),
        max_leaves=5,
    )


@given(
    shapes=st.tuples(trees(st.sampled_from([np.zeros(shape) for shape in SHAPES]))),
    case=st.sampled_from([c for c in TABLE if not callable(c.flags.get("mask"))]),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_trees(shapes, case, seed):
    if isinstance(case.flags.get("mask"), dict):
        case = case._replace(flags={"mask": True})
    leaves, structure = jax.tree.flatten(shapes)
    random = np.random.default_rng(seed)
    params, first, second = (
        structure.unflatten([jnp.asarray(random.normal(size=x.shape), jnp.float32) for x in leaves])
        for _ in range(3)
    )
    ours, theirs = case.make(optimizers), oracle(case)
    with jax.numpy_dtype_promotion("standard"):
        states = [ours.init(params), theirs.init(params)]
        for grads in (first, second):
            (mine, states[0]), (yours, states[1]) = (
                optimizer.update(grads, state, params)
                for optimizer, state in zip((ours, theirs), states, strict=True)
            )
    chex.assert_trees_all_equal_structs(mine, yours)
    # Steps are about 0.01, and their terms may cancel: atol is some 100 ulps of such a step.
    chex.assert_trees_all_close(mine, yours, rtol=1e-5, atol=1e-7)
