"""jaxlr: thousands of linear classifiers as one compiled program."""

import jaxlr.backend  # noqa: F401  (its import speaks to XLA before the first array)
from jaxlr import (
    activations,
    certificates,
    data,
    losses,
    metrics,
    models,
    optimizers,
    paths,
    results,
    solvers,
    sweeps,
    training,
)
from jaxlr.pytypes import Batch, Optimizer

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "Optimizer",
    "activations",
    "certificates",
    "data",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "paths",
    "results",
    "solvers",
    "sweeps",
    "training",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
