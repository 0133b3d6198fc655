"""The zoo of path problems: kinds of rows that people have, each a function of a seed.

Penalties fall from the strongest that matters to 1e-9 of it: λ_max, above which an l1 path is 0,
or half the largest eigenvalue of a ridge's Hessian at 0, and at the end of some 0.
"""

from functools import partial

import numpy as np
import pandas as pd
from sklearn.preprocessing import scale

from experiments.benchmarks.paths.problems import Entry, Problem, problem


def case(
    x, labels, l1_ratio=0.0, *, weights=None, folds=1, steps=7, reach=9.0, zero=False
) -> Problem:
    """The whole problem: a number of folds or [F, N] of them, `reach` decades of penalties."""
    folds = _dealt(labels, folds) if np.ndim(folds) == 0 else np.array(folds, float)
    found = problem(x, labels, np.zeros(0), l1_ratio, weights=weights, folds=folds)
    lambdas = strongest(found) * np.logspace(0, -reach, steps)
    return found._replace(lambdas=np.append(lambdas, 0.0) if zero else lambdas)


def strongest(of: Problem) -> float:
    """λ_max of an l1 path; of a ridge half the Hessian's largest eigenvalue at 0, binary."""
    s = of.weights / of.weights.sum()
    x = of.x - s @ of.x
    if of.l1_ratio > 0:
        y = of.labels[:, None] if of.num_classes == 2 else np.eye(of.num_classes)[of.labels]
        return float(np.abs(x.T @ (s[:, None] * (y - s @ y))).max() / of.l1_ratio)
    root = x * np.sqrt(s)[:, None]
    gram = root.T @ root if len(x) > x.shape[1] else root @ root.T
    return float(np.linalg.eigvalsh(gram)[-1] / 8)


def _dealt(labels, num_folds):
    """[F, N]: the rows of every class are dealt out in turn."""
    if num_folds == 1:
        return None
    place = pd.Series(labels).groupby(labels).cumcount().to_numpy() % num_folds
    return (place != np.arange(num_folds)[:, None]).astype(float)


def classes(rng, x, num_classes, signal=2.0, spread=0.5) -> np.ndarray:
    """Labels from a linear law of the standardised columns; each class has a row at least."""
    law = rng.normal(size=(x.shape[1], num_classes)) * signal / np.sqrt(x.shape[1])
    logits = scale(x) @ law + spread * rng.normal(size=num_classes)
    labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    missing = np.setdiff1d(np.arange(num_classes), labels)
    labels[rng.choice(len(x), len(missing), replace=False)] = missing
    return labels


class _Random(np.random.Generator):
    def n(self, *shape) -> np.ndarray:
        """Normal numbers."""
        return self.normal(size=shape)


def _law(num_classes, signal=2.0, spread=0.5, of=lambda x: x):
    return lambda r, x: classes(r, of(x), num_classes, signal, spread)


def _in_turn(num_classes):
    return lambda r, x: np.arange(len(x)) % num_classes


def _highest(number, noise):
    """The rows of which x_0, and noise, is highest are of class 1."""

    def labels(r, x):
        score = x[:, 0] + noise * r.gumbel(size=len(x))
        return (score >= np.sort(score)[-number]).astype(int)

    return labels


def _imbalanced(r, x):
    logits = np.log([1, 1e-2, 1e-3]) + x @ r.n(8, 3) / 2
    return np.argmax(logits + r.gumbel(size=logits.shape), axis=1)


def _dummies(r, num_rows, *levels):
    """One-hot columns of factors whose levels are of very different size."""
    columns = []
    for num_levels in levels:
        p = r.pareto(0.7, num_levels) + 0.002
        columns.append(np.eye(num_levels)[r.choice(num_levels, num_rows, p=p / p.sum())])
    return np.concatenate(columns, axis=1)


def _twins(r, num_rows, num_columns, times):
    x = np.repeat(r.n(num_rows, num_columns), times, axis=1)
    x[:, 1::times] += 1e-9 * r.n(num_rows, num_columns)
    return x


def _clouds(r, num_classes, num_rows, num_columns, apart=1.0):
    """Rows about centres, one for each class, in turn."""
    centres = apart * r.n(num_classes, num_columns)
    return centres[np.arange(num_rows) % num_classes] + r.n(num_rows, num_columns)


def _embeddings(r):
    turn = np.linalg.qr(r.n(96, 96))[0]
    return (r.n(4000, 96) * np.arange(1, 97) ** -0.75) @ turn


def _flagged(r):
    """A column that is 0 in every row of one class."""
    x = r.n(300, 5)
    labels = classes(r, x, 2)
    x[:, 4] = (r.random(300) < 0.2) * labels
    return x, labels


