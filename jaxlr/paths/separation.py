"""Labels that a direction separates: there a loss without penalty has an infimum and no optimum.

Logits are (0, x · d_1, ..., x · d_{C-1}); labels 0 and 1 of a single logit are two classes. A
row's margin over another class is the logit of its own less that of the other. d separates if all
margins are >= 0, and not all 0 (Albert and Anderson, On the existence of maximum likelihood
estimates, 1984).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxlr.paths.basis import basis

TOLERANCE = 1e-12  # of a margin, relative to Σ max |x| |d|: rounding of a product, generously
STRICT = 1e-9  # from here on a margin is positive, on the same scale
STEPS = 200  # of a descent: on rows all but separable, weighing 1 and 1e-6, rounding has no end
LARGE = 2000  # params from which Newton's systems are solved by products
KNOWN = 1e-7  # of the infimum: how near its bounds must be
EPS = np.finfo(np.float64).eps


class Margins(NamedTuple):
    """Rows x [N, P], their classes `own`, and the `others` each is compared with: [N, C] both.

    The last column of x is 1, or 0 where there is no intercept.
    """

    x: np.ndarray
    own: np.ndarray
    others: np.ndarray

    def of(self, d):
        """[N, C] along d [C - 1, P]; 0 where nothing is compared."""
        z = np.hstack([np.zeros((len(self.x), 1)), self.x @ d.T])
        return np.where(self.others, z[self.own][:, None] - z, 0)

    def told(self, d):
        """Which margins d makes positive by more than rounding [N, C], and whether d separates."""
        size = (np.abs(d) @ np.abs(self.x).max(axis=0)).max()  # of any class: all have its rounding
        margins = self.of(d)
        apart = margins > STRICT * size
        return apart, bool(apart.any() and margins.min() >= -TOLERANCE * size)

    def risk(self, d, shares):
        """Σ shares log(1 + Σ exp(-margin)), and the softmax p [N, C] of a row."""
        minus = np.where(self.own | self.others, -self.of(d), -np.inf)
        top = minus.max(axis=1, keepdims=True)
        p = np.exp(minus - top)
        total = p.sum(axis=1, keepdims=True)
        return shares @ (np.log(total) + top)[:, 0], p / total

    def slope(self, p, shares):
        """Minus the gradient of the risk where the softmax is p."""
        return (shares[:, None] * (self.own - p))[:, 1:].T @ self.x

    def times(self, d, p, shares):
        """The Hessian of the risk, times d."""
        z, p = self.x @ d.T, p[:, 1:]
        return (shares[:, None] * p * (z - (p * z).sum(axis=1, keepdims=True))).T @ self.x

    def solved(self, right, p, shares):
        """The shortest d whose product with that Hessian is `right`."""
        shape, size = right.shape, right.size
        if size > LARGE:
            from scipy.sparse.linalg import LinearOperator, cg  # slow to import, and rarely needed

            product = LinearOperator(
                (size, size), lambda d: self.times(d.reshape(shape), p, shares).ravel()
            )
            return cg(product, right.ravel(), rtol=1e-6, maxiter=size)[0].reshape(shape)
        hessian = np.empty((*shape, *shape))
        for a, b in zip(*np.tril_indices(len(right)), strict=True):
            bend = shares * p[:, a + 1] * ((a == b) - p[:, b + 1])
            hessian[a, :, b] = (bend[:, None] * self.x).T @ self.x
            hessian[b, :, a] = hessian[a, :, b].T
        values, vectors = np.linalg.eigh(hessian.reshape(size, size))
        kept = values > EPS * values[-1]
        inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
        return (vectors @ (inverse * (right.ravel() @ vectors))).reshape(shape)

    def without(self, d, zero):
        """The part of d that leaves the `zero` margins [N, C] at 0."""
        tied = self.own | zero
        p, every = tied / tied.sum(axis=1, keepdims=True), np.ones(len(tied))
        return d - self.solved(self.times(d, p, every), p, every)


def descent(margins: Margins, shares: np.ndarray) -> Iterator[tuple]:
    """Newton's method on the risk until that falls no more: each d, its risk, p, step, and `left`.

    To first order the step leaves p times left [N, C], with which the gradient is 0.
    """
    d = np.zeros((margins.own.shape[1] - 1, margins.x.shape[1]))
    risk, p = margins.risk(d, shares)
    for _ in range(STEPS):
        step = margins.solved(margins.slope(p, shares), p, shares)
        moved = margins.of(step)
        yield d, risk, p, step, 1 - moved + (p * moved).sum(axis=1, keepdims=True)
        for halvings in range(50):
            value, p = margins.risk(d + step / 2**halvings, shares)
            if value < risk * (1 - EPS):
                break
        else:
            return
        d, risk = d + step / 2**halvings, value


def searched(margins: Margins) -> np.ndarray | None:
    """A direction [C - 1, P] of rows in a basis, if one separates.

    Far along, Newton's steps move a margin that can grow by about 1, and others no more. Counts
    q > 0 of comparisons with Σ q margin = 0 along every d forbid a direction (Stiemke): p left.
    """
    for d, _, _, step, left in descent(margins, np.full(len(margins.x), 1 / len(margins.x))):
        moved = margins.of(step)
        if moved.min() > -0.5 and moved.max() > 0.5:
            step = margins.without(step, margins.others & (moved <= 0.5))
        for found in (d, step):
            if margins.told(found)[1]:
                return found
        if left[margins.others].min() > 0.5:
            break
    return None


def separating_direction(
    x, labels, weights, num_classes=None, guess=None, fit_intercept=True
) -> np.ndarray | None:
    """A direction that separates the labels, or None where there is none.

    x [N, D] has no column of ones; labels [N] are 0 or 1 (a probability in between belongs to both
    sides), or classes 0..C-1 of `num_classes`; rows of weight 0 are left out. Found are [D + 1], or
    [C, D + 1] for classes, the intercept last, 0 without one.
    A class without rows answers at once, and so does a guess that separates, such as the params of
    a solver that found no end. Else Newton's method on the logistic loss finds an optimum, or the
    direction in which there is none. What is returned has been checked on the data, with columns
    centred: for s = Σⱼ maxᵢ |xᵢⱼ| |dⱼ| every margin is at least -1e-12 s, and one is above 1e-9 s.
    Overlaps thinner than the first number pass for none, and gaps thinner than about 1e-7 of a
    feature's range may be missed. Of more than 2,000 params a direction that leaves some margins
    at 0 may be missed, too.
    """
    even, margins, _, rows = prepared(x, labels, weights, num_classes, fit_intercept)
    given = margins._replace(x=np.column_stack([rows - even.centre, margins.x[:, -1]]))
    for d in _candidates(even, margins, given, guess, fit_intercept):
        if given.told(d)[1]:
            terms = np.abs(d[:, -1]) + np.abs(d[:, :-1]) @ np.abs(even.centre)
            b = d[:, -1] - d[:, :-1] @ even.centre
            d[:, -1] = np.where(np.abs(b) > 8 * EPS * terms, b, 0)  # 0 is 0, not rounding
            return d[0] if num_classes is None else np.vstack([0 * d[:1], d])
    return None


def infimum(x, labels, weights, num_classes=None, fit_intercept=True) -> float:
    """The infimum of a mean logistic loss without penalty, whether params reach it or not.

    Far along a direction that separates, every comparison of classes with a positive margin costs
    nothing any more; the next direction may separate some of the others. What no direction tells
    apart has an optimum of its own, and its loss is the infimum: 0 where nothing is left. In nats,
    to seven digits: the loss of params, beside a bound of its dual; NaN where these differ.
    Arguments are those of `separating_direction`.

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


