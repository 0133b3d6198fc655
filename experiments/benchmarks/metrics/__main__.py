"""How fast are the metrics? A thousand lanes in one program, beside scikit-learn on every core.

Question: what do AUC, average precision and log-loss of 1,000 lanes x 10,000 scores cost, and the
classification figures of 1,000 lanes x 10 classes x 10,000 rows, when one compiled program scores
all lanes, against scikit-learn with a process on each core? And is one call on ten million rows no
slower than scikit-learn's?

Ours runs with one virtual device a core, lanes sharded over them; scikit-learn's processes are
started, warm and hold the data as memory maps before the clock starts, and get their lanes in one
piece each. Everybody takes turns, and a ratio is the median over rounds.

    python -m experiments.benchmarks.metrics
"""

import argparse
import functools
import itertools
import os
from collections.abc import Callable

import jax
import numpy as np
from joblib import Parallel, delayed
from sklearn import metrics as theirs

from experiments.benchmarks import machine, tables
from jaxlr import metrics as ours
from jaxlr.metrics import figures

CORES = os.cpu_count() or 1
RANKING = {
    "roc_auc_score": ("label", "score"),
    "average_precision_score": ("label", "score"),
    "log_loss": ("label", "probability"),
}
COUNTING = ("accuracy_score", "confusion_matrix", "matthews_corrcoef")


def problems(num_lanes: int, num_rows: int) -> dict[str, np.ndarray]:
    """Scores with few ties and their labels; ten classes and predictions right half the time."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=(num_lanes, num_rows)).astype(np.float32)
    label = rng.random(score.shape) < 1 / (1 + np.exp(-score))
    truth = rng.integers(0, 10, score.shape)
    guess = np.where(rng.random(score.shape) < 0.5, truth, rng.integers(0, 10, score.shape))
    probability = (1 / (1 + np.exp(-score))).astype(np.float32)
    whole = {"label": label, "truth": truth, "guess": guess}
    whole = {name: column.astype(np.int32) for name, column in whole.items()}
    return {"score": score, "probability": probability, **whole}


def ranking_figures(metrics, names: tuple[str, ...], lane: dict) -> list:
    """The named ones of AUC, average precision and log-loss of one lane."""
    return [getattr(metrics, name)(*(lane[c] for c in RANKING[name])) for name in names]


FIGURES = {  # ours of a confusion matrix, theirs of truth and guess
    figures.accuracy: theirs.accuracy_score,
    figures.balanced_accuracy: theirs.balanced_accuracy_score,
    figures.matthews_corrcoef: theirs.matthews_corrcoef,
    figures.cohen_kappa: theirs.cohen_kappa_score,
}


def our_figures(lane: dict) -> list:
    """The classification figures of one lane, from one confusion tensor."""
    confusion = ours.confusion_matrix(lane["truth"], lane["guess"], num_classes=10)
    by_class = ours.one_vs_rest(confusion)
    macro = [f(by_class, "macro") for f in (figures.precision, figures.recall)]
    macro.append(figures.f_beta(by_class, 1.0, "macro"))
    return [confusion, *macro, *(figure(confusion) for figure in FIGURES)]


def their_figures(lane: dict) -> list:
    """The same from scikit-learn, each with the call meant for it."""
    both = lane["truth"], lane["guess"]
    macro = theirs.precision_recall_fscore_support(*both, average="macro")[:3]
    return [theirs.confusion_matrix(*both), *macro, *(f(*both) for f in FIGURES.values())]


def their_lanes(work: Callable, columns: dict[str, np.ndarray], lanes: np.ndarray) -> list:
    """What one process of scikit-learn's does: its lanes, one after another."""
    return [work({name: column[i] for name, column in columns.items()}) for i in lanes]


def duel(mine: Callable, peer: Callable, rounds: int) -> dict:
    """Both in turn: median milliseconds, the median ratio to ours, and how far apart they are."""
    contestants = {"jaxlr": mine, "scikit-learn": peer}
    answers = [jax.tree.leaves(run()) for run in contestants.values()]  # and so all is warm
    times = machine.turns(contestants, rounds)
    return {
        "milliseconds": {name: 1e3 * float(np.median(t)) for name, t in times.items()},
        "ratio": {"scikit-learn": machine.ratio(times["scikit-learn"], times["jaxlr"])},
        "greatest_difference": max(
            float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float))))
            for a, b in zip(*answers, strict=True)
        ),
    }


def lanes(num_lanes: int, num_rows: int, rounds: int) -> dict:
    """The duels of many lanes: each ranking metric, all three, and the classification figures."""
    columns = problems(num_lanes, num_rows)
    mesh = jax.make_mesh((CORES,), ("lanes",), axis_types=(jax.sharding.AxisType.Auto,))
    placed = jax.device_put(columns, jax.sharding.NamedSharding(mesh, jax.P("lanes")))
    pieces = np.array_split(np.arange(num_lanes), CORES)
    asked = {
        " + ".join(names): [
            functools.partial(ranking_figures, metrics, names) for metrics in (ours, theirs)
        ]
        for names in (*((name,) for name in RANKING), tuple(RANKING))
    }
    asked["classification figures"] = [our_figures, their_figures]

    def on_all_cores(pool, work):
        done = pool(delayed(their_lanes)(work, columns, piece) for piece in pieces)
        return jax.tree.map(lambda *of_all: np.stack(of_all), *itertools.chain(*done))

    with Parallel(n_jobs=CORES, mmap_mode="r", max_nbytes=1) as pool:
        return {
            name: duel(
                functools.partial(jax.jit(jax.vmap(mine)), placed),
                functools.partial(on_all_cores, pool, peer),
                rounds,
            )
            for name, (mine, peer) in asked.items()
        }


def single_calls(num_rows: int, rounds: int) -> dict:
    """One eager call on numpy arrays against one of scikit-learn's."""
    columns = problems(1, num_rows)
    found = {}
    for name in (*RANKING, *COUNTING):
        asked = [columns[column][0] for column in RANKING.get(name, ("truth", "guess"))]
        calls = [functools.partial(getattr(m, name), *asked) for m in (ours, theirs)]
        found[name] = duel(*calls, rounds)
    return found


def main() -> None:
    """Runs everything, prints the tables and writes results/metrics.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--single", type=int, default=10_000_000, help="rows of a single call")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    results = {
        "machine": machine.description("scikit-learn", "torchmetrics", "torcheval"),
        "lanes": lanes(asked.lanes, asked.rows, asked.rounds),
        "single": single_calls(asked.single, max(1, asked.rounds - 1)),
    }
    print(tables.publish("metrics", results, "metrics/page.md", asked=asked))


if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", CORES)
    main()
