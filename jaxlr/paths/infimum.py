"""What a risk without penalty tends to where no params reach it, because labels are separable."""

import numpy as np

from jaxlr.paths.separation import Margins, prepared, searched

STEPS = 10_000  # of L-BFGS
NEWTON = 100  # steps after that, where
SMALL = 500  # params or fewer leave a Hessian of ordinary size
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
      x: [N, D].
      labels: [N]; they, num_classes and fit_intercept are those of `separating_direction`.
      weights: [N] >= 0; they need not sum to 1.
      num_classes: see labels.
      fit_intercept: see labels.

    Returns:
      Nats, to seven digits: the loss of params, beside a bound of its dual. NaN where these differ.

    Reference:
      Geyer, Likelihood inference in exponential families and directions of recession (2009).
    """
    from scipy.special import entr  # slow to import, and only needed here

    _, margins, shares, _ = prepared(x, labels, weights, num_classes, fit_intercept)
    while (d := searched(margins)) is not None and (apart := margins.apart(d)).any():
        others = margins.others & ~apart
        left = others.any(axis=1)
        if not left.any():
            return 0.0
        margins, shares = Margins(margins.x[left], margins.own[left], others[left]), shares[left]
    d = np.zeros((margins.own.shape[1] - 1, margins.x.shape[1]))
    d = margins.lowest(shares, d, "L-BFGS-B", maxiter=STEPS, ftol=1e-15, gtol=1e-12)
    if d.size <= SMALL:
        d = margins.lowest(
            shares, d, "trust-exact", maxiter=NEWTON, gtol=1e-15, max_trust_radius=1e15
        )
    value, _, p = margins.risk(d, shares)
    q = margins.balanced(shares[:, None] * p) / shares[:, None]
    q = np.clip(np.where(margins.others, q, 0), 0, 1)  # what rounding has left below 0
    entropy = shares @ (entr(q).sum(axis=1) + entr(np.maximum(1 - q.sum(axis=1), 0)))
    bound = entropy - np.vdot(margins.total(shares[:, None] * q), d)
    return float(value) if value - bound <= KNOWN * value else np.nan
