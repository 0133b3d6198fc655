"""A thousand classes on few rows each: the size of ImageNet's 1 % with features of 384 numbers.

Question: what does a proved answer cost where solvers of the field end far from it? The rows are
drawn, not ImageNet's: class means and noise from a normal law whose standard deviations fall as
1 / sqrt(j) along random directions, the rows then scaled to length 1. cyanure and scikit-learn take
part where they are installed. The objective's excess is over the least that anyone found.

    python -m experiments.benchmarks.paths.many_classes
"""

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy import special

from experiments.benchmarks import machine, tables
from jaxlr import Batch, backend, losses, paths

ROWS, FEATURES, CLASSES = 12_811, 384, 1_000
NOISE = 1.5  # times the spread of class means


def drawn(rows: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """x [N, D] float32 of length 1 and labels [N], every class as often as can be."""
    draw = np.random.default_rng(0)
    spread = np.arange(1, features + 1) ** -0.5
    turn = np.linalg.qr(draw.normal(size=(features, features)))[0]
    means = draw.normal(size=(classes, features))
    labels = draw.permutation(np.arange(rows) % classes)
    x = (means[labels] + NOISE * draw.normal(size=(rows, features))) * spread @ turn
    return np.float32(x / np.linalg.norm(x, axis=1, keepdims=True)), labels


def risk(x, labels, lam: float, w: np.ndarray, b: np.ndarray) -> float:
    """J in NumPy's float64."""
    logits = np.float64(x) @ w + b
    own = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    mean = (special.logsumexp(logits, axis=1) - own).mean()
    return float(mean + lam / 2 * np.vdot(w, w))


def contestants(x, labels, lam: float) -> dict[str, Callable]:
    """name -> () -> (w [D, C], b [C], what it says of its answer)."""

    def ours():
        path = paths.fit(Batch(x, labels), [lam], loss=losses.softmax_cross_entropy)
        said = f"{paths.Status(int(path.status[0])).name}, gap {path.gap[0] / path.risk[0]:.0e}"
        return path.params["w"][0], path.params["b"][0], said

    def scikit_learn():
        from sklearn.linear_model import LogisticRegression

        fit = LogisticRegression(C=1 / (lam * len(x))).fit(x, labels)
        return fit.coef_.T, fit.intercept_, f"{fit.n_iter_[0]} iterations"

    def cyanure():
        from cyanure.estimators import Classifier

        options = {"loss": "multiclass-logistic", "penalty": "l2", "lambda_1": lam, "tol": 1e-6}
        fit = Classifier(**options, verbose=False).fit(x, labels)
        return fit.get_weights()[0], fit.get_weights()[1], "tol 1e-6"

    peers = {"sklearn": ("scikit-learn as it comes", scikit_learn), "cyanure": ("cyanure", cyanure)}
    here = [peer for name, peer in peers.items() if importlib.util.find_spec(name)]
    return {"jaxlr": ours} | dict(here)


def main() -> None:
    """Measures, and renews results/many_classes.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lambdas", type=float, nargs="+", default=[1e-3, 1e-4, 1e-5])
    parser.add_argument("--shape", type=int, nargs=3, default=[ROWS, FEATURES, CLASSES])
    asked = parser.parse_args()
    backend.cache_compilations()
    (x, labels), lines = drawn(*asked.shape), []
    for lam in asked.lambdas:
        found = []
        for name, work in contestants(x, labels, lam).items():
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                w, b, said = work()
            seconds = time.perf_counter() - start
            own = {"lambda": lam, "who": name, "seconds": seconds, "says": said}
            found.append(own | {"risk": risk(x, labels, lam, w, b)})
        least = min(own["risk"] for own in found)
        lines += [own | {"excess": own["risk"] / least - 1} for own in found]
    told = {"shape": asked.shape, "lines": lines}
    told |= {"machine": machine.description("scikit-learn", "cyanure")}
    print(tables.publish("many_classes", told, "paths/many_classes.md"))


if __name__ == "__main__":
    main()
