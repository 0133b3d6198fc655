"""The zoo's drawn problems: kinds of rows that people have, each a small function of a seed.

Penalties fall from the strongest that matters to 1e-9 of it: λ_max, above which an l1 path is 0,
or half the largest eigenvalue of a ridge's Hessian at 0, and at the end of some 0.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """A problem as it is handed to `paths.fit`.

    Attributes:
      x: [N, D] float64.
      labels: [N], of whole numbers; or of shares of the one class of two.
      lambdas: [K], falling.
      l1_ratio: 0 for ridge, 1 for lasso.
      weights: [N].
      folds: [F, N] of 0 and 1.
      num_classes: 2 is one logit.
    """

    x: np.ndarray
    labels: np.ndarray
    lambdas: np.ndarray
    l1_ratio: float
    weights: np.ndarray
    folds: np.ndarray
    num_classes: int

    def key(self) -> str:
        """A digest of everything that decides the optimum."""
        digest = hashlib.sha256()
        for part in self:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:12]


class Entry(NamedTuple):
    """A problem of the zoo that is yet to be built: its kind, its seed, and how."""

    kind: str
    seed: int | None
    build: Callable[[], Case]


DRAWN: dict[str, Entry] = {}


def drawn(kind: str, seed: int = 0) -> Callable:
    """Enters a function of a random generator into the zoo, under its name, with hyphens."""

    def enter(build):
        name = build.__name__.strip("_").replace("_", "-")
        DRAWN[name] = Entry(kind, seed, lambda: build(np.random.default_rng(seed)))
        return build

    return enter


def case(x, labels, l1_ratio=0.0, *, weights=None, folds=1, steps=7, reach=9.0, zero=False) -> Case:
    """The whole problem: a number of folds or [F, N] of them, `reach` decades of penalties."""
    x, labels = np.ascontiguousarray(x, np.float64), np.asarray(labels)
    weights = np.ones(len(x)) if weights is None else weights
    whole = labels.dtype.kind in "iub"
    num_classes = int(labels.max()) + 1 if whole else 2
    folds = _dealt(labels, folds) if np.ndim(folds) == 0 else folds
    top = strongest(x, labels, weights, num_classes, l1_ratio)
    lambdas = top * np.logspace(0, -reach, steps)
    lambdas = np.append(lambdas, 0.0) if zero else lambdas
    return Case(x, labels, lambdas, l1_ratio, weights, folds, num_classes)


def strongest(x, labels, weights, num_classes, l1_ratio) -> float:
    """λ_max of an l1 path; of a ridge half the Hessian's largest eigenvalue at 0, binary."""
    s = weights / weights.sum()
    x = x - s @ x
    if l1_ratio > 0:
        y = labels[:, None] if num_classes == 2 else np.eye(num_classes)[labels]
        return float(np.abs(x.T @ (s[:, None] * (y - s @ y))).max() / l1_ratio)
    root = x * np.sqrt(s)[:, None]
    gram = root.T @ root if len(x) > x.shape[1] else root @ root.T
    return float(np.linalg.eigvalsh(gram)[-1] / 8)


def _dealt(labels, num_folds) -> np.ndarray:
    """[F, N]: the rows of every class are dealt out in turn."""
    if num_folds == 1:
        return np.ones((1, len(labels)))
    place = np.zeros(len(labels), int)
    for value in np.unique(labels):
        rows = np.flatnonzero(labels == value)
        place[rows] = np.arange(len(rows)) % num_folds
    return (place != np.arange(num_folds)[:, None]).astype(float)


def classes(rng, x, num_classes, signal=2.0, spread=0.5) -> np.ndarray:
    """Labels from a linear law of the standardised columns; each class has a row at least."""
    sd = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1)
    law = rng.normal(size=(x.shape[1], num_classes)) * signal / np.sqrt(x.shape[1])
    logits = z @ law + spread * rng.normal(size=num_classes)
    labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    missing = np.setdiff1d(np.arange(num_classes), labels)
    labels[rng.choice(len(x), len(missing), replace=False)] = missing
    return labels


def dummies(rng, num_rows, *levels) -> np.ndarray:
    """One-hot columns of factors whose levels are of very different size."""
    columns = []
    for num_levels in levels:
        p = rng.pareto(0.7, num_levels) + 0.002
        columns.append(np.eye(num_levels)[rng.choice(num_levels, num_rows, p=p / p.sum())])
    return np.concatenate(columns, axis=1)


def standardised(x) -> np.ndarray:
    """Columns of mean 0 and deviation 1; a constant one is 0."""
    sd = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1)


