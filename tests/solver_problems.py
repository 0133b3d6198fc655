"""Fourteen least-squares functions of Moré, Garbow and Hillstrom, and risks of logistic models.

Every function is written once, for numpy and for jax.numpy: `xp` is either. They are analytic, so
numpy can differentiate them without jax, by a complex step (`numpy_gradient`).

Reference:
  Moré, Garbow and Hillstrom, Testing unconstrained optimization software (1981), section 3.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

WIDTH = 6  # the most variables that a problem here has
BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]


class Problem(NamedTuple):
    """Residuals (xp, x, *x) -> list of arrays, the published start, and the known minima."""

    residuals: Callable
    start: tuple
    minima: tuple


def _jennrich_sampson(xp, _, a, b):
    i = xp.asarray(np.arange(1, 11), a.dtype)
    return [2 + 2 * i - (xp.exp(i * a) + xp.exp(i * b))]


def _helical_valley(xp, _, a, b, c):
    turn = xp.arctan(b / a) / (2 * np.pi) + xp.where(xp.real(a) > 0, 0.0, 0.5)
    return [10 * (c - 10 * turn), 10 * (xp.sqrt(a**2 + b**2) - 1), c]


def _bard(xp, _, a, b, c):
    u = np.arange(1.0, 16.0)
    y, u, v, w = (xp.asarray(z, a.dtype) for z in (BARD, u, 16 - u, np.minimum(u, 16 - u)))
    return [y - (a + u / (v * b + w * c))]


def _box(xp, _, a, b, c):
    t = xp.asarray(np.arange(1, 11) / 10, a.dtype)
    return [xp.exp(-t * a) - xp.exp(-t * b) - c * (xp.exp(-t) - xp.exp(-10 * t))]


def _wood(xp, _, a, b, c, d):
    valleys = [10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c]
    return [*valleys, 10**0.5 * (b + d - 2), 10**-0.5 * (b - d)]


def _brown_dennis(xp, _, a, b, c, d):
    t = xp.asarray(np.arange(1, 21) / 5, a.dtype)
    return [(a + t * b - xp.exp(t)) ** 2 + (c + d * xp.sin(t) - xp.cos(t)) ** 2]


def _variably_dimensioned(xp, x, *_):
    moment = xp.sum(xp.asarray(np.arange(1, len(x) + 1), x.dtype) * (x - 1))
    return [x - 1, moment, moment**2]


def _trigonometric(xp, x, *_):
    i = xp.asarray(np.arange(1, len(x) + 1), x.dtype)
    return [len(x) - xp.sum(xp.cos(x)) + i * (1 - xp.cos(x)) - xp.sin(x)]


PROBLEMS = {
    "Rosenbrock": Problem(lambda xp, _, a, b: [10 * (b - a**2), 1 - a], (-1.2, 1.0), (0.0,)),
    "Freudenstein-Roth": Problem(
        lambda xp, _, a, b: [-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b],
        (0.5, -2.0),
        (0.0, 48.98425367924002),
    ),
    "Powell badly scaled": Problem(
        lambda xp, _, a, b: [1e4 * a * b - 1, xp.exp(-a) + xp.exp(-b) - 1.0001], (0.0, 1.0), (0.0,)
    ),
    "Brown badly scaled": Problem(
        lambda xp, _, a, b: [a - 1e6, b - 2e-6, a * b - 2], (1.0, 1.0), (0.0,)
    ),
    "Beale": Problem(
        lambda xp, _, a, b: [y - a * (1 - b**i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))],
        (1.0, 1.0),
        (0.0,),
    ),
    "Jennrich-Sampson": Problem(_jennrich_sampson, (0.3, 0.4), (124.36218235561489,)),
    "Helical valley": Problem(_helical_valley, (-1.0, 0.0, 0.0), (0.0,)),
    "Bard": Problem(_bard, (1.0, 1.0, 1.0), (0.008214877306578994,)),
    "Box 3-D": Problem(_box, (0.0, 10.0, 20.0), (0.0,)),
    "Powell singular": Problem(
        lambda xp, _, a, b, c, d: [
            a + 10 * b,
            5**0.5 * (c - d),
            (b - 2 * c) ** 2,
            10**0.5 * (a - d) ** 2,
        ],
        (3.0, -1.0, 0.0, 1.0),
        (0.0,),
    ),
    "Wood": Problem(_wood, (-3.0, -1.0, -3.0, -1.0), (0.0,)),
    "Brown-Dennis": Problem(_brown_dennis, (25.0, 5.0, -5.0, -1.0), (85822.20162635628,)),
    "Variably dimensioned": Problem(
        _variably_dimensioned, tuple(1 - i / 6 for i in range(1, 7)), (0.0,)
    ),
    "Trigonometric": Problem(_trigonometric, (0.2,) * 5, (0.0, 2.7950605e-05)),
}
NAMES = list(PROBLEMS)
STARTS = np.stack([np.pad(p.start, (0, WIDTH - len(p.start))) for p in PROBLEMS.values()])


def value(xp, name, x):
    """Σ r², at x [n]."""
    return sum(xp.sum(r**2) for r in PROBLEMS[name].residuals(xp, x, *x))


def objective(x, which, names=tuple(NAMES)):
    """The value of problem number `which` of `names` at the head of x [WIDTH]: one program for all.

    The idle tail is drawn to 0, where every start has it: it changes no value and no step.
    """

    def head(name):
        n = len(PROBLEMS[name].start)
        return lambda x: value(jnp, name, x[:n]) + jnp.sum(x[n:] ** 2)

    return jax.lax.switch(which, [head(name) for name in names], x)


def numpy_value(name):
    """x [n] -> float, in numpy alone."""
    return lambda x: float(value(np, name, np.asarray(x, np.float64)))


def numpy_gradient(name):
    """x [n] -> gradient [n] by complex steps: Im f(x + ih) / h has no cancellation."""

    def gradient(x):
        steps = np.asarray(x) + 1e-30j * np.eye(len(x))
        return np.array([value(np, name, row).imag for row in steps]) / 1e-30

    return gradient


LOGISTIC = {  # the penalty of each
    "well scaled": 1e-2,
    "badly scaled": 1e-6,
    "duplicated features": 1e-3,
    "more features than examples": 1e-3,
}


def logistic_examples(kind):
    """x [n, p], ±1 labels [n] and the penalty of one of the hard logistic problems."""
    num_examples, num_features = (20, 40) if kind == "more features than examples" else (60, 8)
    random = np.random.default_rng(len(kind))
    x = random.normal(size=(num_examples, num_features))
    logits = x @ random.normal(size=num_features) + 2 * random.normal(size=num_examples)
    labels = np.where(logits > 0, 1.0, -1.0)
    if kind == "badly scaled":
        x = x * np.logspace(-2, 2, num_features)
    if kind == "duplicated features":
        x = np.concatenate([x, x], axis=1)
    return x, labels, LOGISTIC[kind]


def logistic_risk(params, x, labels, l2):
    """Mean logistic loss plus l2 ½‖w‖², in nats, for params {"w": [p], "b": []}."""
    margins = labels * (x @ params["w"] + params["b"])
    return jnp.mean(jnp.logaddexp(0.0, -margins)) + l2 / 2 * jnp.sum(params["w"] ** 2)
