"""The zoo's real sets: read from files that the project doesn't carry, or scikit-learn's own.

Numbers are standardised and categories one-hot, as the commands do it, but where raw ones are the
point. A set whose file isn't there is left out, with a line that says so.
"""

from pathlib import Path

import numpy as np

from experiments.benchmarks.paths.problems import Entry, Problem, bundled, file_of
from experiments.datasets import DataError, encode, load
from tests.zoo_problems import case


def real(folder: str) -> dict[str, Entry]:
    """Name -> how to build it from the files in a folder; the largest come last."""
    root = Path(folder)
    german, spambase = root / "german", root / "spambase/spambase.data.ssv.gz"
    adult = root / "adult/adult_train_headered.csv.gz"
    built = {
        "digits": lambda: case(*bundled("digits"), folds=3),
        "digits-elastic": lambda: case(*bundled("digits"), 0.5),
        "german": lambda: _table(german / "german.data.gz", folds=3),
        "german-elastic": lambda: _table(german / "german.data-numeric.gz", 0.5),
        "spambase": lambda: _table(spambase),
        "spambase-raw": lambda: _table(spambase, raw=True),
        "spambase-lasso": lambda: _table(spambase, 1.0),
        "bank": lambda: _table(root / "bank_marketing/bank-full.csv.gz"),
        "adult": lambda: _table(adult),
        "adult-lasso": lambda: _table(adult, 1.0, rows=8000),
        "a9a": lambda: _table(file_of(str(root / "a9a")), raw=True),
        "letter": lambda: _table(root / "letter/letter-recognition.data.gz", target=0),
        "banking77": lambda: _embeddings(root / "embeddings/banking77_minilm.npz", 10),
        "mnist": lambda: _table(root / "mnist", raw=True, steps=4, reach=6.0),
    }
    return {name: Entry("real", build) for name, build in built.items()}


def _table(file, l1_ratio=0.0, *, target=None, raw=False, rows=None, **options) -> Problem:
    table = load(str(file), target=target)
    if raw:  # images in [0, 1]
        x = np.asarray(table.features)
        x = x / 255 if x.dtype == np.uint8 else x.astype(float)
    else:
        x = encode(table, np.arange(len(table.labels))).features
    return case(x[:rows], np.asarray(table.labels)[:rows].astype(int), l1_ratio, **options)


def _embeddings(file, each) -> Problem:
    """The first rows of every label."""
    if not file.exists():
        raise DataError(f"{file} is not there")
    with np.load(file) as arrays:
        x, labels = arrays["train_x"], arrays["train_y"]
    order = np.argsort(labels, kind="stable")
    rank = np.arange(len(labels)) - np.searchsorted(labels[order], labels[order])
    used = order[rank < each]
    return case(x[used], labels[used], steps=4, reach=6.0)
