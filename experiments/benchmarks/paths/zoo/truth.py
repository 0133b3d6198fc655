"""What the zoo's answers are worth: a witness in numpy's extended precision, without jax.

Every lane's optimum by Newton's method on the whole Hessian, from the stronger penalty's optimum:
directions in float64, values and gradients in long doubles, columns centred there too. An l1 part
by the barrier of `truth`; without a penalty by the columns' orthogonal basis. Too large for that:
`newton_cg`. An answer is then judged by its objective in long doubles.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize

from experiments.benchmarks.paths import newton_cg
from experiments.benchmarks.paths.zoo_problems import Case

LONG = np.longdouble
MAX_DENSE = 2500  # parameters of a Hessian that is factored
MAX_STEPS = 500
BARRIER = 1e-11  # of the objective: how close a barrier comes to the optimum of an l1 path
EPS = np.finfo(np.float64).eps


class Truth(NamedTuple):
    """Of every lane [F, K]: the infimum, how far above it that may be, and whether it is reached.

    It is not reached where a class has no weight, or, without a penalty, where a direction
    separates the classes.
    """

    risk: np.ndarray
    slack: np.ndarray
    attained: np.ndarray


class Rows(NamedTuple):
    """Rows with a last column of ones [n, P], targets [n, C], shares [n]; of one precision."""

    x: np.ndarray
    y: np.ndarray
    s: np.ndarray


def optimum(case: Case, file: Path) -> Truth:
    """The truth of a problem: from its file, or found and put there."""
    if not file.exists():
        found = [list(_path(case, fold, file)) for fold in case.folds]
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array(found, float))
    return Truth(*np.moveaxis(np.load(file), -1, 0))


def targets(case: Case) -> np.ndarray:
    """[N, 1] of one logit, or one-hot [N, C]."""
    one_logit = case.num_classes == 2
    return case.labels[:, None] * 1.0 if one_logit else np.eye(case.num_classes)[case.labels]


def losses(z, y):
    """Of every row [n], of logits [n, C]; C = 1 is the logit of the one class of two."""
    if z.shape[1] == 1:
        return np.logaddexp(0, z[:, 0]) - y[:, 0] * z[:, 0]
    top = z.max(axis=1, keepdims=True)
    # The label's own logit taken off first: a loss far below 1 keeps its digits.
    rest = z - (z * y).sum(axis=1, keepdims=True)
    top = rest.max(axis=1)
    return np.log(np.exp(rest - top[:, None]).sum(axis=1)) + top


def probabilities(z):
    """Of logits [n, C]."""
    if z.shape[1] == 1:
        return 0.5 + 0.5 * np.tanh(z / 2)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def risk(case: Case, fold: np.ndarray, k: int, w: np.ndarray, b: np.ndarray) -> LONG:
    """J in long doubles of params w [D, C], b [C], block of rows by block."""
    s = case.weights.astype(LONG) * fold
    s, total, y = s / s.sum(), LONG(0), targets(case)
    for rows in np.array_split(np.flatnonzero(s), max(len(s) * w.size // 2**24, 1)):
        z = case.x[rows].astype(LONG) @ w.astype(LONG) + b.astype(LONG)
        total += s[rows] @ losses(z, y[rows])
    return total + case.lambdas[k] * penalty(w.astype(LONG), case.l1_ratio)


def penalty(w, l1_ratio):
    """What λ multiplies."""
    return (1 - l1_ratio) / 2 * (w**2).sum() + l1_ratio * np.abs(w).sum()


def _path(case, fold, file) -> Iterator[tuple[LONG, LONG, bool]]:
    """(infimum, slack, attained) of every penalty of one fold, from strong to weak."""
    used = np.flatnonzero(case.weights * fold)
    y = targets(case)[used]
    present = y.any(axis=0)
    if y.shape[1] == 1:
        present = np.array([(y > 0).any() and (y < 1).any()])
    if present.sum() <= (y.shape[1] > 1):
        yield from [(LONG(0), LONG(0), False)] * len(case.lambdas)
        return
    x = case.x[used].astype(LONG)
    rows = Rows(_with_ones(x - x.mean(axis=0)), y[:, present].astype(LONG), _shares(case, used))
    if case.l1_ratio == 0 and len(used) < case.x.shape[1]:  # the optimum lies in the rows' span
        basis = np.linalg.qr(rows.x[:, :-1].astype(float).T)[0]
        rows = rows._replace(x=_with_ones(rows.x[:, :-1] @ basis.astype(LONG)))
    size = rows.x.shape[1] * rows.y.shape[1]
    if size > MAX_DENSE:
        yield from _large(case, rows, fold, file)
        return
    theta = np.zeros((rows.x.shape[1], rows.y.shape[1]), LONG)
    for lam in case.lambdas:
        if lam == 0:
            yield (*_unpenalised(rows), not separable(rows))
        elif case.l1_ratio == 0:
            theta, value, left = _newton(rows, _ridge(lam), theta)
            yield value, left, present.all()
        else:
            theta, value, left = _barrier(rows, lam, case.l1_ratio, theta)
            yield value, left, present.all()


def _with_ones(x):
    return np.concatenate([x, np.ones((len(x), 1), LONG)], axis=1)


def _shares(case, used):
    s = case.weights[used].astype(LONG)
    return s / s.sum()


def _large(case, rows, fold, file):
    """By Newton-CG in float64: of equal weights and whole labels alone."""
    labels = case.labels[fold > 0]
    found = newton_cg.path(
        rows.x.astype(float), labels, case.lambdas, file.with_suffix(".part.npz")
    )
    return ((value, left * value, True) for value, left in found)


def _ridge(lam):
    """Value, slope and curvature of the penalty, elementwise on weights."""
    return lambda w: (lam / 2 * w**2, lam * w, np.full_like(w, lam))


def _smoothed(lam, a, t):
    """The elastic net with t's barrier: |w| as seen by the best u of -t log(u² - w²)."""
    c = LONG(t) / (lam * a)

    def penalty(w):
        s = np.sqrt(c**2 + w**2)
        u = c + s
        value = lam * (1 - a) / 2 * w**2 + lam * a * u - t * np.log(2 * c * u)
        return value, lam * (1 - a) * w + lam * a * w / u, lam * (1 - a) + lam * a * c / (s * u)

    return penalty


