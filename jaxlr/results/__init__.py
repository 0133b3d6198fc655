"""What paths and sweeps return: named axes, a table, predictions, one file to keep them in."""

from jaxlr.results.cross_validation import CrossValidation
from jaxlr.results.files import load
from jaxlr.results.path import Path
from jaxlr.results.sweep import Ending, Peak, Sweep

__all__ = ["CrossValidation", "Ending", "Path", "Peak", "Sweep", "load"]


def __dir__() -> list[str]:
    return __all__
