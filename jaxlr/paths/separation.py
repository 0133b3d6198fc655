"""Labels that a direction separates: there a loss without penalty has an infimum and no optimum.

Logits are (0, x · d_1, ..., x · d_{C-1}); labels 0 and 1 of a single logit are two classes. A
row's margin over another class is the logit of its own less that of the other. d separates if all
margins are >= 0, and not all 0 (Albert and Anderson, On the existence of maximum likelihood
estimates, 1984).
"""

from typing import NamedTuple

import numpy as np

from jaxlr.paths.basis import basis

TOLERANCE = 1e-12  # of a margin, relative to Σ max |x| |d|: rounding of a product, generously
STRICT = 1e-9  # from here on a margin is positive, on the same scale
STEPS = 200  # of a descent of the logistic loss, which answers what is easy; and of a proof's
LEAST = 1e-5  # what is added to slopes, so that none is too small for a proof
ROUNDS = 200  # of linear programmes, each with the margins that the last one forgot


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

    def total(self, counts):
        """Σ counts · ∂margin/∂d: [C - 1, P]."""
        counts = np.where(self.others, counts, 0)
        return (self.own * counts.sum(axis=1, keepdims=True) - counts)[:, 1:].T @ self.x

    def size(self, d):
        """Of a margin's terms at most, of any class: one that d leaves alone holds rounding."""
        return (np.abs(d) @ np.abs(self.x).max(axis=0)).max()

    def apart(self, d):
        """Which margins along d are positive by more than rounding."""
        return self.of(d) > STRICT * self.size(d)

    def separated(self, d) -> bool:
        """Whether d separates."""
        return bool(np.all(self.of(d) >= -TOLERANCE * self.size(d)) and self.apart(d).any())

    def matrix(self, chosen):
        """The chosen of the flat margins as rows [·, (C - 1) P]."""
        rows, others = np.divmod(chosen, self.own.shape[1])
        signs = self.own[rows].astype(float)
        signs[np.arange(len(rows)), others] = -1
        return np.einsum("mc,mp->mcp", signs[:, 1:], self.x[rows]).reshape(len(rows), -1)

    def risk(self, d, shares):
        """Σ shares log(1 + Σ exp(-margin)), its gradient, and the softmax p [N, C] of a row."""
        from scipy.special import logsumexp  # slow to import, and only needed here

        minus = np.where(self.own | self.others, -self.of(d), -np.inf)
        losses = logsumexp(minus, axis=1)
        p = np.exp(minus - losses[:, None])
        return shares @ losses, -self.total(shares[:, None] * p), p

    def hessian(self, d, shares):
        """Of the risk: [(C - 1) P, (C - 1) P]."""
        p = self.risk(d, shares)[2][:, 1:]
        bend = shares[:, None, None] * p[:, None] * (np.eye(len(d)) - p[:, :, None])
        out = np.einsum("nab,np,nq->apbq", bend, self.x, self.x, optimize=True)
        return out.reshape(d.size, d.size)

    def lowest(self, shares, d, method, **options):
        """d where a method of SciPy's ends from it."""
        from scipy.optimize import minimize

        def risk(flat):
            value, slope, _ = self.risk(flat.reshape(d.shape), shares)
            return value, slope.ravel()

        def hess(flat):
            return self.hessian(flat.reshape(d.shape), shares)

        hess = hess if method == "trust-exact" else None
        found = minimize(risk, d.ravel(), jac=True, hess=hess, method=method, options=options)
        return found.x.reshape(d.shape)

    def balanced(self, counts):
        """Counts near those given, for which Σ counts · margin is 0 along any d."""
        from scipy.sparse.linalg import LinearOperator, lsqr

        root = np.sqrt(np.where(self.others, counts, 0))
        shape = self.own.shape[1] - 1, self.x.shape[1]
        operator = LinearOperator(
            (root.size, shape[0] * shape[1]),
            matvec=lambda d: (root * self.of(d.reshape(shape))).ravel(),
            rmatvec=lambda u: self.total(root * u.reshape(root.shape)).ravel(),
            dtype=np.float64,
        )
        d = lsqr(operator, root.ravel(), atol=0, btol=0, conlim=0, iter_lim=STEPS)[0]
        return counts * (1 - self.of(d.reshape(shape)))


def separating_direction(
    x: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_classes: int | None = None,
    guess: np.ndarray | None = None,
    fit_intercept: bool = True,
) -> np.ndarray | None:
    """A direction that separates the labels, or None where there is none.

    The cheapest answer comes first: a class without rows; the guess; a short descent of the
    logistic loss, whose params may separate, or whose slopes may prove that nothing does. What is
    left is for the linear programme

        maximise Σᵢ mᵢ · d   subject to   mᵢ · d >= 0,   |d| <= 1

    whose optimum is 0 exactly where nothing separates, solved with few of its rows at a time.
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

    Reference:
      Konis, Linear programming algorithms for detecting separated data in binary logistic
      regression models (2007), chapter 4.
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


def searched(margins: Margins) -> np.ndarray | None:
    """A direction [C - 1, P] of rows in a basis, if one separates."""
    shares = np.full(len(margins.x), 1 / len(margins.x))
    d = np.zeros((margins.own.shape[1] - 1, margins.x.shape[1]))
    d = margins.lowest(shares, d, "L-BFGS-B", maxiter=STEPS)
    if margins.apart(d)[margins.others].all():
        return d
    if _none_by(margins, margins.risk(d, shares)[2] + LEAST):
        return None
    return _programme(margins, margins.of(d))


def _none_by(margins, counts) -> bool:
    """Whether counts a > 0 prove that nothing separates: Σ a m = 0 forbids m · d >= 0 (Stiemke)."""
    counts = margins.balanced(counts)
    least = counts[margins.others].min()
    left = np.abs(margins.total(counts)).sum() / margins.others.sum()
    return bool(least > 0 and left <= STRICT * least)  # Σ m · d <= 1e-9 where |d| <= 1


def _programme(margins, values):
    """The optimum of the linear programme, its zero margins made zero to rounding; or None.

    Rows of small `values` are taken in first.
    """
    from scipy.optimize import linprog

    gain = margins.total(np.full(values.shape, 1 / margins.others.sum()))
    order = np.argsort(np.where(margins.others, values, np.inf), axis=None)
    chosen = order[: min(4 * gain.size, margins.others.sum())]
    for _ in range(ROUNDS):
        inside = margins.matrix(chosen)
        solution = linprog(-gain.ravel(), -inside, np.zeros(len(chosen)), bounds=(-1, 1))
        if solution.x is None or -solution.fun <= STRICT:
            return None  # even with fewer rows nothing is gained
        d = solution.x.reshape(gain.shape)
        values = margins.of(d).ravel()
        values[chosen] = 0
        worst = np.argsort(values)[: 2 * gain.size]
        worst = worst[values[worst] < -1e-7]
        if not len(worst):
            return _polished(margins, d)
        chosen = np.append(chosen, worst)
    return None


def _polished(margins, d):
    """The direction moved so that its margins of about 0 are 0."""
    zero = margins.others & (np.abs(margins.of(d)) <= 1e-7 * margins.size(d))
    active = margins.matrix(np.flatnonzero(zero))
    step = np.linalg.lstsq(active, active @ d.ravel(), rcond=1e-10)[0]
    return d - step.reshape(d.shape)
