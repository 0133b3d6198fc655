"""What a risk without penalty tends to where no params reach it, because labels are separable."""

import numpy as np

from jaxlr.paths.separation import Margins, centred, comparisons, evened, searched

STEPS = 10_000  # of L-BFGS


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
      x: [N, D].
      labels: [N]; they, num_classes and fit_intercept are those of `separating_direction`.
      weights: [N] >= 0; they need not sum to 1.
      num_classes: see labels.
      fit_intercept: see labels.

    Returns:
      Nats, to about nine digits: an estimate, as no bound goes with it.

    Reference:
      Geyer, Likelihood inference in exponential families and directions of recession (2009).
    """
    from scipy.optimize import minimize  # slow to import, and only needed here

    kept = np.asarray(weights) > 0
    x, labels, weights = (np.asarray(part)[kept] for part in (x, labels, weights))
    scaled = evened(*centred(x.astype(np.float64), fit_intercept))[0]
    rows, above, below, num_outputs = comparisons(labels, num_classes)

    def comparing(left):
        return Margins(scaled, rows[left], above[left], below[left], num_outputs, fit_intercept)

    left = np.arange(len(rows))
    margins = comparing(left)
    while (direction := searched(margins)) is not None:
        tied = ~margins.apart(direction)
        if tied.all():
            break
        left = left[tied]
        if not len(left):
            return 0.0
        margins = comparing(left)
    shares = weights[rows[left]]
    if num_classes is None:  # a label in between is both, in its shares
        shares = shares * np.where(above[left] == 0, labels[rows[left]], 1 - labels[rows[left]])
    _, first, term = np.unique(
        rows[left] * (num_outputs + 1) + above[left], return_index=True, return_inverse=True
    )

    def risk(flat):
        """Σ s log(1 + Σ exp(-m)) over the comparisons of a row with its class, and slopes."""
        values = -margins.of(flat.reshape(margins.shape))
        top = np.zeros(len(first))
        np.maximum.at(top, term, values)
        powers = np.exp(values - top[term])
        sums = np.exp(-top) + np.bincount(term, powers)
        slopes = margins.total(-shares * powers / sums[term])
        return shares[first] @ (top + np.log(sums)), slopes.ravel()

    options = {"maxiter": STEPS, "ftol": 1e-15, "gtol": 1e-12}
    start = np.zeros(margins.shape).ravel()
    best = minimize(risk, start, jac=True, method="L-BFGS-B", options=options)
    return float(best.fun / weights.sum())
