"""Separable data: a direction along which a loss without penalty falls for ever.

Labels are separable where some d gives every row margins m · d >= 0, not all of them 0: m is the
row (x, 1) times ±1, or placed at its class and, negated, at another. If all margins are > 0 the
separation is complete, otherwise quasi-complete; in both the likelihood has no finite optimum
(Albert and Anderson, On the existence of maximum likelihood estimates, 1984).
"""

import numpy as np

from jaxlr.paths.basis import basis

TOLERANCE = 1e-12  # of a margin, relative to Σ max |x| |d|: rounding of a product, generously
STRICT = 1e-9  # from here on a margin is positive, on the same scale
LOOKS, STEPS = 4, 50  # descents of the logistic loss, which answers what is easy
ROUNDS = 200  # of linear programmes, each with the rows that the last one forgot


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
    kept = np.asarray(weights) > 0
    x = np.asarray(x, np.float64)[kept]
    pairs = comparisons(np.asarray(labels)[kept], num_classes)
    x, centre = centred(x, fit_intercept)
    given = Margins(x, *pairs, fit_intercept)
    found = _class_without_rows(given) if fit_intercept else None
    if found is None and guess is not None:
        guess = np.array(guess, np.float64, ndmin=2)
        guess[:, -1] += guess[:, :-1] @ centre
        found = _checked(given, guess)
    if found is None:
        scaled, scale = evened(x, centre)
        even = basis(scaled, np.full(len(scaled), 1 / len(scaled)), fit_intercept)
        direction = searched(Margins(even.rows, *pairs, fit_intercept))
        if direction is not None:
            w = direction[:, :-1] @ even.back.T
            direction = np.column_stack([w, direction[:, -1] - w @ even.centre])
            if num_classes is not None:
                direction = direction - direction.mean(axis=0)  # what all classes share is idle
            direction = _without_dust(direction, 1) / np.append(scale, 1)
            found = _checked(given, _without_dust(direction, np.abs(given.x).max(axis=0)))
    if found is None:
        return None
    before, w = found[:, -1], found[:, :-1]
    b, rounding = before - w @ centre, np.abs(before) + np.abs(w) @ np.abs(centre)
    found[:, -1] = np.where(np.abs(b) > 8 * np.finfo(np.float64).eps * rounding, b, 0)
    return found[0] if num_classes is None else found


