"""Whole protocols, from rows in memory to scores, beside the loops that people run today.

Question: what does a protocol cost in one call of ours, where every fit is certified, against
scikit-learn's fits one after another on all cores, as its authors run them and as they would have
to be run for as good an answer? A peer that takes minutes does every fifteenth penalty, and its
time is scaled. Times are medians of turns; the first call of ours has its compilation in it.

    python -m experiments.benchmarks.paths.protocols --protocols mteb senteval
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from experiments.benchmarks import machine, tables
from experiments.path.settings import Settings
from experiments.protocols import dinov3, mteb, reading, senteval
from experiments.protocols.found import Found, Splits

FEW = slice(7, None, 15)
LONG = 30.0  # seconds: who takes so long has one turn


class Entry(NamedTuple):
    """One protocol on one task.

    Attributes:
      about: its rows and fits.
      ours: a call of ours.
      peers: name -> (a call that returns scores, the share of the protocol that it does).
    """

    about: str
    ours: Callable[[], Found]
    peers: dict[str, tuple[Callable[[], np.ndarray], float]]


def fitted(x, labels, options) -> LogisticRegression:
    """scikit-learn's fit, which need not say that it hasn't converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogisticRegression(**options).fit(x, labels)


def of_mteb(splits: Splits) -> Entry:
    """Ten draws of eight rows a label."""
    rows = mteb.draws(splits.train.labels)

    def peer(dtype, **options):
        def draw(own):
            fit = fitted(splits.train.x[own].astype(dtype), splits.train.labels[own], options)
            said = fit.predict(splits.test.x.astype(dtype))
            return mteb.figures(splits.test, said, len(splits.class_names))["accuracy"]

        return lambda: np.array(joblib.Parallel(n_jobs=-1)(map(joblib.delayed(draw), rows)))

    exact = {"solver": "newton-cg", "tol": 1e-8, "max_iter": 10_000}
    shape = f"10 draws of {rows.shape[1]} x {splits.train.x.shape[1]}"
    peers = {
        "newton-cg, tol 1e-8": (peer(np.float64, **exact), 1.0),
        "as MTEB runs it": (peer(np.float32, max_iter=100), 1.0),
    }
    return Entry(f"{shape}, {len(splits.class_names)} classes", lambda: mteb.run(splits), peers)


def of_dinov3(splits: Splits) -> Entry:
    """45 values of C, and a refit."""
    train, held = dinov3.validation(splits.train, 0.1, 0)

    def one(cost):
        options = {"C": cost, "tol": 1e-12, "max_iter": 1000}
        return fitted(train.x.astype(float), train.labels, options).score(held.x, held.labels)

    costs = dinov3.COSTS[FEW]
    call = joblib.delayed(one)
    peers = {
        "L-BFGS, tol 1e-12, 1,000 iterations": (
            lambda: np.array(joblib.Parallel(n_jobs=-1)(map(call, costs))),
            len(costs) / len(dinov3.COSTS),
        )
    }
    shape = f"45 C on {len(train.x):,} x {train.x.shape[1]}, {len(splits.class_names)} classes"
    return Entry(shape, lambda: dinov3.run(splits), peers)


def of_senteval(splits: Splits) -> Entry:
    """Ten folds, and of each ten folds and six values of C."""
    whole = Splits(splits.name, splits.train, None, None, splits.class_names)
    outer = senteval.folds(whole, np.ones(len(splits.train.x), bool), senteval.FOLDS)
    x, labels = splits.train.x, splits.train.labels

    def fold(trains):
        dev = np.zeros(len(senteval.COSTS))
        for own in senteval.folds(whole, trains, senteval.FOLDS):
            for k, cost in enumerate(senteval.COSTS):
                held = trains & ~own
                dev[k] += fitted(x[own], labels[own], {"C": cost}).score(x[held], labels[held])
        cost = senteval.COSTS[senteval.first_best(dev / senteval.FOLDS)]
        return fitted(x[trains], labels[trains], {"C": cost}).score(x[~trains], labels[~trains])

    call = joblib.delayed(fold)
    peers = {"as it comes": (lambda: np.array(joblib.Parallel(n_jobs=-1)(map(call, outer))), 1.0)}
    shape = f"10 x 11 folds x 6 C on {len(x):,} x {x.shape[1]}, {len(splits.class_names)} classes"
    return Entry(shape, lambda: senteval.run(whole), peers)


ENTRIES = {
    "mteb": ("banking77", of_mteb),
    "dinov3": ("banking77", of_dinov3),
    "senteval": ("poem_sentiment", of_senteval),
}


def measured(entry: Entry, rounds: int) -> dict:
    """Seconds of first and warm calls, ratios, scores, and how exact ours are."""
    load, start = os.getloadavg()[0], time.perf_counter()
    found = entry.ours()
    first = time.perf_counter() - start
    works = {"jaxlr": entry.ours, **{name: call for name, (call, _) in entry.peers.items()}}
    share = {"jaxlr": 1.0, **{name: part for name, (_, part) in entry.peers.items()}}
    scores, once = {"jaxlr": next(iter(found.scores.values()))}, {}
    for name, (call, _) in entry.peers.items():
        start = time.perf_counter()
        scores[name] = float(np.mean(call()))
        once[name] = (time.perf_counter() - start) / share[name]
    short = {n: work for n, work in works.items() if once.get(n, 0) * share[n] < LONG}
    times = machine.turns(short, rounds)
    times = {n: [t / share[n] for t in times[n]] if n in times else [once[n]] for n in works}
    return {
        "about": entry.about,
        "load": load,
        "first_seconds": first,
        "statuses": dict(found.statuses),
        "worst_gap": found.worst_gap,
        "contestants": {
            name: {
                "seconds": float(np.median(own)),
                "ratio": machine.ratio(own, times["jaxlr"]),
                "share": share[name],
                "score": scores[name] if share[name] == 1 else None,
            }
            for name, own in times.items()
        },
        "machine": machine.description("scikit-learn"),
    }


def main() -> None:
    """Measures the protocols asked for, and renews their part of results/protocols.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocols", nargs="+", choices=list(ENTRIES), default=list(ENTRIES))
    parser.add_argument("--folder", default="../shared/data/embeddings", help="TASK_minilm.npz")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    asked = parser.parse_args()
    kept = tables.kept("protocols").get("problems", {})
    for name in asked.protocols:
        task, made = ENTRIES[name]
        file = Path(asked.folder) / f"{task}_minilm.npz"
        if not file.exists():
            parser.error(f"{file} is not there; name its folder by --folder")
        ((entry,), _) = reading.entries(Settings(data=(str(file),), protocol="mteb"))
        kept[name] = measured(made(entry.splits), asked.rounds)
        kept = {known: kept[known] for known in ENTRIES if known in kept}
        print(tables.publish("protocols", {"problems": kept}, "paths/protocols.md"), flush=True)


if __name__ == "__main__":
    main()
