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
    """The mesh, its axes left to `jit`'s partitioner whatever type they are of.

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
    return Mesh(mesh.devices, mesh.axis_names, axis_types=(AxisType.Auto,) * mesh.devices.ndim)


def within(mesh: Mesh | None) -> AbstractContextManager:
    """The context in which programs see the mesh."""
    return nullcontext() if mesh is None else jax.set_mesh(mesh)


def problem(given: Problem, mesh: Mesh | None) -> Problem:
    """A problem of the host's arrays on the devices, as many rows on each, and as many lanes."""
    if mesh is None:
        return jax.device_put(given)
    num_targets, num_folds = _lengths(len(given.labels), len(given.weights), mesh)
    return Problem(
        _rows(given.x, 0, mesh),
        _rows(_lengthened(given.labels, 0, num_targets), 1, mesh),
        _rows(_lengthened(given.weights, 0, num_folds), 1, mesh, mode="constant"),
        _rows(given.x_t, 1, mesh),
        _rows(given.squares, 0, mesh),
        jax.device_put(given.largest, NamedSharding(mesh, PartitionSpec())),
    )


def _rows(leaf: np.ndarray, axis: int, mesh: Mesh, mode: str = "wrap") -> Array:
    """An array with N rows along its axis, each device's own on each.

    What fills up are copies of rows, or zeros where the mode is "constant".
    """
    more = -leaf.shape[axis] % mesh.size
    widths = [(0, more if here == axis else 0) for here in range(leaf.ndim)]
    names = [name for name in mesh.axis_names if name == EXAMPLES]
    spec = PartitionSpec(*[None] * axis, *names)
    return jax.device_put(np.pad(leaf, widths, mode=mode), NamedSharding(mesh, spec))


def lanes(leaf: np.ndarray, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] with the last target or fold repeated, so that devices share the lanes evenly."""
    if mesh is None:
        return leaf
    num_targets, num_folds = _lengths(*leaf.shape[:2], mesh)
    return _lengthened(_lengthened(leaf, 0, num_targets), 1, num_folds)


def asked_for(leaf: np.ndarray, num_targets: int, num_folds: int, mesh: Mesh | None) -> np.ndarray:
    """[T, F, ...] of the lanes [m, ...], without those that `lanes` repeated."""
    shape = (num_targets, num_folds) if mesh is None else _lengths(num_targets, num_folds, mesh)
    return leaf.reshape(*shape, *leaf.shape[1:])[:num_targets, :num_folds]


def _lengths(num_targets: int, num_folds: int, mesh: Mesh) -> tuple[int, int]:
    """The fewest targets and folds that make a multiple of the devices along "lanes"."""
    devices = mesh.shape.get(LANES, 1)
    options = []
    for targets in range(num_targets, num_targets + devices):
        step = devices // math.gcd(devices, targets)
        options.append((targets, -(-num_folds // step) * step))
    return min(options, key=math.prod)


def _lengthened(leaf, axis, length):
    widths = [(0, length - leaf.shape[axis] if here == axis else 0) for here in range(leaf.ndim)]
    return np.pad(leaf, widths, mode="edge")
