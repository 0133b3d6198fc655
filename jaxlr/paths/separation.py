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
STEPS = 200  # of Newton's, so that a search ends
LARGE = 2000  # params from which a Hessian is not made, and only multiplied with


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

    def size(self, d):
        """Of a margin's terms at most, of any class: one that d leaves alone holds rounding."""
        return (np.abs(d) @ np.abs(self.x).max(axis=0)).max()

    def apart(self, d):
        """Which margins along d are positive by more than rounding."""
        return self.of(d) > STRICT * self.size(d)

    def separated(self, d) -> bool:
        """Whether d separates."""
        return bool(np.all(self.of(d) >= -TOLERANCE * self.size(d)) and self.apart(d).any())

    def risk(self, d, shares):
        """Σ shares log(1 + Σ exp(-margin)), and the softmax p [N, C] of a row."""
        minus = np.where(self.own | self.others, -self.of(d), -np.inf)
        top = minus.max(axis=1, keepdims=True)
        p = np.exp(minus - top)
        total = p.sum(axis=1, keepdims=True)
        return shares @ (np.log(total) + top)[:, 0], p / total

    def times(self, heavy, p, d):
        """The Hessian of the risk, rows weighing `heavy`, times d."""
        z = self.x @ d.T
        p = p[:, 1:]
        return (heavy[:, None] * p * (z - (p * z).sum(axis=1, keepdims=True))).T @ self.x

    def solved(self, heavy, p, right):
        """The shortest d whose product with that Hessian is `right`."""
        shape, size = right.shape, right.size
        if size > LARGE:
            from scipy.sparse.linalg import LinearOperator, cg  # slow to import, and rarely needed

            hessian = LinearOperator(
                (size, size), lambda d: self.times(heavy, p, d.reshape(shape)).ravel()
            )
            return cg(hessian, right.ravel(), rtol=1e-6, maxiter=size)[0].reshape(shape)
        hessian = np.empty((*shape, *shape))
        for a, b in zip(*np.tril_indices(len(right)), strict=True):
            bend = heavy * p[:, a + 1] * ((a == b) - p[:, b + 1])
            hessian[a, :, b] = (bend[:, None] * self.x).T @ self.x
            hessian[b, :, a] = hessian[a, :, b].T
        values, vectors = np.linalg.eigh(hessian.reshape(size, size))
        kept = values > size * np.finfo(np.float64).eps * values[-1]
        inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
        return (vectors @ (inverse * (right.ravel() @ vectors))).reshape(shape)

    def without(self, d, zero):
        """The part of d that leaves the `zero` margins [N, C] at 0."""
        tied = self.own | zero
        p = tied / tied.sum(axis=1, keepdims=True)
        every = np.full(len(p), 1 / len(p))
        for _ in range(3):  # each takes what rounding has left of the last
            d = d - self.solved(every, p, self.times(every, p, d))
        return d


class Point(NamedTuple):
    """Where a descent of the risk is: d, its risk, the softmax there, Newton's step and its moves.

    `moved` [N, C] are the margins of the step.
    """

    d: np.ndarray
    risk: float
    p: np.ndarray
    step: np.ndarray
    moved: np.ndarray

    @property
    def balanced(self):
        """p to first order in the step: Σ shares (q - own) x is 0 for these q [N, C]."""
        return self.p * (1 - self.moved + (self.p * self.moved).sum(axis=1, keepdims=True))


def descent(margins: Margins, shares: np.ndarray) -> Iterator[Point]:
    """Newton's method on Σ shares log(1 + Σ exp(-margin)), until that falls no more."""
    d = np.zeros((margins.own.shape[1] - 1, margins.x.shape[1]))
    risk, p = margins.risk(d, shares)
    for _ in range(STEPS):
        slope = (shares[:, None] * (margins.own - p))[:, 1:].T @ margins.x
        step = margins.solved(shares, p, slope)
        yield Point(d, risk, p, step, margins.of(step))
        for halvings in range(50):
            there = d + step / 2**halvings
            value, p = margins.risk(there, shares)
            if value < risk:
                break
        else:
            return
        d, risk = there, value


def searched(margins: Margins) -> np.ndarray | None:
    """A direction [C - 1, P] of rows in a basis, if one separates.

    Far along, a step of Newton's moves margins that can grow by about 1, and others no more.
    Counts q > 0 of comparisons with Σ q margin = 0 along every d forbid a direction (Stiemke).
    """
    for point in descent(margins, np.full(len(margins.x), 1 / len(margins.x))):
        if margins.apart(point.d)[margins.others].all():
            return point.d
        grown = point.moved > 0.5
        if grown.any() and np.all(point.moved > -0.5):
            d = margins.without(point.step, margins.others & ~grown)
            if margins.separated(d):
                return d
        if np.all(point.balanced[margins.others] > 0):
            return None
    return None


def separating_direction(
    x: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_classes: int | None = None,
    guess: np.ndarray | None = None,
    fit_intercept: bool = True,
) -> np.ndarray | None:
    """A direction that separates the labels, or None where there is none.

    A class without rows answers at once, and so does a guess that separates. Else Newton's method
    on the logistic loss finds an optimum, or the direction in which there is none.
    What is returned has been checked on the data, with columns centred: for s = Σⱼ maxᵢ |xᵢⱼ| |dⱼ|
    every margin is at least -1e-12 s, and one is above 1e-9 s. Overlaps thinner than the first
    number pass for none, and gaps thinner than about 1e-7 of a feature's range may be missed.

    Args:
      x: [N, D] features, without a column of ones.
      labels: [N] 0 or 1 (a probability in between belongs to both sides); or classes 0..C-1.
      weights: [N] >= 0; rows of weight 0 are left out.
      num_classes: C, or None for labels of a single logit.
      guess: a direction to try first, such as the params of a solver that found no end.
      fit_intercept: whether there is one; without it the direction's is 0.

    Returns:
      [D + 1], or [C, D + 1] for classes; the intercept is last.
    """
    even, margins, _, rows = prepared(x, labels, weights, num_classes, fit_intercept)
    given = margins._replace(x=np.column_stack([rows - even.centre, margins.x[:, -1]]))
    for d in _candidates(even, margins, given, guess, fit_intercept):
        if given.separated(d):
            w, b = d[:, :-1], d[:, -1] - d[:, :-1] @ even.centre
            rounding = (
                8 * np.finfo(float).eps * (np.abs(d[:, -1]) + np.abs(w) @ np.abs(even.centre))
            )
            d[:, -1] = np.where(np.abs(b) > rounding, b, 0)
            return d[0] if num_classes is None else np.vstack([0 * d[:1], d])
    return None


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
    last = np.full((len(rows), 1), float(fit_intercept))
    return even, Margins(np.hstack([even.rows[rows], last]), own, ~own), shares, x[rows]


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
        shares = np.abs(d) * np.abs(given.x).max(axis=0)
        yield np.where(shares > TOLERANCE / 2 * shares.max(), d, 0)  # what rounding has left
