"""What devices share in a path's programs: lanes one by one, and sums over rows in turns.

`jit`'s partitioner would do either whole on every device. The mesh is that of the context in which
`fit` runs; without one these are what their first lines say, and nothing else is compiled.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec

from jaxlr.pytypes import Array

LANES, EXAMPLES = AXES = ("lanes", "examples")


def pinned(leaf: Array, lanes: int | None = None, rows: int | None = None) -> Array:
    """The array with these axes along the mesh's, where devices divide them, and no other.

    What has lanes and rows is pinned where it is made: left to itself, the partitioner finds
    shardings between the two that cost time, and in jaxlib 0.10.2 some that give wrong numbers.
    """
    shape = _shape()
    if not shape or not leaf.size:
        return leaf
    spec = [None] * leaf.ndim
    for name, axis in ((LANES, lanes), (EXAMPLES, rows)):
        if axis is not None and name in shape and leaf.shape[axis] % shape[name] == 0:
            spec[axis] = name
    return jax.lax.with_sharding_constraint(leaf, PartitionSpec(*spec))


def by_lane(tree: Any, axis: int = 0, num_rows: int | None = None) -> Any:
    """Arrays with lanes, or groups of lanes, along the axis; rows, if any, are the last axis."""

    def one(leaf):
        if leaf.ndim <= axis:
            return leaf
        has_rows = leaf.ndim > axis + 1 and leaf.shape[-1] == num_rows
        return pinned(leaf, axis, leaf.ndim - 1 if has_rows else None)

    return jax.tree.map(one, tree)


def mapped(function: Callable, xs: Any, over: tuple[str, ...] = AXES) -> Any:
    """`jax.lax.map`, where each device along the axes `over` takes its own of the xs."""
    names = tuple(name for name in _shape() if name in over)
    if not names:
        return jax.lax.map(function, xs)
    num = len(jax.tree.leaves(xs)[0])
    xs = jax.tree.map(lambda leaf: _whole(pinned(leaf), 0, names, "edge"), xs)
    spec = PartitionSpec(names)
    out = jax.shard_map(
        lambda xs: jax.lax.map(function, xs),
        in_specs=spec,
        out_specs=spec,
        axis_names={*names},
        check_vma=False,  # or what a loop starts from would have to be marked as each device's own
    )(xs)
    return jax.tree.map(lambda leaf: pinned(leaf)[:num], out)


def summed(total: Callable, x: Array, *columns: Array) -> Any:
    """total(x [N, P], *columns [..., N]), a sum over rows: each device's own, and then one sum."""
    names = tuple(_shape())
    if not names:
        return total(x, *columns)

    def own(x, *columns):
        return jax.lax.psum(total(x, *columns), names)

    x = _whole(pinned(x, rows=0), 0, names, "constant")  # or x would be gathered for other uses
    columns = [_whole(part, part.ndim - 1, names, "constant") for part in columns]
    specs = [PartitionSpec(*[None] * (part.ndim - 1), names) for part in columns]
    specs = (PartitionSpec(names), *specs)
    # Unchecked: a loop's first total, zeros, would have to be marked as each device's own.
    return jax.shard_map(own, in_specs=specs, out_specs=PartitionSpec(), check_vma=False)(
        x, *columns
    )


def by_device(function: Callable, in_specs: Any, out_specs: Any) -> Callable:
    """A function whose every device works on its own lanes and rows; it sums over rows by `total`.

    Specs are those of `jax.shard_map`, over "lanes" and "examples"; an axis that the mesh hasn't is
    no axis.
    """
    names = _shape()
    if not names:
        return function

    def known(specs):
        return jax.tree.map(
            lambda spec: PartitionSpec(*(name if name in names else None for name in spec)),
            specs,
            is_leaf=lambda leaf: isinstance(leaf, PartitionSpec),
        )

    return jax.shard_map(
        function, in_specs=known(in_specs), out_specs=known(out_specs), check_vma=False
    )


def total(tree: Any) -> Any:
    """Sums over a device's rows as those over all rows."""
    mesh = jax.sharding.get_abstract_mesh()
    kinds = dict(zip(mesh.axis_names, mesh.axis_types, strict=True))
    return jax.lax.psum(tree, EXAMPLES) if kinds.get(EXAMPLES) == AxisType.Manual else tree


def _shape() -> dict[str, int]:
    """The mesh that a program is being made for; rows first, which lanes then share out."""
    mesh = jax.sharding.get_abstract_mesh()
    kinds = dict(zip(mesh.axis_names, mesh.axis_types, strict=True))
    left = [name for name in (EXAMPLES, LANES) if kinds.get(name) == AxisType.Auto]
    return {name: mesh.shape[name] for name in left}


def _whole(leaf, axis, names, mode):
    """Lengthened to a multiple of the devices along these axes."""
    more = -leaf.shape[axis] % math.prod(_shape()[name] for name in names)
    widths = [(0, more if here == axis else 0) for here in range(leaf.ndim)]
    return jnp.pad(leaf, widths, mode=mode) if more else leaf