@drawn("dense", 1)
def _dense_ridge(rng):
    x = rng.normal(size=(2000, 30)) @ (np.eye(30) + 0.3 * rng.normal(size=(30, 30)))
    return case(x, classes(rng, x, 2), folds=5)


@drawn("dense", 2)
def _dense_softmax(rng):
    x = rng.normal(size=(1500, 20))
    return case(x, classes(rng, x, 5), folds=3)


@drawn("dense", 3)
def _dense_lasso(rng):
    x = rng.normal(size=(800, 40)) + rng.normal(size=(800, 1))
    return case(x, classes(rng, x, 2), 1.0, folds=3)


@drawn("dense", 4)
def _dense_elastic_softmax(rng):
    x = rng.normal(size=(400, 15))
    return case(x, classes(rng, x, 4), 0.5)


@drawn("dense", 5)
def _embeddings_probe(rng):
    turn = np.linalg.qr(rng.normal(size=(96, 96)))[0]
    x = (rng.normal(size=(4000, 96)) * np.arange(1, 97) ** -0.75) @ turn
    return case(x, classes(rng, x, 2))


@drawn("rare dummies", 6)
def _rare_softmax(rng):
    x = np.c_[rng.normal(size=(8000, 10)), dummies(rng, 8000, 4, 40)]
    return case(standardised(x), classes(rng, x, 7, 4.0, 1.5))


@drawn("rare dummies", 7)
def _rare_elastic(rng):
    x = np.c_[rng.normal(size=(3000, 6)), dummies(rng, 3000, 50)]
    return case(x, classes(rng, x, 2), 0.9)


@drawn("rare dummies", 8)
def _rare_lasso_softmax(rng):
    x = np.c_[rng.normal(size=(1500, 4)), dummies(rng, 1500, 16)]
    return case(standardised(x), classes(rng, x, 3), 1.0)


@drawn("rare dummies", 9)
def _rare_folds(rng):
    x = np.c_[rng.normal(size=(2000, 5)), dummies(rng, 2000, 30, 30)]
    return case(x, classes(rng, x, 3, 3.0), folds=5)


@drawn("one-hot wide", 10)
def _onehot_ridge(rng):
    x = dummies(rng, 3000, 60, 60, 60, 60, 60)
    return case(x, classes(rng, x, 2))


@drawn("one-hot wide", 11)
def _onehot_softmax(rng):
    x = dummies(rng, 1200, 40, 40, 40)
    return case(x, classes(rng, x, 6))


@drawn("one-hot wide", 12)
def _onehot_lasso(rng):
    x = dummies(rng, 1500, 50, 50, 50)
    return case(x, classes(rng, x, 2), 1.0)


@drawn("counts", 13)
def _counts_softmax(rng):
    x = rng.poisson(rng.gamma(0.3, 1.0, size=(1000, 120)) * rng.pareto(1.2, 120))
    return case(x, classes(rng, x, 4))


@drawn("counts", 14)
def _counts_lasso(rng):
    x = rng.poisson(rng.gamma(0.3, 2.0, size=(600, 100)))
    return case(x, classes(rng, x, 2), 1.0)


@drawn("counts", 15)
def _counts_ridge(rng):
    x = rng.poisson(rng.gamma(0.2, 5.0, size=(2500, 60)) * np.logspace(-2, 2, 60))
    return case(x, classes(rng, x, 2), folds=3)


@drawn("heavy tails", 16)
def _cauchy_ridge(rng):
    x = rng.standard_cauchy(size=(800, 20))
    return case(x, classes(rng, np.arctan(x), 2))


@drawn("heavy tails", 17)
def _cauchy_softmax(rng):
    x = rng.standard_cauchy(size=(600, 10))
    return case(x, classes(rng, np.arctan(x), 3))


@drawn("heavy tails", 18)
def _cauchy_lasso(rng):
    x = rng.standard_cauchy(size=(400, 20))
    return case(x, classes(rng, np.arctan(x), 2), 1.0)


@drawn("heavy tails", 19)
def _lognormal_elastic_softmax(rng):
    x = np.exp(2 * rng.normal(size=(500, 12)))
    return case(x, classes(rng, np.log(x), 3), 0.3)


@drawn("near-duplicate columns", 20)
def _twins_ridge(rng):
    x = np.repeat(rng.normal(size=(300, 6)), 2, axis=1)
    x[:, 1::2] += 1e-9 * rng.normal(size=(300, 6))
    return case(x, classes(rng, x, 2), zero=True)


