"""Sweeps: many runs as one compiled program."""

from jaxlr.results import Sweep
from jaxlr.sweeps.engine import ALIVE, Progress, run
from jaxlr.sweeps.lanes import Lane, Lanes, cross, descent
from jaxlr.sweeps.plan import Group, groups
from jaxlr.sweeps.spaces import (
    Choices,
    Design,
    Grid,
    Integers,
    LogUniform,
    Uniform,
    grid,
    random,
    sobol,
)

__all__ = [
    "ALIVE",
    "Choices",
    "Design",
    "Grid",
    "Group",
    "Integers",
    "Lane",
    "Lanes",
    "LogUniform",
    "Progress",
    "Sweep",
    "Uniform",
    "cross",
    "descent",
    "grid",
    "groups",
    "random",
    "run",
    "sobol",
]
