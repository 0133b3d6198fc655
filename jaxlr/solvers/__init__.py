"""Second-order and line-search methods, each an (init, update) pair, and the driver of them all.

    solution = solvers.minimise(solvers.lbfgs(), risk, params, batch)

Every solver works from a function alone: derivatives come from autodiff, and nothing is known
of models or losses. `Status` says how a run ended; `driver` says what `tol` means.
"""

from jaxlr.solvers.bfgs import BfgsMemory, bfgs
from jaxlr.solvers.conjugate_gradients import (
    LinearSolution,
    NonlinearCgMemory,
    conjugate_gradients,
    nonlinear_cg,
)
from jaxlr.solvers.diagonal import Diagonal
from jaxlr.solvers.driver import Run, Solution, advance, minimise, start
from jaxlr.solvers.gradient_descent import (
    GradientDescentMemory,
    backtracking,
    gradient_descent,
)
from jaxlr.solvers.lbfgs import LbfgsMemory, lbfgs
from jaxlr.solvers.line_search import Search, strong_wolfe
from jaxlr.solvers.newton import newton, newton_direction
from jaxlr.solvers.newton_cg import NewtonCgMemory, newton_cg
from jaxlr.solvers.parts import Counts, Point, Solver, Step
from jaxlr.solvers.status import Status

__all__ = [
    "BfgsMemory",
    "Counts",
    "Diagonal",
    "GradientDescentMemory",
    "LbfgsMemory",
    "LinearSolution",
    "NewtonCgMemory",
    "NonlinearCgMemory",
    "Point",
    "Run",
    "Search",
    "Solution",
    "Solver",
    "Status",
    "Step",
    "advance",
    "backtracking",
    "bfgs",
    "conjugate_gradients",
    "gradient_descent",
    "lbfgs",
    "minimise",
    "newton",
    "newton_cg",
    "newton_direction",
    "nonlinear_cg",
    "start",
    "strong_wolfe",
]