@drawn("near-duplicate columns", 21)
def _twins_elastic(rng):
    x = np.repeat(rng.normal(size=(300, 6)), 2, axis=1)
    x[:, 1::2] += 1e-9 * rng.normal(size=(300, 6))
    return case(x, classes(rng, x, 2), 0.5)


@drawn("near-duplicate columns", 22)
def _twins_softmax(rng):
    x = np.repeat(rng.normal(size=(400, 5)), 3, axis=1)
    x[:, 1::3] += 1e-9 * rng.normal(size=(400, 5))
    return case(x, classes(rng, x, 4))


@drawn("collinear columns", 23)
def _collinear_softmax(rng):
    x = rng.normal(size=(500, 8)) @ rng.normal(size=(8, 20))
    return case(x, classes(rng, x, 3), folds=3)


@drawn("collinear columns", 24)
def _collinear_lasso(rng):
    x = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 15))
    return case(x, classes(rng, x, 2), 1.0)


@drawn("polynomials", 25)
def _powers_ridge(rng):
    x = (2 * rng.normal(size=(500, 1))) ** np.arange(1, 8)
    return case(x, classes(rng, x, 2))


@drawn("polynomials", 26)
def _powers_lasso(rng):
    t = rng.normal(size=(400, 2))
    x = np.concatenate([t**k for k in range(1, 8)], axis=1)
    return case(x, classes(rng, x, 2), 1.0)


@drawn("polynomials", 27)
def _powers_softmax(rng):
    x = standardised((5 + rng.normal(size=(600, 1))) ** np.arange(1, 8))
    return case(x, classes(rng, x, 3, 4.0))


@drawn("offsets of 1e6", 28)
def _offset_ridge(rng):
    x = rng.normal(size=(600, 12)) + 1e6 * np.sign(rng.normal(size=12))
    return case(x, classes(rng, x, 2), folds=3)


@drawn("offsets of 1e6", 29)
def _offset_lasso(rng):
    x = rng.normal(size=(500, 12)) + 1e6 * (np.arange(12) % 3 == 0)
    return case(x, classes(rng, x, 2), 1.0)


@drawn("offsets of 1e6", 30)
def _offset_softmax(rng):
    x = rng.normal(size=(500, 8)) + np.where(np.arange(8) < 4, 1e6, -3)
    return case(x, classes(rng, x, 3))


@drawn("units over eight decades", 31)
def _units_ridge(rng):
    x = rng.normal(size=(800, 16)) * np.logspace(-4, 4, 16)
    return case(x, classes(rng, x, 2))


@drawn("units over eight decades", 32)
def _units_elastic(rng):
    x = rng.normal(size=(500, 12)) * np.logspace(-4, 4, 12)
    return case(x, classes(rng, x, 2), 0.5)


@drawn("units over eight decades", 33)
def _units_softmax(rng):
    x = np.abs(rng.normal(size=(600, 10))) * np.logspace(-4, 4, 10)
    return case(x, classes(rng, x, 4))


@drawn("imbalance", 34)
def _imbalance_ridge(rng):
    x = rng.normal(size=(30_000, 10))
    labels = np.zeros(30_000, int)
    labels[np.argsort(x[:, 0] + rng.gumbel(size=30_000))[-3:]] = 1
    return case(x, labels)


@drawn("imbalance", 35)
def _imbalance_lasso(rng):
    x = rng.normal(size=(10_000, 10))
    labels = np.zeros(10_000, int)
    labels[np.argsort(x[:, 0] + 3 * rng.gumbel(size=10_000))[-20:]] = 1
    return case(x, labels, 1.0)


@drawn("imbalance", 36)
def _imbalance_softmax(rng):
    x = rng.normal(size=(12_000, 8))
    logits = np.log([1, 1e-2, 1e-3]) + x @ rng.normal(size=(8, 3)) / 2
    labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    return case(x, labels)


@drawn("weights over twelve decades", 37)
def _weights_ridge(rng):
    x = rng.normal(size=(600, 10))
    return case(x, classes(rng, x, 2), weights=10 ** rng.uniform(-6, 6, 600))


@drawn("weights over twelve decades", 38)
def _weights_softmax(rng):
    x = rng.normal(size=(600, 6))
    return case(x, classes(rng, x, 3), weights=10 ** rng.uniform(-6, 6, 600), folds=2)


@drawn("weights over twelve decades", 39)
def _weights_lasso(rng):
    x = rng.normal(size=(400, 10))
    return case(x, classes(rng, x, 2), 1.0, weights=10 ** rng.uniform(-6, 6, 400))


