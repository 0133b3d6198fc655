"""Where the numerics table looks, and what is right there by mpmath.

A problem is a function in a format: its arguments, the number that names each of them in the
table, and the exact value, first and second derivative there.
"""

from typing import NamedTuple

import mpmath
import numpy as np

from tests.truth import exact

ROWS = ("softmax", "log_softmax", "softmax_cross_entropy")
CLASSES = (2, 3, 16)
# Half a float's digits, the ends of exp in float16, float32 and float64, and log 2.
CENTRES = (np.log(2), 1, 8, 9.7, 11.09, 17, 20, 37, 44, 88, 88.72, 103, 355, 709, 709.78, 745)


class Problem(NamedTuple):
    """A function, its arguments [N] or [N, C], where each stands, and what is right by order.

    A number stands at itself; a row at the distance from its largest score to its smallest,
    and its size is its largest score. A loss has a label for all numbers, or [N] for rows.
    """

    function: str
    arguments: np.ndarray
    where: np.ndarray
    size: np.ndarray
    exact: tuple[exact.Numbers | None, exact.Numbers | None, exact.Numbers | None]
    label: np.ndarray | float | None = None


def of_format(dtype: np.dtype) -> list[Problem]:
    """All of one format."""
    of_rows = [problem for num_classes in CLASSES for problem in _of_rows(num_classes, dtype)]
    return [*_of_numbers(_points(dtype)), *_of_probabilities(dtype), *of_rows]


def _points(dtype):
    """The grid of every exponent, and both sides of where something happens."""
    rng = np.random.default_rng(1)
    near = rng.uniform(-1, 1, (len(CENTRES), 4)) * [1e-7, 1e-3, 0.1, 0.7]
    centres = np.array(CENTRES)[:, None]
    z = np.concatenate([centres, centres * (1 + near[:, :2]), centres + near[:, 2:]], axis=1)
    z = np.concatenate([z.ravel(), 10.0 ** rng.uniform(-9, 0, 50)]).astype(dtype)
    return np.concatenate([exact.grid(dtype, num_mantissas=4), z, -z])


def _elementwise(function, z, curves, label=None) -> Problem:
    return Problem(function, z, z, z, tuple(map(exact.numbers, zip(*curves, strict=True))), label)


def _of_numbers(z) -> list[Problem]:
    """sigmoid, softplus, log_sigmoid, and log_loss of either label."""
    curves = [exact.logistic_curves(float(one)) for one in z]
    problems = [_elementwise(name, z, [curve[name] for curve in curves]) for name in curves[0]]
    for y in (0, 1):
        answers = [exact.log_loss_curve(float(one), y) for one in z]
        problems.append(_elementwise(f"log_loss, y = {y}", z, answers, float(y)))
    return problems


def _of_probabilities(dtype) -> list[Problem]:
    """log_loss_from_probability of either label, at p near 0, near 1 and between."""
    z = exact.grid(dtype, num_mantissas=4).astype(np.float64)
    wide = z[(z > 0) & (z < 1)]
    between = np.random.default_rng(2).uniform(0, 1, 400)
    p = np.unique(np.concatenate([wide, 1 - wide, between]).astype(dtype))
    p = p[(p > 0) & (p < 1)]
    problems = []
    for y in (0, 1):
        answers = [exact.from_probability_curve(float(q), y) for q in p]
        problems.append(_elementwise(f"log_loss_from_probability, y = {y}", p, answers, float(y)))
    return problems


def _rows(num_classes, dtype):
    """Rows with one class ahead by every centre, ties, shifts, scores up to 1e4 and beyond."""
    rng = np.random.default_rng(num_classes)
    shape = (12, num_classes)
    tied = np.round(rng.normal(size=shape))
    spread = [rng.normal(size=shape) * scale for scale in (1e-4, 1, 10, 100, 1e4)]
    moved = rng.normal(size=shape) * 10 + rng.uniform(-150, 150, (12, 1))
    ahead = rng.normal(size=(2 * len(CENTRES), num_classes))
    ahead[:, 0] += np.repeat(CENTRES, 2)
    uniform = rng.uniform(-90, 90, shape)
    return np.concatenate([ahead, -ahead, tied, moved, uniform, *spread]).astype(dtype)


def _of_rows(num_classes, dtype) -> list[Problem]:
    """The softmax family; labels are the largest class in every other row, any in the rest."""
    z = _rows(num_classes, dtype)
    drawn = np.random.default_rng(0).integers(0, num_classes, len(z))
    labels = np.where(np.arange(len(z)) % 2, z.argmax(axis=1), drawn).astype(np.int32)
    wide = z.astype(np.float64)
    top, distance = wide.max(axis=1), wide.max(axis=1) - wide.min(axis=1)
    answers = [_row_answers(*row) for row in zip(wide, labels, strict=True)]
    problems = []
    for name in ROWS:
        orders = [[c for row in answers for c in row[name][order]] for order in range(3)]
        right = tuple(exact.numbers(order) if order else None for order in orders)
        label = labels if name == "softmax_cross_entropy" else None
        problems.append(Problem(f"{name}, C = {num_classes}", z, distance, top, right, label))
    return problems


def _row_answers(row, y) -> dict[str, tuple[list, list, list]]:
    """Components of value, first and second derivative of one row, flattened."""
    p = exact.softmax_row(row)
    classes = range(len(p))
    with mpmath.workprec(exact.BITS):
        others = [mpmath.fsum(p[:k] + p[k + 1 :]) for k in classes]
        logs = [mpmath.log(one) for one in p]
        softmax = [p[k] * others[k] if j == k else -p[k] * p[j] for k in classes for j in classes]
        log_softmax = [others[k] if j == k else -p[j] for k in classes for j in classes]
        residual = [-others[k] if k == y else p[k] for k in classes]
        return {
            "softmax": (p, softmax, []),
            "log_softmax": (logs, log_softmax, [-one for one in softmax]),
            "softmax_cross_entropy": ([-logs[y]], residual, softmax),
        }
