"""What a risk without penalty tends to where no params reach it, because labels are separable."""

import numpy as np

from jaxlr.paths.basis import basis
from jaxlr.paths.separation import Margins, centred, comparisons, evened, searched

STEPS = 10_000  # of L-BFGS
NEWTON = 100  # steps after that, where
SMALL = 500  # params or fewer leave a Hessian of ordinary size
KNOWN = 1e-7  # of the infimum: what Newton's next step may still gain


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
      Nats, to about seven digits: an estimate, as no bound goes with it. NaN where even that is
      not to be had.

    Reference:
      Geyer, Likelihood inference in exponential families and directions of recession (2009).
    """
    from scipy.optimize import minimize  # slow to import, and only needed here

    kept = np.asarray(weights) > 0
    x, labels, weights = (np.asarray(part)[kept] for part in (x, labels, weights))
    scaled = evened(*centred(x.astype(np.float64), fit_intercept))[0]
    # Collinear columns would cost steps, and digits.
    scaled = basis(scaled, weights / weights.sum(), fit_intercept).rows
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

    def looked(flat):
        """Σ s log(1 + Σ exp(-m)) over the comparisons of a row with its class, and their shares."""
        values = -margins.of(flat.reshape(margins.shape))
        top = np.zeros(len(first))
        np.maximum.at(top, term, values)
        powers = np.exp(values - top[term])
        sums = np.exp(-top) + np.bincount(term, powers)
        return shares[first] @ (top + np.log(sums)), powers / sums[term]

    def risk(flat):
        value, p = looked(flat)
        return value, margins.total(-shares * p).ravel()

    def curved(p, v):
        along = margins.of(v.reshape(margins.shape))
        mean = np.bincount(term, p * along)
        return margins.total(shares * p * (along - mean[term])).ravel()

    def newton(flat):
        """After a few of Newton's steps: the risk, and what the next one would gain."""
        for _ in range(NEWTON):
            value, p = looked(flat)
            slope = margins.total(-shares * p).ravel()
            hessian = np.stack([curved(p, unit) for unit in np.eye(len(flat))])
            step = -np.linalg.lstsq(hessian, slope, rcond=1e-13)[0]
            gain, length = -slope @ step / 2, 1.0
            while length > 1e-9 and not risk(flat + length * step)[0] < value:
                length /= 4
            if not gain > KNOWN / 10 * value or length <= 1e-9:
                break
            flat = flat + length * step
        return value, gain

    options = {"maxiter": STEPS, "ftol": 1e-15, "gtol": 1e-12}
    start = np.zeros(margins.shape).ravel()
    best = minimize(risk, start, jac=True, method="L-BFGS-B", options=options)
    if len(start) > SMALL:
        return float(best.fun / weights.sum())
    value, gain = newton(best.x)
    return float(value / weights.sum()) if gain <= KNOWN * value else np.nan
