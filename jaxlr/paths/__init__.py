"""Exact paths: every penalty, fold and target in one program, each lane with its certificate."""

from jaxlr.paths.cross_validation import cross_validate
from jaxlr.paths.grids import lambda_grid
from jaxlr.paths.keeping import keep
from jaxlr.paths.march import progress
from jaxlr.paths.path import fit
from jaxlr.results import CrossValidation, Path
from jaxlr.solvers.status import Status

__all__ = [
    "CrossValidation",
    "Path",
    "Status",
    "cross_validate",
    "fit",
    "keep",
    "lambda_grid",
    "progress",
]


def __dir__() -> list[str]:
    return __all__
