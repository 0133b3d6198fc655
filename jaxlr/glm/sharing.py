"""What devices share in a path's programs: lanes one by one, and sums over rows in turns.

`jit`'s partitioner would do either whole on every device. The mesh is that of the context in which
`fit` runs, with both axes; without one these are what their first lines say, and nothing else is
compiled.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import AxisType, PartitionSpec

from jaxlr.pytypes import Array

LANES, EXAMPLES = AXES = ("lanes", "examples")


def pinned(tree: Any, lanes: int | None = None, rows: int | None = None) -> Any:
    """Arrays with these axes along the mesh's, where devices divide them, and no other.

    What has lanes and rows is pinned where it is made: left to itself, the partitioner finds
    shardings between the two that cost time, and in jaxlib 0.10.2 some that give wrong numbers.
    """
    shape = _shape()

    def one(leaf):
        spec = [None] * leaf.ndim
        for name, axis in ((LANES, lanes), (EXAMPLES, rows)):
            if axis is not None and axis < leaf.ndim and leaf.shape[axis] % shape.get(name, 1) == 0:
                spec[axis] = name if name in shape else None
        return jax.lax.with_sharding_constraint(leaf, PartitionSpec(*spec)) if leaf.size else leaf

    return jax.tree.map(one, tree) if shape else tree


def mapped(function: Callable, xs: Any) -> Any:
    """`jax.lax.map` over lanes; each device takes its own, if it has as many as the others."""

    def each(xs):
        return jax.lax.map(function, xs)

    if LANES not in _shape() or len(jax.tree.leaves(xs)[0]) % _shape()[LANES]:
        return each(xs)
    spec = PartitionSpec(LANES)
    # Unchecked, as below: a loop's first state would have to be marked as each device's own.
    each = jax.shard_map(each, in_specs=spec, out_specs=spec, axis_names={LANES}, check_vma=False)
    return pinned(each(pinned(xs, lanes=0)))


def summed(total: Callable, x: Array, *columns: Array) -> Any:
    """total(x [N, P], *columns [..., N]), a sum over rows: each device's own, and then one sum."""
    names = tuple(_shape())
    if not names or len(x) % math.prod(_shape().values()):
        return total(x, *columns)

    def own(x, *columns):
        return jax.lax.psum(total(x, *columns), names)

    x = pinned(x, rows=0)  # or it would be gathered for other uses
    specs = [PartitionSpec(*[None] * (part.ndim - 1), names) for part in columns]
    specs = (PartitionSpec(names), *specs)
    return jax.shard_map(own, in_specs=specs, out_specs=PartitionSpec(), check_vma=False)(
        x, *columns
    )


def by_device(function: Callable, in_specs: Any, out_specs: Any) -> Callable:
    """A function whose every device works on its own lanes and rows; it sums over rows by `total`.

    Specs are those of `jax.shard_map`, over "lanes" and "examples".
    """
    if not _shape():
        return function
    return jax.shard_map(function, in_specs=in_specs, out_specs=out_specs, check_vma=False)


def total(tree: Any) -> Any:
    """Sums over a device's rows as those over all rows."""
    return jax.lax.psum(tree, EXAMPLES) if EXAMPLES in _axes(AxisType.Manual) else tree


def _shape() -> dict[str, int]:
    """The devices along each axis that is still shared; rows first, which lanes then share out."""
    return _axes(AxisType.Auto)


def _axes(kind: AxisType) -> dict[str, int]:
    mesh = jax.sharding.get_abstract_mesh()
    kinds = dict(zip(mesh.axis_names, mesh.axis_types, strict=True))
    several = [name for name in AXES[::-1] if kinds.get(name) == kind and mesh.shape[name] > 1]
    return {name: mesh.shape[name] for name in several}
