"""jaxlr: thousands of linear classifiers as one compiled program."""

from jaxlr import activations, data, losses, metrics, models, optimizers, sweeps, training
from jaxlr.pytypes import Batch, Optimizer

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "Optimizer",
    "activations",
    "data",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "sweeps",
    "training",
]
