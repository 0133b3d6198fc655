"""A path over a mesh of devices: rows along its axis "examples", lanes along "lanes".

Inputs are placed, and `jit`'s partitioner does most of the rest; what it would do whole on every
device is shared here, lanes one by one and sums over rows in turns. The mesh is that of the context
in which `fit` runs, with both axes; without one these are what their first lines say, and nothing
else is compiled.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxlr.pytypes import Array

LANES, EXAMPLES = AXES = ("lanes", "examples")
CURE = 'make one with jax.make_mesh((2, 4), ("lanes", "examples")), or with one of the two axes'


def checked(mesh: Mesh | None) -> Mesh | None:
    """The mesh with both axes, left to `jit`'s partitioner; a ValueError for what is none."""
    if mesh is None:
        return None
    if not isinstance(mesh, Mesh):
        raise ValueError(f"mesh must be a jax.sharding.Mesh, and is {mesh!r}: {CURE}")
    if not mesh.axis_names or set(mesh.axis_names) - set(AXES):
        raise ValueError(
            f'mesh may have the axes "lanes" and "examples", and has {mesh.axis_names}: {CURE}'
        )
    names = (*mesh.axis_names, *(name for name in AXES if name not in mesh.axis_names))
    devices = mesh.devices.reshape([mesh.shape.get(name, 1) for name in names])
    return Mesh(devices, names, axis_types=(AxisType.Auto,) * len(names))


def within(mesh: Mesh | None) -> AbstractContextManager:
    """The context in which programs see the mesh."""
    return nullcontext() if mesh is None else jax.set_mesh(mesh)


def placed(problem: Any, mesh: Mesh | None) -> Any:
    """A problem of the host's arrays on the devices, as many rows on each, and as many lanes.

    What fills rows up are copies of the last, without weight.
    """
    if mesh is None:
        return jax.device_put(problem)
    num_targets, num_folds = _lengths(len(problem.labels), len(problem.weights), mesh)
    more = -len(problem.x) % mesh.size

    def rows(leaf, axis):
        sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, EXAMPLES))
        return jax.device_put(_lengthened(leaf, axis, len(problem.x) + more), sharding)

    weights = np.pad(_lengthened(problem.weights, 0, num_folds), ((0, 0), (0, more)))
    return problem._replace(
        x=rows(problem.x, 0),
        labels=rows(_lengthened(problem.labels, 0, num_targets), 1),
        weights=rows(weights, 1),
        x_t=rows(problem.x_t, 1),
        squares=rows(problem.squares, 0),
        largest=jax.device_put(problem.largest, NamedSharding(mesh, PartitionSpec())),
    )


def filled_up(leaf: np.ndarray, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] with the last target or fold repeated, so that devices share the lanes evenly."""
    num_targets, num_folds = _lengths(*leaf.shape[:2], mesh)
    return _lengthened(_lengthened(leaf, 0, num_targets), 1, num_folds)


def asked_for(leaf: np.ndarray, num_targets: int, num_folds: int, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] of the lanes [m, ...], without those that `filled_up` repeated."""
    shape = _lengths(num_targets, num_folds, mesh)
    return leaf.reshape(*shape, *leaf.shape[1:])[:num_targets, :num_folds]


def _lengths(num_targets, num_folds, mesh) -> tuple[int, int]:
    """The fewest targets and folds that make a multiple of the devices along "lanes"."""
    devices = 1 if mesh is None else mesh.shape[LANES]
    options = []
    for targets in range(num_targets, num_targets + devices):
        step = devices // math.gcd(devices, targets)
        options.append((targets, -(-num_folds // step) * step))
    return min(options, key=math.prod)


def _lengthened(leaf, axis, length) -> np.ndarray:
    """The array with its last entry along the axis repeated."""
    return leaf.take(np.arange(length), axis, mode="clip") if length > leaf.shape[axis] else leaf


def pinned(tree: Any, lanes: int | None = None, rows: int | None = None) -> Any:
    """Arrays with these axes along the mesh's, where devices divide them, and no other.

    What has lanes and rows is pinned where it is made: left to itself, the partitioner finds
    shardings between the two that cost time, and in jaxlib 0.10.2 some that give wrong numbers.
    """
    shape = _axes(AxisType.Auto)

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

    shape = _axes(AxisType.Auto)
    if LANES not in shape or len(jax.tree.leaves(xs)[0]) % shape[LANES]:
        return each(xs)
    spec = PartitionSpec(LANES)
    # Unchecked, as below: a loop's first state would have to be marked as each device's own.
    each = jax.shard_map(each, in_specs=spec, out_specs=spec, axis_names={LANES}, check_vma=False)
    return pinned(each(pinned(xs, lanes=0)))


def summed(over_rows: Callable, x: Array, *columns: Array) -> Any:
    """over_rows(x [N, P], *columns [..., N]), a sum: each device's own, and then one sum."""
    shape = _axes(AxisType.Auto)
    names = tuple(shape)
    if not names or len(x) % math.prod(shape.values()):
        return over_rows(x, *columns)

    def own(x, *columns):
        return jax.lax.psum(over_rows(x, *columns), names)

    x = pinned(x, rows=0)  # or it would be gathered for other uses
    specs = [PartitionSpec(*[None] * (part.ndim - 1), names) for part in columns]
    return by_device(own, (PartitionSpec(names), *specs), PartitionSpec())(x, *columns)


def by_device(function: Callable, in_specs: Any, out_specs: Any) -> Callable:
    """A function whose every device works on its own lanes and rows; it sums over rows by `total`.

    Specs are those of `jax.shard_map`, over "lanes" and "examples".
    """
    if not _axes(AxisType.Auto):
        return function
    return jax.shard_map(function, in_specs=in_specs, out_specs=out_specs, check_vma=False)


def total(tree: Any) -> Any:
    """Sums over a device's rows as those over all rows."""
    return jax.lax.psum(tree, EXAMPLES) if EXAMPLES in _axes(AxisType.Manual) else tree


def _axes(kind: AxisType) -> dict[str, int]:
    """The devices along each axis of a kind; Auto is still shared, rows before lanes."""
    mesh = jax.sharding.get_abstract_mesh()
    kinds = dict(zip(mesh.axis_names, mesh.axis_types, strict=True))
    several = [name for name in AXES[::-1] if kinds.get(name) == kind and mesh.shape[name] > 1]
    return {name: mesh.shape[name] for name in several}
