"""How a lane of a deterministic solve ended."""

import enum


class Status(enum.IntEnum):
    """How a lane ended.

    Attributes:
      certified: gap <= tol * risk, a proof.
      solved: decrement <= tol * risk, an estimate.
      stalled: neither, and no better point is found: float64 ends here.
      budget: there was progress to the last, and the steps ran out.
      separable: no finite optimum, and no finite intercept: a class has no row of weight (of two
        classes: all rows are of one). Its intercept is -inf (the one logit's -inf or +inf), and the
        other params are the optimum of the classes that are left. Without a penalty: labels that
        some direction separates; params hold the direction, along which the risk falls for ever.
      nan: the risk is not finite.
    """

    certified = 0
    solved = 1
    stalled = 2
    budget = 3
    separable = 4
    nan = 5
