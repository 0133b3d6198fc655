"""Sweeps: many runs as one compiled program."""

from jaxlr.results import Ending, Peak, Sweep
from jaxlr.sweeps.checkpoints import Checkpoints
from jaxlr.sweeps.engine import run
from jaxlr.sweeps.lanes import Lane, Lanes, cross, descent
from jaxlr.sweeps.plans import Group, Plan, groups, plan
from jaxlr.sweeps.populations import Lineage, lineage, population, replay
from jaxlr.sweeps.program import ALIVE
from jaxlr.sweeps.progress import Progress, Turnover
from jaxlr.sweeps.rates import warmup_cosine
from jaxlr.sweeps.row_halving import RowHalving, halving_rows
from jaxlr.sweeps.schedules import halving, hyperband
from jaxlr.sweeps.spaces import (
    Choices,
    Design,
    Grid,
    Integers,
    LogUniform,
    Uniform,
    at,
    grid,
    random,
    sobol,
)
from jaxlr.sweeps.stopping import Stop

__all__ = [
    "ALIVE",
    "Checkpoints",
    "Choices",
    "Design",
    "Ending",
    "Grid",
    "Group",
    "Integers",
    "Lane",
    "Lanes",
    "Lineage",
    "LogUniform",
    "Peak",
    "Plan",
    "Progress",
    "RowHalving",
    "Stop",
    "Sweep",
    "Turnover",
    "Uniform",
    "at",
    "cross",
    "descent",
    "grid",
    "groups",
    "halving",
    "halving_rows",
    "hyperband",
    "lineage",
    "plan",
    "population",
    "random",
    "replay",
    "run",
    "sobol",
    "warmup_cosine",
]
