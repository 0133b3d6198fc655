"""Arrays made ready: batches from any container, standardised columns, splits, folds, orders."""

from jaxlr.data.absent import Present, not_finite, present, stand_ins
from jaxlr.data.containers import as_array, as_arrays, as_batch, at_least_float32
from jaxlr.data.rows import epochs, folds, split
from jaxlr.data.scaling import Moments, moments, standardise

__all__ = [
    "Moments",
    "Present",
    "as_array",
    "as_arrays",
    "as_batch",
    "at_least_float32",
    "epochs",
    "folds",
    "moments",
    "not_finite",
    "present",
    "split",
    "stand_ins",
    "standardise",
]
