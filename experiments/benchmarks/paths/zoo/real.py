"""The zoo's real sets: read from files that the project doesn't carry, or scikit-learn's own.

Numbers are standardised and categories one-hot, as the commands do it, but where raw ones are the
point. A set whose file isn't there is left out, with a line that says so.
"""

from pathlib import Path

import numpy as np

from experiments.benchmarks.paths.problems import file_of
from experiments.benchmarks.paths.zoo_problems import Case, Entry, case, standardised
from experiments.datasets import DataError, encode, load


def real(folder: str) -> dict[str, Entry]:
    """Name -> how to build it from the files in a folder; the largest come last."""
    root = Path(folder)
    built = {
        "digits": lambda: _digits(0.0, 3),
        "digits-elastic": lambda: _digits(0.5, 1),
        "german": lambda: _table(root / "german/german.data.gz", folds=3),
        "german-elastic": lambda: _table(root / "german/german.data-numeric.gz", 0.5),
        "spambase": lambda: _table(root / "spambase/spambase.data.ssv.gz"),
        "spambase-raw": lambda: _table(root / "spambase/spambase.data.ssv.gz", raw=True),
        "spambase-lasso": lambda: _table(root / "spambase/spambase.data.ssv.gz", 1.0),
        "bank": lambda: _table(root / "bank_marketing/bank-full.csv.gz"),
        "adult": lambda: _table(root / "adult/adult_train_headered.csv.gz"),
        "adult-lasso": lambda: _table(root / "adult/adult_train_headered.csv.gz", 1.0, rows=8000),
        "a9a": lambda: _table(file_of(str(root / "a9a")), raw=True),
        "letter": lambda: _table(root / "letter/letter-recognition.data.gz", target=0),
        "banking77": lambda: _embeddings(root / "embeddings/banking77_minilm.npz", 10),
        "mnist": lambda: _table(root / "mnist", raw=True, steps=4, reach=6.0),
    }
    return {name: Entry("real", None, build) for name, build in built.items()}


def _digits(l1_ratio, folds) -> Case:
    table = load("digits")
    return case(standardised(np.asarray(table.features)), table.labels, l1_ratio, folds=folds)


def _table(file, l1_ratio=0.0, *, target=None, raw=False, rows=None, **options) -> Case:
    table = load(str(_there(file)), target=target)
    x = _raw(table) if raw else encode(table, np.arange(len(table.labels))).features
    return case(x[:rows], np.asarray(table.labels)[:rows].astype(int), l1_ratio, **options)


def _raw(table) -> np.ndarray:
    """Features as they are; of images in [0, 1]."""
    features = np.asarray(table.features)
    return features / 255 if features.dtype == np.uint8 else features.astype(float)


def _embeddings(file, each) -> Case:
    """The first rows of every label."""
    with np.load(_there(file)) as arrays:
        x, labels = arrays["train_x"], arrays["train_y"]
    order = np.argsort(labels, kind="stable")
    rank = np.arange(len(labels)) - np.searchsorted(labels[order], labels[order])
    used = order[rank < each]
    return case(x[used], labels[used], steps=4, reach=6.0)


def _there(file) -> Path:
    if not Path(file).exists():
        raise DataError(f"{file} is not there")
    return Path(file)