def _barrier(rows, lam, a, theta):
    """Params, J and a bound on what is left, of an elastic net: 2 t for every weight."""
    size, t = theta.size, LONG(1e-2)
    while True:
        theta, _, left = _newton(rows, _smoothed(lam, a, t), theta, enough=size * t / 10)
        value = rows.s @ losses(rows.x @ theta, rows.y) + lam * penalty(theta[:-1], a)
        if 2 * size * t + left <= BARRIER * value:
            return theta, value, 2 * size * t + left
        t /= 10


def _newton(rows, penalised, theta, enough=None):
    """Params, value and half the squared decrement, once that is `enough` or nothing is gained."""
    for _ in range(MAX_STEPS):
        z = rows.x @ theta
        parts = penalised(theta[:-1])
        value = rows.s @ losses(z, rows.y) + parts[0].sum()
        p = probabilities(z)
        gradient = rows.x.T @ (rows.s[:, None] * (p - rows.y))
        gradient[:-1] += parts[1]
        step = _solved(hessian(rows, p, parts[2]), gradient)
        left = (step * gradient).sum() / 2
        if left <= (1e-17 * value if enough is None else enough):
            return theta, value, left
        size = _step_size(rows, penalised, theta, z, step, value, left)
        if size == 0:  # long doubles end here
            return theta, value, left
        theta = theta - size * step
    raise RuntimeError(f"Newton did not end in {MAX_STEPS} steps; {left:.1e} of {value:.3e} left")