def _powers(r):
    t = r.n(400, 2)
    return np.concatenate([t**k for k in range(1, 8)], axis=1)


def _without(*missing, number):
    """Folds that lack a class each, and one that lacks every so manieth row."""
    return lambda y: [*(y != label for label in missing), np.arange(len(y)) % number > 0]


DRAWN: dict[str, Entry] = {}


def _enter(kind, name, rows, labels, l1_ratio=0.0, *, wild=False, scaled=False, folds=1, **options):
    """Enters a problem of this kind into the zoo; its seed is its number.

    rows(r) is x, or x with labels where `labels` is None; those are labels(r, x), or the number of
    classes of a law of x. `wild` are weights over twelve decades; `scaled` columns are standardised
    once labels are drawn; folds may be made of labels.
    """
    seed = len(DRAWN) + 1

    def build():
        r = _Random(np.random.PCG64(seed))
        x, y = (rows(r), None) if labels else rows(r)
        if labels:
            y = (_law(labels) if isinstance(labels, int) else labels)(r, x)
        weights = 10 ** r.uniform(-6, 6, len(x)) if wild else None
        dealt = folds(y) if callable(folds) else folds
        x = scale(x) if scaled else x
        return case(x, y, l1_ratio, weights=weights, folds=dealt, **options)

    DRAWN[name] = Entry(kind, build, seed=seed)


