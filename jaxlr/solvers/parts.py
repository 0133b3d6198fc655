"""The words that every solver shares: a point, what a step cost, and the (init, update) pair."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxlr.pytypes import Array

Objective = Callable[[Array], Array]  # x [D] -> []


class Point(NamedTuple):
    """Where a solver stands, and what the objective is there: params [D], value [], grad [D]."""

    params: Array
    value: Array
    grad: Array


class Counts(NamedTuple):
    """Evaluations so far: of the value, of the gradient, of a Hessian times a vector.

    A whole Hessian counts as D products.
    """

    values: Array
    gradients: Array
    hessian_products: Array


class Step(NamedTuple):
    """What an update returns.

    `failed` says that no better point was found along the direction; then `point` is where the
    step began, and `memory` makes the next attempt a fresh one, down the gradient.
    """

    point: Point
    memory: Any
    counts: Counts
    failed: Array


class Solver(NamedTuple):
    """A method as two pure functions on flat vectors; `minimise` brings any pytree to them.

    `init(point) -> memory`; `update(objective, point, memory) -> Step`.
    """

    init: Callable[[Point], Any]
    update: Callable[[Objective, Point, Any], Step]


def look(objective: Objective, params: Array) -> Point:
    """Value and gradient at params [D], in the dtype of params."""
    value, grad = jax.value_and_grad(objective)(params)
    return Point(params, value.astype(params.dtype), grad)


def looks(number: Array, hessian_products: Array | int = 0) -> Counts:
    """Counts of `number` values and as many gradients."""
    number = jnp.asarray(number, jnp.int32)
    return Counts(number, number, jnp.asarray(hessian_products, jnp.int32))


def is_finite(point: Point) -> Array:
    """Whether the value and every derivative are finite."""
    return jnp.isfinite(point.value) & jnp.all(jnp.isfinite(point.grad))


def size(x: Array) -> Array:
    """max |xᵢ|."""
    return jnp.max(jnp.abs(x))


def downhill(direction: Array, grad: Array) -> Array:
    """The direction, or -grad where the direction is not finite or leads up."""
    slope = jnp.vdot(direction, grad)
    return jnp.where(jnp.isfinite(slope) & (slope < 0), direction, -grad)


def cautious_step(grad: Array) -> Array:
    """The first step along -grad of one who knows no curvature: min(1, 1 / Σ|gᵢ|)."""
    return 1 / jnp.maximum(1, jnp.sum(jnp.abs(grad)))


def choose(condition: Array, yes: Any, no: Any) -> Any:
    """`yes` where the scalar condition holds and `no` elsewhere, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