def prepared(x, labels, weights, num_classes, fit_intercept) -> tuple:
    """A basis of the rows of weight, their margins in it, what share a row has, and its x."""
    kept = np.asarray(weights) > 0
    x, labels, weights = (np.asarray(part)[kept] for part in (x, labels, weights))
    x = x.astype(np.float64)
    even = basis(x, np.full(len(x), 1 / len(x)), fit_intercept)
    between = np.flatnonzero(np.ceil(labels) > labels)  # they belong to both sides
    rows = np.append(np.arange(len(x)), between)
    side = np.append(np.floor(labels), np.ceil(labels[between]))
    shares = weights[rows] * (1 - np.abs(labels[rows] - side)) / weights.sum()
    own = side[:, None] == np.arange(num_classes or 2)
    last = np.full(len(rows), float(fit_intercept))
    return even, Margins(np.column_stack([even.rows[rows], last]), own, ~own), shares, x[rows]


def _candidates(even, margins, given, guess, fit_intercept):
    """Directions [C - 1, D + 1] on centred rows."""
    empty = ~margins.own.any(axis=0)
    if fit_intercept and empty.any():
        d = np.zeros((len(empty), given.x.shape[1]))
        d[empty, -1] = -1
        yield (d - d[0])[1:]
    if guess is not None:
        d = np.array(guess, np.float64, ndmin=2)
        d = d if len(d) < len(empty) else (d - d[0])[1:]
        d[:, -1] += d[:, :-1] @ even.centre
        yield d
    if (d := searched(margins)) is not None:
        d = np.column_stack([d[:, :-1] @ even.back.T, d[:, -1]])
        terms = np.abs(d) * np.abs(given.x).max(axis=0)
        yield np.where(terms > TOLERANCE / 2 * terms.max(), d, 0)  # what rounding has left