enter = partial(_enter, "dense")
enter("dense-ridge", lambda r: r.n(2000, 30) @ (np.eye(30) + 0.3 * r.n(30, 30)), 2, folds=5)
enter("dense-softmax", lambda r: r.n(1500, 20), 5, folds=3)
enter("dense-lasso", lambda r: r.n(800, 40) + r.n(800, 1), 2, 1.0, folds=3)
enter("dense-elastic-softmax", lambda r: r.n(400, 15), 4, 0.5)
enter("embeddings-probe", _embeddings, 2)
enter = partial(_enter, "rare dummies")
enter(
    "rare-softmax",
    lambda r: np.c_[r.n(8000, 10), _dummies(r, 8000, 4, 40)],
    _law(7, 4.0, 1.5),
    scaled=True,
)
enter("rare-elastic", lambda r: np.c_[r.n(3000, 6), _dummies(r, 3000, 50)], 2, 0.9)
enter(
    "rare-lasso-softmax", lambda r: np.c_[r.n(1500, 4), _dummies(r, 1500, 16)], 3, 1.0, scaled=True
)
enter("rare-folds", lambda r: np.c_[r.n(2000, 5), _dummies(r, 2000, 30, 30)], _law(3, 3.0), folds=5)
enter = partial(_enter, "one-hot wide")
enter("onehot-ridge", lambda r: _dummies(r, 3000, 60, 60, 60, 60, 60), 2)
enter("onehot-softmax", lambda r: _dummies(r, 1200, 40, 40, 40), 6)
enter("onehot-lasso", lambda r: _dummies(r, 1500, 50, 50, 50), 2, 1.0)
enter = partial(_enter, "counts")
enter("counts-softmax", lambda r: r.poisson(r.gamma(0.3, 1.0, (1000, 120)) * r.pareto(1.2, 120)), 4)
enter("counts-lasso", lambda r: r.poisson(r.gamma(0.3, 2.0, (600, 100))), 2, 1.0)
enter(
    "counts-ridge",
    lambda r: r.poisson(r.gamma(0.2, 5.0, (2500, 60)) * np.logspace(-2, 2, 60)),
    2,
    folds=3,
)
enter = partial(_enter, "heavy tails")
enter("cauchy-ridge", lambda r: r.standard_cauchy((800, 20)), _law(2, of=np.arctan))
enter("cauchy-softmax", lambda r: r.standard_cauchy((600, 10)), _law(3, of=np.arctan))
enter("cauchy-lasso", lambda r: r.standard_cauchy((400, 20)), _law(2, of=np.arctan), 1.0)
enter("lognormal-elastic-softmax", lambda r: np.exp(2 * r.n(500, 12)), _law(3, of=np.log), 0.3)
enter = partial(_enter, "near-duplicate columns")
enter("twins-ridge", lambda r: _twins(r, 300, 6, 2), 2, zero=True)
enter("twins-elastic", lambda r: _twins(r, 300, 6, 2), 2, 0.5)
enter("twins-softmax", lambda r: _twins(r, 400, 5, 3), 4)
enter = partial(_enter, "collinear columns")
enter("collinear-softmax", lambda r: r.n(500, 8) @ r.n(8, 20), 3, folds=3)
enter("collinear-lasso", lambda r: r.n(400, 6) @ r.n(6, 15), 2, 1.0)
enter = partial(_enter, "polynomials")
enter("powers-ridge", lambda r: (2 * r.n(500, 1)) ** np.arange(1, 8), 2)
enter("powers-lasso", _powers, 2, 1.0)
enter("powers-softmax", lambda r: (5 + r.n(600, 1)) ** np.arange(1, 8), _law(3, 4.0), scaled=True)
enter = partial(_enter, "offsets of 1e6")
enter("offset-ridge", lambda r: r.n(600, 12) + 1e6 * np.sign(r.n(12)), 2, folds=3)
enter("offset-lasso", lambda r: r.n(500, 12) + 1e6 * (np.arange(12) % 3 == 0), 2, 1.0)
enter("offset-softmax", lambda r: r.n(500, 8) + np.where(np.arange(8) < 4, 1e6, -3), 3)
enter = partial(_enter, "units over eight decades")
enter("units-ridge", lambda r: r.n(800, 16) * np.logspace(-4, 4, 16), 2)
enter("units-elastic", lambda r: r.n(500, 12) * np.logspace(-4, 4, 12), 2, 0.5)
enter("units-softmax", lambda r: np.abs(r.n(600, 10)) * np.logspace(-4, 4, 10), 4)
enter = partial(_enter, "imbalance")
enter("imbalance-ridge", lambda r: r.n(30_000, 10), _highest(3, 1))
enter("imbalance-lasso", lambda r: r.n(10_000, 10), _highest(20, 3), 1.0)
enter("imbalance-softmax", lambda r: r.n(12_000, 8), _imbalanced)
enter = partial(_enter, "weights over twelve decades")
enter("weights-ridge", lambda r: r.n(600, 10), 2, wild=True)
enter("weights-softmax", lambda r: r.n(600, 6), 3, wild=True, folds=2)
enter("weights-lasso", lambda r: r.n(400, 10), 2, 1.0, wild=True)
enter = partial(_enter, "many classes")
enter("classes-200", lambda r: r.n(1000, 3), _law(200, 6.0))
enter("classes-50-few", lambda r: _clouds(r, 50, 150, 10), _in_turn(50))
enter("classes-50-elastic", lambda r: _clouds(r, 50, 200, 5), _in_turn(50), 0.5)
enter("classes-20-lasso", lambda r: r.n(600, 10), _law(20, 4.0), 1.0)
enter = partial(_enter, "p >> n")
enter("wide-ridge", lambda r: r.n(60, 2000), 2, folds=3)
enter("wide-softmax", lambda r: _clouds(r, 6, 60, 800, 0.3), _in_turn(6), folds=2)
enter("wide-lasso", lambda r: r.n(50, 400), 2, 1.0)
enter("wide-elastic-softmax", lambda r: r.n(40, 100), 3, 0.5)
enter = partial(_enter, "tiny n")
enter("tiny-ridge", lambda r: r.n(6, 3), _in_turn(2))
enter("tiny-elastic-softmax", lambda r: r.n(8, 2), _in_turn(3), 0.5)
enter("tiny-elastic-softmax-wide", lambda r: r.n(20, 20), 3, 0.5, folds=2)
enter = partial(_enter, "soft labels")
enter("soft-ridge", lambda r: r.n(700, 15), lambda r, x: r.beta(0.5, 0.5, 700))
enter(
    "soft-lasso",
    lambda r: r.n(400, 12),
    lambda r, x: 1 / (1 + np.exp(-2 * x[:, 0] - r.n(400))),
    1.0,
)
enter = partial(_enter, "quasi-separable")
enter("quasi-separable-ridge", _flagged, None, zero=True)
enter(
    "separable-softmax", lambda r: r.n(200, 6), lambda r, x: np.argmax(x[:, :3], axis=1), zero=True
)
enter("separable-lasso", lambda r: r.n(200, 10), lambda r, x: (x[:, 0] > 0.2).astype(int), 1.0)
enter = partial(_enter, "a class missing from folds")
enter("absent-softmax", lambda r: r.n(300, 8), 4, folds=_without(3, 0, number=3))
enter("absent-lasso", lambda r: r.n(200, 6), 3, 1.0, folds=_without(2, number=2))
enter("absent-binary", lambda r: r.n(200, 6), 2, folds=_without(0, number=2))
enter = partial(_enter, "x of rank one")
enter("rank-one-softmax", lambda r: r.n(200, 1) * np.logspace(-1, 1, 12), 3)
enter("rank-one-lasso", lambda r: r.n(200, 1) * np.array([1, -2, 2, 0.5, 2, 2]), 2, 1.0)
