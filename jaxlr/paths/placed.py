"""A path over a mesh of devices: rows along its axis "examples", lanes along "lanes".

Inputs are placed, and `jit`'s partitioner does the rest, but for what `sharing` does.
"""

import math
from contextlib import AbstractContextManager, nullcontext

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxlr.glm.problem import Problem
from jaxlr.glm.sharing import AXES, EXAMPLES, LANES
from jaxlr.pytypes import Array

CURE = 'make one with jax.make_mesh((2, 4), ("lanes", "examples")), or with one of the two axes'


def checked(mesh: Mesh | None) -> Mesh | None:
    """The mesh with both axes, left to `jit`'s partitioner whatever type they are of.

    Raises:
      ValueError: no mesh, or one with an axis of another name.
    """
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


def problem(given: Problem, mesh: Mesh | None) -> Problem:
    """A problem of the host's arrays on the devices, as many rows on each, and as many lanes.

    What fills rows up are copies of the last, without weight.
    """
    if mesh is None:
        return jax.device_put(given)
    num_targets, num_folds = _lengths(len(given.labels), len(given.weights), mesh)
    more = -len(given.x) % mesh.size
    weights = np.pad(_lengthened(given.weights, 0, num_folds), ((0, 0), (0, more)))
    return Problem(
        _rows(given.x, 0, mesh),
        _rows(_lengthened(given.labels, 0, num_targets), 1, mesh),
        _rows(weights, 1, mesh),
        _rows(given.x_t, 1, mesh),
        _rows(given.squares, 0, mesh),
        jax.device_put(given.largest, NamedSharding(mesh, PartitionSpec())),
    )


def _rows(leaf: np.ndarray, axis: int, mesh: Mesh) -> Array:
    """An array with N rows along its axis, each device's own on each, filled up with the last."""
    length = leaf.shape[axis] + -leaf.shape[axis] % mesh.size
    sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, EXAMPLES))
    return jax.device_put(_lengthened(leaf, axis, length), sharding)


def lanes(leaf: np.ndarray, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] with the last target or fold repeated, so that devices share the lanes evenly."""
    num_targets, num_folds = _lengths(*leaf.shape[:2], mesh)
    return _lengthened(_lengthened(leaf, 0, num_targets), 1, num_folds)


def asked_for(leaf: np.ndarray, num_targets: int, num_folds: int, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] of the lanes [m, ...], without those that `lanes` repeated."""
    shape = _lengths(num_targets, num_folds, mesh)
    return leaf.reshape(*shape, *leaf.shape[1:])[:num_targets, :num_folds]


def _lengths(num_targets: int, num_folds: int, mesh: Mesh | None) -> tuple[int, int]:
    """The fewest targets and folds that make a multiple of the devices along "lanes"."""
    devices = 1 if mesh is None else mesh.shape[LANES]
    options = []
    for targets in range(num_targets, num_targets + devices):
        step = devices // math.gcd(devices, targets)
        options.append((targets, -(-num_folds // step) * step))
    return min(options, key=math.prod)


def _lengthened(leaf: np.ndarray, axis: int, length: int) -> np.ndarray:
    """The array with its last entry along the axis repeated."""
    return leaf.take(np.arange(length), axis, mode="clip") if length > leaf.shape[axis] else leaf
