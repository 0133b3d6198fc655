"""A4. How sure a fit may be of its weights."""


def standard_errors(x, probability):
    """The standard error [D] of every weight of a logistic regression at its optimum.

    The information is the sum of p (1 - p) x xᵀ over the rows; the errors are the square roots of
    the diagonal of its inverse.

    Args:
      x: [N, D] features, a column of ones among them for the intercept.
      probability: [N] what the fitted model gives class 1.
    """
    raise NotImplementedError("your turn")
