"""What a risk without penalty tends to where no params reach it, because labels are separable."""

import numpy as np

from jaxlr.paths.separation import Margins, descent, prepared, searched

KNOWN = 1e-7  # of the infimum: how near its bounds must be


def infimum(
    x: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_classes: int | None = None,
    fit_intercept: bool = True,
) -> float:
    """The infimum of a mean logistic loss without penalty, whether params reach it or not.

    Far along a direction that separates, every comparison of classes with a positive margin costs
    nothing any more; the next direction may separate some of the others. What no direction tells
    apart has an optimum of its own, and its loss is the infimum: 0 where nothing is left.

    Args:
      x: [N, D]; all arguments are as in `separating_direction`.
      labels: [N].
      weights: [N] >= 0; they need not sum to 1.
      num_classes: C or None.
      fit_intercept: whether there is one.

    Returns:
      Nats, to seven digits: the loss of params, beside a bound of its dual. NaN where these differ.

    Reference:
      Geyer, Likelihood inference in exponential families and directions of recession (2009).
    """
    _, margins, shares, _ = prepared(x, labels, weights, num_classes, fit_intercept)
    while (d := searched(margins)) is not None:
        others = margins.others & ~margins.told(d)[0]
        left = others.any(axis=1)
        if not left.any():
            return 0.0
        margins, shares = Margins(margins.x[left], margins.own[left], others[left]), shares[left]
    *_, (d, risk, p, _, left) = descent(margins, shares)
    q = p * np.maximum(left, 0)
    q = q / q.sum(axis=1, keepdims=True)
    entropy = -shares @ (q * np.log(np.where(q > 0, q, 1))).sum(axis=1)
    bound = entropy - (np.abs(margins.slope(q, shares)) * (1 + np.abs(d))).sum()
    return float(risk) if risk - bound <= KNOWN * risk else np.nan
