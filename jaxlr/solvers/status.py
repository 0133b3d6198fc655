"""How a deterministic solve ended: one list for solvers, paths and certificates."""

import enum


class Status(enum.IntEnum):
    """How a run or a lane ended.

    Attributes:
      certified: gap <= tol * risk, a proof. A solver that knows no bound never says so.
      solved: an estimate is small enough: of a solver the gradient, of a path the decrement.
      stalled: neither, and nothing better can be found: not in the solver's direction, and not down
        the gradient; or many steps have made nothing smaller. Rounding hides the rest, or the
        function has a kink.
      budget: there was progress to the last, and the steps ran out. A function without a lower
        bound ends here too, unless its numbers overflow first (stalled).
      separable: no finite optimum, and no finite intercept: a class has no row of weight (of two
        classes: all rows are of one). Its intercept is -inf (the one logit's -inf or +inf), and the
        other params are the optimum of the classes that are left. Without a penalty: labels that
        some direction separates; params hold the direction, along which the risk falls for ever.
      nan: a value is not finite: a path's risk, or a solver's value or gradient at the start.
    """

    certified = 0
    solved = 1
    stalled = 2
    budget = 3
    separable = 4
    nan = 5