def _step_size(rows, penalised, theta, z, step, value, left):
    """The first of 1, 1/2, 1/4 … that decreases the value enough, 0 where none does."""
    move = rows.x @ step
    for size in LONG(0.5) ** np.arange(40):
        trial = rows.s @ losses(z - size * move, rows.y)
        trial += penalised(theta[:-1] - size * step[:-1])[0].sum()
        if trial < value - 0.1 * size * left:
            return size
    return LONG(0)


def hessian(rows, p, curvature):
    """[C P, C P] in float64, class after class; softmax's free shift of intercepts is held."""
    x, p, s = (a.astype(float) for a in (rows.x, p, rows.s))
    width, num_classes = x.shape[1], p.shape[1]
    if num_classes == 1:
        root = x * np.sqrt(s * p[:, 0] * (1 - p[:, 0]))[:, None]
        full = root.T @ root
    else:
        each = (p.T[:, :, None] * x).transpose(1, 0, 2).reshape(len(x), -1)  # [n, C P]
        each *= np.sqrt(s)[:, None]
        full = -(each.T @ each)
        for c in range(num_classes):
            root = x * np.sqrt(s * p[:, c])[:, None]
            full[c * width : (c + 1) * width, c * width : (c + 1) * width] += root.T @ root
        ends = np.arange(1, num_classes + 1) * width - 1
        full[np.ix_(ends, ends)] += 1 / num_classes**2
    diagonal = np.zeros((width, num_classes))
    diagonal[:-1] = curvature
    full[np.diag_indices_from(full)] += diagonal.T.ravel()
    return full


def _solved(matrix, gradient):
    """matrix⁻¹ gradient [P, C], scaled to a diagonal of ones."""
    scale = np.sqrt(np.maximum(matrix.diagonal(), 1e-300))
    scaled = matrix / scale / scale[:, None]
    right = gradient.T.ravel().astype(float) / scale
    try:
        flat = scipy.linalg.cho_solve(scipy.linalg.cho_factor(scaled), right)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        flat = vectors @ ((vectors.T @ right) / np.maximum(values, 1e-14 * values[-1]))
    return (flat / scale).reshape(gradient.T.shape).T


def _unpenalised(rows):
    """J and what is left without a penalty, of the columns' orthogonal basis."""
    columns = []
    for x in rows.x.T[::-1]:  # of ones first
        size = np.sqrt(x @ x)
        for _ in range(2):
            for q in columns:
                x = x - (q @ x) * q
        if np.sqrt(x @ x) > 1e-14 * size:
            columns.append(x / np.sqrt(x @ x))
    basis = np.stack(columns[::-1], axis=1) * np.sqrt(LONG(len(rows.x)))
    start = np.zeros((basis.shape[1], rows.y.shape[1]), LONG)
    # A trace of ridge holds the shift that all classes share; it costs J its own size at most.
    _, value, left = _newton(rows._replace(x=basis), _ridge(LONG(1e-15)), start)
    return value, left + 1e-10 * value


def separable(rows: Rows) -> bool:
    """Whether some direction separates the classes, a row at least strictly (a linear program)."""
    labels = rows.y[:, 0] > 0 if rows.y.shape[1] == 1 else rows.y.argmax(axis=1)
    x = (rows.x / np.abs(rows.x).max(axis=0)).astype(float)
    if rows.y.shape[1] == 1:
        margins = np.where(labels, 1, -1)[:, None] * x
    else:
        eye = np.eye(rows.y.shape[1])
        others = [(r, c) for r in range(len(x)) for c in range(len(eye)) if c != labels[r]]
        margins = np.stack([np.kron(eye[labels[r]] - eye[c], x[r]) for r, c in others])
    found = scipy.optimize.linprog(
        -margins.sum(axis=0),
        A_ub=np.concatenate([margins, -margins]),
        b_ub=np.repeat([1.0, 0.0], len(margins)),
        bounds=(None, None),
    )
    return bool(-found.fun > 1e-6)