@drawn("many classes", 40)
def _classes_200(rng):
    x = rng.normal(size=(1000, 3))
    return case(x, classes(rng, x, 200, 6.0))


@drawn("many classes", 41)
def _classes_50_few(rng):
    labels = np.arange(150) % 50
    x = rng.normal(size=(50, 10))[labels] + rng.normal(size=(150, 10))
    return case(x, labels)


@drawn("many classes", 42)
def _classes_50_elastic(rng):
    labels = np.arange(200) % 50
    x = rng.normal(size=(50, 5))[labels] + rng.normal(size=(200, 5))
    return case(x, labels, 0.5)


@drawn("many classes", 43)
def _classes_20_lasso(rng):
    x = rng.normal(size=(600, 10))
    return case(x, classes(rng, x, 20, 4.0), 1.0)


@drawn("p >> n", 44)
def _wide_ridge(rng):
    x = rng.normal(size=(60, 2000))
    return case(x, classes(rng, x, 2), folds=3)


@drawn("p >> n", 45)
def _wide_softmax(rng):
    labels = np.arange(60) % 6
    x = 0.3 * rng.normal(size=(6, 800))[labels] + rng.normal(size=(60, 800))
    return case(x, labels, folds=2)


@drawn("p >> n", 46)
def _wide_lasso(rng):
    x = rng.normal(size=(50, 400))
    return case(x, classes(rng, x, 2), 1.0)


@drawn("p >> n", 47)
def _wide_elastic_softmax(rng):
    x = rng.normal(size=(40, 100))
    return case(x, classes(rng, x, 3), 0.5)


@drawn("tiny n", 48)
def _tiny_ridge(rng):
    x = rng.normal(size=(6, 3))
    return case(x, np.arange(6) % 2)


@drawn("tiny n", 49)
def _tiny_elastic_softmax(rng):
    x = rng.normal(size=(8, 2))
    return case(x, np.arange(8) % 3, 0.5)


@drawn("tiny n", 50)
def _tiny_elastic_softmax_wide(rng):
    x = rng.normal(size=(20, 20))
    return case(x, classes(rng, x, 3), 0.5, folds=2)


@drawn("soft labels", 51)
def _soft_ridge(rng):
    x = rng.normal(size=(700, 15))
    return case(x, rng.beta(0.5, 0.5, 700))


@drawn("soft labels", 52)
def _soft_lasso(rng):
    x = rng.normal(size=(400, 12))
    return case(x, 1 / (1 + np.exp(-2 * x[:, 0] - rng.normal(size=400))), 1.0)


@drawn("quasi-separable", 53)
def _quasi_separable_ridge(rng):
    x = rng.normal(size=(300, 5))
    labels = classes(rng, x, 2)
    x[:, 4] = (rng.random(300) < 0.2) * labels
    return case(x, labels, zero=True)


@drawn("quasi-separable", 54)
def _separable_softmax(rng):
    x = rng.normal(size=(200, 6))
    return case(x, np.argmax(x[:, :3], axis=1), zero=True)


@drawn("quasi-separable", 55)
def _separable_lasso(rng):
    x = rng.normal(size=(200, 10))
    return case(x, (x[:, 0] > 0.2).astype(int), 1.0)


@drawn("a class missing from folds", 56)
def _absent_softmax(rng):
    x = rng.normal(size=(300, 8))
    labels = classes(rng, x, 4)
    folds = np.stack([labels != 3, labels != 0, np.arange(300) % 3 > 0]).astype(float)
    return case(x, labels, folds=folds)


@drawn("a class missing from folds", 57)
def _absent_lasso(rng):
    x = rng.normal(size=(200, 6))
    labels = classes(rng, x, 3)
    folds = np.stack([labels != 2, np.arange(200) % 2 > 0]).astype(float)
    return case(x, labels, 1.0, folds=folds)


@drawn("a class missing from folds", 58)
def _absent_binary(rng):
    x = rng.normal(size=(200, 6))
    labels = classes(rng, x, 2)
    folds = np.stack([labels == 1, np.arange(200) % 2 > 0]).astype(float)
    return case(x, labels, folds=folds)


@drawn("x of rank one", 59)
def _rank_one_softmax(rng):
    x = rng.normal(size=(200, 1)) * np.logspace(-1, 1, 12)
    return case(x, classes(rng, x, 3))


@drawn("x of rank one", 60)
def _rank_one_lasso(rng):
    x = rng.normal(size=(200, 1)) * np.array([1, -2, 2, 0.5, 2, 2])
    return case(x, classes(rng, x, 2), 1.0)
