"""Banking77 by MTEB's rule: ten data sets of 616 rows, 77 classes, one penalty, in one call.

Question: what do ten exact answers cost, beside scikit-learn's newton-cg at tol 1e-8, and beside
the L-BFGS that MTEB runs, which ends far from the optimum? The draws are those of the published
scores: the accuracies of MTEB's own classifier on them are its published ones.

    python -m experiments.benchmarks.paths.few_shot
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from experiments.benchmarks import machine, tables
from experiments.benchmarks.paths import truth
from experiments.benchmarks.paths.problems import problem
from jaxlr import Batch, losses, paths

SEED = 42
EACH = 8  # rows of a label
DRAWS = 10
PEERS = {
    "scikit-learn newton-cg, tol 1e-8": {"solver": "newton-cg", "tol": 1e-8, "max_iter": 10_000},
    "scikit-learn as MTEB runs it": {"max_iter": 100},
}


def draws(labels: np.ndarray, num_draws: int = DRAWS, each: int = EACH) -> np.ndarray:
    """[S, n] rows: one list, shuffled again before each draw, of which each label gives its first.

    The generator begins anew every time, the list goes on from where it stands.
    """
    order, found = np.arange(len(labels)), []
    for _ in range(num_draws):
        np.random.RandomState(SEED).shuffle(order)
        taken = np.zeros(labels.max() + 1, int)
        rows = []
        for row in order:
            if taken[labels[row]] < each:
                taken[labels[row]] += 1
                rows.append(row)
        found.append(rows)
    return np.array(found)


def contestants(x: np.ndarray, labels: np.ndarray) -> dict[str, Callable]:
    """Who fits data sets x [S, n, D] with labels [S, n]: name -> () -> params of all.

    Ours in one call; C = 1, as in scikit-learn.
    """

    def ours():
        several = {"loss": losses.softmax_cross_entropy, "num_classes": int(labels.max()) + 1}
        path = paths.fit(Batch(x, labels), [1 / x.shape[1]], **several)
        w, b = path.params["w"].reshape(*x.shape[::2], -1), path.params["b"].reshape(len(x), -1)
        return list(zip(w, b, strict=True)), path.status

    def theirs(options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits = [
                LogisticRegression(**options).fit(*rows) for rows in zip(x, labels, strict=True)
            ]
        return [(fit.coef_.T, fit.intercept_) for fit in fits], None

    peers = {name: partial(theirs, options) for name, options in PEERS.items()}
    return {"jaxlr": ours, **peers}


def measured(file: Path, repeats: int) -> dict:
    """Seconds in turn, excess over the least J that anyone found, and accuracies on test rows."""
    with np.load(file) as arrays:
        train, labels, test, test_labels = (
            arrays[name] for name in ("train_x", "train_y", "test_x", "test_y")
        )
    rows = draws(labels)
    sets = [problem(train[some], labels[some], [1 / rows.shape[1]]) for some in rows]
    works, found = contestants(train[rows], labels[rows]), {}
    for name, work in works.items():
        start = time.perf_counter()
        found[name] = (*work(), time.perf_counter() - start)
    risks = {
        name: np.array([truth.risk(a, (0, 0), *of) for a, of in zip(sets, params, strict=True)])
        for name, (params, *_) in found.items()
    }
    least = np.min(list(risks.values()), axis=0)
    times = machine.turns(works, repeats)
    told = {}
    for name, (params, *_) in found.items():
        right = [((test @ w + b).argmax(axis=1) == test_labels).mean() for w, b in params]
        told[name] = {
            "seconds": float(np.median(times[name])),
            "ratio": machine.ratio(times[name], times["jaxlr"]),
            "excess": float(np.max(risks[name] / least - 1)),
            "accuracy": float(np.mean(right)),
        }
    _, status, first = found["jaxlr"]
    certified = float(np.mean(status == paths.Status.certified))
    return {"calls": 1, "certified": certified, "first_seconds": first, "contestants": told}


def main() -> None:
    """Measures, and renews results/few_shot.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    file = "../shared/data/embeddings/banking77_minilm.npz"
    parser.add_argument("--file", default=file, help="NPZ with train_x train_y test_x test_y")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each contestant")
    asked = parser.parse_args()
    if not Path(asked.file).exists():
        parser.error(f"{asked.file} is not there; name it by --file")
    found = measured(Path(asked.file), asked.repeats)
    found |= {"machine": machine.description("scikit-learn")}
    print(tables.publish("few_shot", found, "paths/few_shot.md"))


if __name__ == "__main__":
    main()
