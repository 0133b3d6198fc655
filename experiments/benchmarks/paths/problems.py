"""The problems of the path benchmark: data, folds and a grid of penalties, in plain numpy.

C counts the sum of the losses as scikit-learn does, so λ = 1 / (C n) for n training rows. Rows
left over by the folds are dropped from the end: all folds train on the same n, and one C is one λ.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import StratifiedKFold

from experiments.datasets import load

FOLDS = 5


class Problem(NamedTuple):
    """x [N, D] float64, labels [T, N] int, trains [F, N] bool, penalties [K] rising.

    `required` is the least speed-up over the best peer that the benchmark asks for, None: any.
    """

    name: str
    about: str
    x: np.ndarray
    labels: np.ndarray
    trains: np.ndarray
    C: np.ndarray
    l1_ratio: float = 0.0
    required: float | None = None

    @property
    def num_classes(self) -> int:
        """Of the labels; 2 is one logit."""
        return int(self.labels.max()) + 1

    @property
    def lambdas(self) -> np.ndarray:
        """The penalties of our objective [K], falling."""
        return 1 / (self.C * self.trains[0].sum())

    @property
    def num_lanes(self) -> int:
        """T F K."""
        return len(self.labels) * len(self.trains) * len(self.C)

    def key(self) -> str:
        """A digest of everything that decides the optimum."""
        parts = (self.x, self.labels, self.trains, self.C, np.float64(self.l1_ratio))
        digest = hashlib.sha256()
        for part in parts:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]


def problems(mnist: str, a9a: str) -> dict[str, Callable[[], Problem]]:
    """Name -> how to build it; only A, and those on a9a, read a file."""
    return {
        "A": lambda: mnist_path(mnist),
        "B": lambda: digits("B", 0.0, 6.0),
        "C": lambda: breast_cancer("C", 0.0, 8.0),
        "D": lambda: census("D", a9a, 0.0, 6.0),
        "E": rare_event,
        "F": wide,
        "probes": probes,
        "C-lasso": lambda: breast_cancer("C-lasso", 1.0, 1.0),
        "C-elastic": lambda: breast_cancer("C-elastic", 0.5, 1.0),
        "D-lasso": lambda: census("D-lasso", a9a, 1.0, 1.0),
        "D-elastic": lambda: census("D-elastic", a9a, 0.5, 1.0),
        "B-lasso": lambda: digits("B-lasso", 1.0, 1.0),
        "B-elastic": lambda: digits("B-elastic", 0.5, 1.0),
    }


def part(problem: Problem) -> Problem:
    """What peers solve where the whole takes them many minutes: some targets, or some penalties."""
    if problem.name == "A":
        return problem._replace(name="A-part", C=problem.C[6::12])
    if problem.name == "probes":
        return problem._replace(name="probes-part", labels=problem.labels[:2])
    return problem


def mnist_path(folder: str) -> Problem:
    """The 96 penalties of CLIP's protocol on MNIST's training images, pixels in [0, 1]."""
    table = load(folder)
    x = np.asarray(table.features, np.float64) / 255
    return Problem(
        "A",
        "MNIST, 10 classes",
        x,
        np.asarray(table.labels)[None],
        np.ones((1, len(x)), bool),
        np.logspace(-6, 6, 96),
        required=40.0,
    )


def digits(name: str, l1_ratio: float, required: float) -> Problem:
    """scikit-learn's digits, 10 classes."""
    x, labels = load_digits(return_X_y=True)
    return _folded(name, "digits, 10 classes", _standardised(x), labels, l1_ratio, required)


def breast_cancer(name: str, l1_ratio: float, required: float) -> Problem:
    """scikit-learn's breast cancer set: nearly separable."""
    x, labels = load_breast_cancer(return_X_y=True)
    return _folded(name, "breast cancer", _standardised(x), labels, l1_ratio, required)


def census(name: str, path: str, l1_ratio: float, required: float) -> Problem:
    """a9a: indicators of the census, collinear in groups, some of them rare."""
    table = load(path)
    x = np.asarray(table.features, np.float64)
    return _folded(name, "a9a", x, np.asarray(table.labels), l1_ratio, required)


def rare_event() -> Problem:
    """ijcnn1's shape: 50,000 rows, 22 correlated features, a tenth positive, law not linear."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50_000, 22)) @ (np.eye(22) + 0.3 * rng.normal(size=(22, 22)))
    law = x @ rng.normal(size=22) / 3 + x[:, 0] * x[:, 1] / 10 - 6
    labels = rng.random(len(x)) < 1 / (1 + np.exp(-law))
    return _folded("E", "ijcnn1's shape", _standardised(x), labels.astype(int), 0.0, 8.0)


def wide() -> Problem:
    """Ten rows in each of ten classes, 1,000 features: normal clouds about ten centres."""
    rng = np.random.default_rng(0)
    labels = np.arange(100) % 10
    x = 0.3 * rng.normal(size=(10, 1_000))[labels] + rng.normal(size=(100, 1_000))
    return _folded("F", "wide, 10 classes", _standardised(x), labels, 0.0, 4.0)


def probes(num_targets: int = 64) -> Problem:
    """Embeddings whose spectrum falls as k^-1.5, and binary targets drawn from linear laws.

    The targets' rates spread around a quarter, and their logits have a standard deviation of 2.
    """
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(512, 512)))[0]
    scale = np.arange(1, 513) ** -0.75
    x = (rng.normal(size=(20_000, 512)) * scale) @ rotation
    x = _standardised(x)
    laws = x @ rng.normal(size=(512, num_targets))
    laws = 2 * laws / laws.std(axis=0) + rng.normal(-1.5, 1, num_targets)
    labels = (rng.random(laws.shape) < 1 / (1 + np.exp(-laws))).T.astype(int)
    return Problem(
        "probes",
        f"{num_targets} binary targets on embeddings",
        x,
        labels,
        np.ones((1, len(x)), bool),
        np.logspace(-4, 4, 20),
        required=30.0,
    )


def _folded(name, about, x, labels, l1_ratio, required) -> Problem:
    """Five stratified folds of one size and ten penalties."""
    num_rows = len(x) // FOLDS * FOLDS
    x, labels = np.ascontiguousarray(x[:num_rows]), labels[:num_rows]
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, labels)
    trains = np.ones((FOLDS, num_rows), bool)
    for fold, (_, held_out) in enumerate(splits):
        trains[fold, held_out] = False
    return Problem(name, about, x, labels[None], trains, np.logspace(-4, 4, 10), l1_ratio, required)


def _standardised(x: np.ndarray) -> np.ndarray:
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)


def file_of(folder: str) -> str:
    """The training file in a folder of a9a, or the path itself."""
    found = sorted(Path(folder).glob("*.trn*")) if Path(folder).is_dir() else []
    return str(found[0]) if found else folder
