"""The problems of the path benchmark: data, folds and a grid of penalties, in plain numpy.

Rows left over by the folds are dropped from the end: all folds train on the same n rows, and one C
of scikit-learn's is one λ = 1 / (C n).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import scale

from experiments.datasets import load

FOLDS = 5
TEN = np.logspace(-4, 4, 10)


class Problem(NamedTuple):
    """A problem as it is handed to `paths.fit`."""

    x: np.ndarray  # [N, D] float64
    labels: np.ndarray  # [N] or [T, N], whole numbers; or shares of the one class of two
    lambdas: np.ndarray  # [K], falling
    l1_ratio: float
    weights: np.ndarray  # [N]
    folds: np.ndarray  # [F, N] of 0 and 1
    num_classes: int  # 2 is one logit

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the lanes: [F, K] or [T, F, K]."""
        return *self.labels.shape[:-1], len(self.folds), len(self.lambdas)

    def lane(self, at: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, float]:
        """Labels [N], weights [N] and penalty of a lane."""
        *target, fold, k = at
        return self.labels[tuple(target)], self.weights * self.folds[fold], self.lambdas[k]

    def key(self) -> str:
        """A digest of everything that decides the optimum."""
        digest = hashlib.sha256()
        for part in self:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:12]


class Entry(NamedTuple):
    """A problem that is yet to be built.

    `required` is the least speed-up over the best peer that the race asks for; `part` is what peers
    solve where the whole takes them many minutes: some targets, or some penalties.
    """

    about: str
    build: Callable[[], Problem]
    required: float | None = None
    seed: int | None = None
    part: Callable[[Problem], Problem] = lambda whole: whole


def problem(x, labels, lambdas, l1_ratio=0.0, *, weights=None, folds=None) -> Problem:
    """With weights and folds of ones where there are none."""
    x, labels = np.ascontiguousarray(x, np.float64), np.asarray(labels)
    weights = np.ones(len(x)) if weights is None else weights
    folds = np.ones((1, len(x))) if folds is None else folds
    num_classes = int(labels.max()) + 1 if labels.dtype.kind in "iub" else 2
    return Problem(x, labels, lambdas, l1_ratio, weights, folds, num_classes)


def file_of(folder: str) -> str:
    """The training file in a folder of a9a, or the path itself."""
    found = sorted(Path(folder).glob("*.trn*")) if Path(folder).is_dir() else []
    return str(found[0]) if found else folder


def race(mnist: str = "", a9a: str = "") -> dict[str, Entry]:
    """Name -> problem; only A, and those on a9a, read a file."""
    rows = {
        "B": lambda: bundled("digits"),
        "C": lambda: bundled("breast_cancer"),
        "D": lambda: _census(a9a),
        "E": _rare_event,
        "F": _wide,
    }

    def entry(about, name, required, l1_ratio=0.0):
        return Entry(about, lambda: folded(*rows[name](), l1_ratio=l1_ratio), required)

    def some_penalties(whole):
        return whole._replace(lambdas=whole.lambdas[6::12])

    def some_targets(whole):
        return whole._replace(labels=whole.labels[:2])

    probes = "64 binary targets on embeddings"
    found = {
        "A": Entry("MNIST, 10 classes", lambda: _mnist(mnist), 40.0, part=some_penalties),
        "B": entry("digits, 10 classes", "B", 6.0),
        "C": entry("breast cancer", "C", 8.0),
        "D": entry("a9a", "D", 6.0),
        "E": entry("ijcnn1's shape", "E", 8.0),
        "F": entry("wide, 10 classes", "F", 4.0),
        "probes": Entry(probes, _probes, 30.0, part=some_targets),
    }
    for name in "CDB":
        for kind, l1_ratio in (("lasso", 1.0), ("elastic", 0.5)):
            found[f"{name}-{kind}"] = entry(found[name].about, name, 1.0, l1_ratio)
    return found


def folded(x, labels, C=TEN, l1_ratio=0.0) -> Problem:
    """Five stratified folds of one size, and penalties in scikit-learn's C."""
    num_rows = len(x) // FOLDS * FOLDS
    x, labels = x[:num_rows], labels[:num_rows]
    folds = np.ones((FOLDS, num_rows))
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, labels)
    for fold, (_, held_out) in enumerate(splits):
        folds[fold, held_out] = 0
    return problem(x, labels, 1 / (C * folds[0].sum()), l1_ratio, folds=folds)


def bundled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits, or its breast_cancer set, which is nearly separable."""
    x, labels = {"digits": load_digits, "breast_cancer": load_breast_cancer}[name](return_X_y=True)
    return scale(x), labels


def _census(file):
    """a9a: indicators of the census, collinear in groups, some of them rare."""
    table = load(file)
    return np.asarray(table.features, np.float64), np.asarray(table.labels)


def _mnist(folder) -> Problem:
    """The 96 penalties of CLIP's protocol on MNIST's training images, pixels in [0, 1]."""
    table = load(folder)
    x = np.asarray(table.features, np.float64) / 255
    return problem(x, np.asarray(table.labels), 1 / (np.logspace(-6, 6, 96) * len(x)))


def _rare_event():
    """ijcnn1's shape: 50,000 rows, 22 correlated features, a tenth positive, law not linear."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50_000, 22)) @ (np.eye(22) + 0.3 * rng.normal(size=(22, 22)))
    law = x @ rng.normal(size=22) / 3 + x[:, 0] * x[:, 1] / 10 - 6
    labels = rng.random(len(x)) < 1 / (1 + np.exp(-law))
    return scale(x), labels.astype(int)


def _wide():
    """Ten rows in each of ten classes, 1,000 features: normal clouds about ten centres."""
    rng = np.random.default_rng(0)
    labels = np.arange(100) % 10
    x = 0.3 * rng.normal(size=(10, 1_000))[labels] + rng.normal(size=(100, 1_000))
    return scale(x), labels


def _probes() -> Problem:
    """Embeddings whose spectrum falls as k^-1.5, and binary targets drawn from linear laws.

    The targets' rates spread around a quarter, and their logits have a standard deviation of 2.
    """
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(512, 512)))[0]
    x = scale((rng.normal(size=(20_000, 512)) * np.arange(1, 513) ** -0.75) @ rotation)
    laws = x @ rng.normal(size=(512, 64))
    laws = 2 * laws / laws.std(axis=0) + rng.normal(-1.5, 1, 64)
    labels = (rng.random(laws.shape) < 1 / (1 + np.exp(-laws))).T.astype(int)
    return problem(x, labels, 1 / (np.logspace(-4, 4, 20) * len(x)))
