"""Search spaces and designs: which settings a sweep tries.

Numbers (Uniform, LogUniform, Grid) become traced arrays, a lane each, in one compiled program.
Static settings (Integers, Choices) change shapes or structure: each combination compiles once.
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Uniform(NamedTuple):
    """A number evenly spread over [low, high)."""

    low: float
    high: float


class LogUniform(NamedTuple):
    """A number whose logarithm is evenly spread over [low, high), low > 0."""

    low: float
    high: float


class Grid(NamedTuple):
    """A number out of a list."""

    values: tuple[float, ...]


class Integers(NamedTuple):
    """A static whole number from low to high, both included."""

    low: int
    high: int


class Choices(NamedTuple):
    """A static setting out of a list."""

    options: tuple[Any, ...]


Dimension = Uniform | LogUniform | Grid | Integers | Choices
Space = Mapping[str, Dimension]


class Design(NamedTuple):
    """L points of a space: hypers {name: [L] floats}, settings {name: list of L static values}."""

    hypers: dict[str, np.ndarray]
    settings: dict[str, list[Any]]

    @property
    def num_points(self) -> int:
        """L."""
        return len(next(iter((self.hypers | self.settings).values())))


def sobol(space: Space, num_points: int, seed: int = 0) -> Design:
    """A scrambled Sobol design: fills the space evenly at every prefix length.

    Reference:
      Owen, Scrambling Sobol' and Niederreiter-Xing points (1998); points from scipy.stats.qmc.
    """
    from scipy.stats import qmc  # slow to import, and only needed here

    _check(space, num_points)
    power = math.ceil(math.log2(num_points))  # the sequence is balanced at powers of two
    return at(space, qmc.Sobol(len(space), rng=seed).random_base2(power)[:num_points])


def random(space: Space, num_points: int, seed: int = 0) -> Design:
    """Independent uniform points."""
    _check(space, num_points)
    return at(space, np.random.default_rng(seed).random((num_points, len(space))))


def at(space: Space, unit: np.ndarray) -> Design:
    """The design at points of the unit cube [L, K], a column for each name of the space."""
    columns = zip(space.values(), unit.T, strict=True)
    return _design(space, [_quantile(dimension, u) for dimension, u in columns])


def grid(space: Space) -> Design:
    """Every combination of Grid, Integers and Choices, the last name varying fastest."""
    _check(space, 1)
    for name, dimension in space.items():
        if isinstance(dimension, Uniform | LogUniform):
            raise ValueError(
                f"{name} is a range, and a grid needs its values: give Grid, Integers or Choices"
            )
    points = itertools.product(*(_values(dimension) for dimension in space.values()))
    return _design(space, list(zip(*points, strict=True)))


def _quantile(dimension: Dimension, u: np.ndarray):
    match dimension:
        case Uniform(low, high):
            return low + (high - low) * u
        case LogUniform(low, high):
            return low * (high / low) ** u
    values = _values(dimension)
    return [values[i] for i in (u * len(values)).astype(int)]


def _values(dimension: Dimension) -> list:
    if isinstance(dimension, Integers):
        return list(range(dimension.low, dimension.high + 1))
    return list(dimension[0])


def _design(space: Space, columns) -> Design:
    named = list(zip(space.items(), columns, strict=True))
    static = Integers | Choices
    return Design(
        {name: np.asarray(c, np.float64) for (name, d), c in named if not isinstance(d, static)},
        {name: list(c) for (name, d), c in named if isinstance(d, static)},
    )


def _check(space: Space, num_points: int) -> None:
    if num_points < 1:
        raise ValueError(f"a design needs at least 1 configuration, and {num_points} were asked")
    if not space:
        raise ValueError("the space is empty: name at least one setting to vary")
    for name, dimension in space.items():
        if isinstance(dimension, Grid | Choices):
            if not dimension[0]:
                raise ValueError(f"{name} has no value to try: give at least one")
            continue
        low, high = dimension
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(
                f"{name} has the empty range {low} to {high}: low must not exceed high"
            )
        if isinstance(dimension, LogUniform) and low <= 0:
            raise ValueError(f"{name} is spread by its logarithm, so {low} must be above 0")