def centred(x: np.ndarray, fit_intercept: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """x - centre, exactly where its offset is large, and the centre: intercepts take it up."""
    centre = x.mean(axis=0) if fit_intercept else np.zeros(x.shape[1])
    return x - centre, centre


def evened(x: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred x / scale, within ±1, 0 where a column is constant; and the scale."""
    scale = np.abs(x).max(axis=0, initial=0)
    scale = np.where(scale > TOLERANCE * np.abs(centre), scale, np.inf)
    return x / scale, scale


def comparisons(labels: np.ndarray, num_classes: int | None) -> tuple[np.ndarray, ...]:
    """Every margin as (its row, the class that adds it, the class that subtracts it), and C.

    A single logit is class 0, compared with a class 1 that has no params.
    """
    if num_classes is None:
        ones, zeros = np.flatnonzero(labels > 0), np.flatnonzero(labels < 1)
        above = np.repeat([0, 1], [len(ones), len(zeros)])
        return np.concatenate([ones, zeros]), above, 1 - above, 1
    rows, below = np.nonzero(np.arange(num_classes) != labels[:, None])
    return rows, labels[rows].astype(int), below, num_classes


class Margins:
    """The vectors m, as rows of x and the classes that they stand at."""

    def __init__(self, x, rows, above, below, num_outputs, fit_intercept=True):
        self.x = np.hstack([x, np.full((len(x), 1), float(fit_intercept))])
        self.rows, self.above, self.below = rows, above, below
        self.shape = num_outputs, self.x.shape[1]

    def of(self, direction):
        """The margins m · d of d [C, P]."""
        logits = np.zeros((len(self.x), self.shape[0] + 1))
        logits[:, :-1] = self.x @ direction.T
        return logits[self.rows, self.above] - logits[self.rows, self.below]

    def apart(self, direction):
        """Which margins along d are positive by more than rounding."""
        return self.of(direction) > STRICT * self.sizes(direction)

    def sizes(self, direction):
        """Σ max |x| |d| of every margin's classes."""
        sizes = np.append(np.abs(direction) @ np.abs(self.x).max(axis=0), 0)
        return sizes[self.above] + sizes[self.below]

    def total(self, counts):
        """Σ counts · m, [C, P]."""
        sums = np.zeros((len(self.x), self.shape[0] + 1))
        np.add.at(sums, (self.rows, self.above), counts)
        np.add.at(sums, (self.rows, self.below), -counts)
        return sums[:, :-1].T @ self.x

    def squares(self, counts):
        """Σ counts · m mᵀ, [C P, C P]."""
        num_outputs, size = self.shape
        links = np.zeros((len(self.x), num_outputs + 1, num_outputs + 1))
        for a, b, sign in [("above", "above", 1), ("below", "below", 1), ("above", "below", -1)]:
            a, b = getattr(self, a), getattr(self, b)
            np.add.at(links, (self.rows, a, b), sign * counts)
            if sign < 0:
                np.add.at(links, (self.rows, b, a), sign * counts)
        out = np.empty((num_outputs, size, num_outputs, size))
        for a in range(num_outputs):
            for b in range(a + 1):
                out[a, :, b] = out[b, :, a] = (self.x * links[:, a, b, None]).T @ self.x
        return out.reshape(num_outputs * size, -1)

    def matrix(self, chosen):
        """The chosen m as rows [·, C P]."""
        num_outputs, size = self.shape
        out = np.zeros((len(chosen), num_outputs + 1, size))
        each, rows = np.arange(len(chosen)), self.x[self.rows[chosen]]
        out[each, self.above[chosen]] = rows
        out[each, self.below[chosen]] = -rows
        return out[:, :-1].reshape(len(chosen), -1)


def _checked(margins, direction):
    """The direction, if it separates."""
    allowed = -TOLERANCE * margins.sizes(direction)
    separates = np.all(margins.of(direction) >= allowed) and np.any(margins.apart(direction))
    return direction if separates else None


def _without_dust(direction, sizes):
    """The direction, 0 where only rounding has left something."""
    shares = np.abs(direction) * sizes
    return np.where(shares > TOLERANCE / 2 * shares.max(), direction, 0)


def _class_without_rows(margins):
    num_outputs = margins.shape[0]
    empty = np.setdiff1d(np.arange(max(2, num_outputs)), margins.above)
    if not len(empty):
        return None
    out = np.zeros(margins.shape)
    out[empty % num_outputs, -1] = 1 if num_outputs == 1 and empty[0] == 1 else -1
    return out


def searched(margins: Margins) -> np.ndarray | None:
    """A direction [C, P] from scaled rows, if there is one."""
    from scipy.optimize import minimize  # slow to import, and only needed here

    def loss(flat):
        values = margins.of(flat.reshape(margins.shape))
        slopes = -np.exp(-np.logaddexp(0, values)) / len(values)
        return np.mean(np.logaddexp(0, -values)), margins.total(slopes).ravel()

    flat = np.zeros(margins.shape).ravel()
    for _ in range(LOOKS):
        flat = minimize(loss, flat, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
        direction = flat.reshape(margins.shape)
        if np.all(margins.apart(direction)):
            return direction
        values = margins.of(direction)
        if _none_by(margins, np.exp(-np.logaddexp(0, values))):
            return None
    return _programme(margins, values)


def _none_by(margins, slopes) -> bool:
    """Whether slopes a > 0 prove that nothing separates: Σ a m = 0 forbids m · d >= 0 (Stiemke).

    They come near it, and a (1 - m · v) with (Σ a m mᵀ) v = Σ a m is there, if it is positive.
    """
    if margins.shape[0] * margins.shape[1] > 2000:
        return False
    total = margins.total(slopes).ravel()
    v = np.linalg.lstsq(margins.squares(slopes), total, rcond=1e-13)[0]
    slopes = slopes * (1 - margins.of(v.reshape(margins.shape)))
    left = np.abs(margins.total(slopes)).sum() / len(slopes)
    # Now Σ m · d <= 1e-9 for every separating |d| <= 1.
    return bool(slopes.min() > 0 and left <= STRICT * slopes.min())


def _programme(margins, values):
    """The optimum of the linear programme, its zero margins made zero to rounding; or None.

    Rows of small `values` are taken in first.
    """
    from scipy.optimize import linprog

    size = margins.shape[0] * margins.shape[1]
    gain = margins.total(np.full(len(values), 1 / len(values)))
    chosen = np.argsort(values)[: 4 * size]
    for _ in range(ROUNDS):
        inside = margins.matrix(chosen)
        solution = linprog(-gain.ravel(), -inside, np.zeros(len(chosen)), bounds=(-1, 1))
        if solution.x is None or -solution.fun <= STRICT:
            return None  # even with fewer rows nothing is gained
        direction = solution.x.reshape(gain.shape)
        values = margins.of(direction)
        values[chosen] = 0
        forgotten = np.flatnonzero(values < -1e-7)
        if not len(forgotten):
            return _polished(margins, direction)
        worst = forgotten[np.argsort(values[forgotten])[: 2 * size]]
        chosen = np.concatenate([chosen, worst])
    return None


def _polished(margins, direction):
    """The direction moved so that its margins of about 0 are 0."""
    zero = np.flatnonzero(np.abs(margins.of(direction)) <= 1e-7 * margins.sizes(direction))
    active = margins.matrix(zero)
    step = np.linalg.lstsq(active, active @ direction.ravel(), rcond=1e-10)[0]
    return direction - step.reshape(direction.shape)
