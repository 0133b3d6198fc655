"""Lanes of two tables with the same settings, and what their figures differ by."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from experiments.kit import words
from experiments.kit.mistakes import CallerError
from experiments.kit.optimizers import NUMBERS
from experiments.sweep.lane import RATES

# What tells lanes apart, as commands and protocols call it; every other number is a figure.
SETTINGS = ("learning_rate", "l2", *NUMBERS, *RATES, "model", "optimizer", "batch_size", "point")
SETTINGS += ("epochs", "hidden")
SETTINGS += ("data", "dataset", "layer", "target", "task", "lambda", "l1_ratio", "weight_decay")
PLACES = ("fold", "seed", "draw", "try")  # settings are compared by their means over these
SAID_AGAIN = ("config", "C", "died_at", "published", "validation published")


class Paired(NamedTuple):
    """Pairs, and what could not be paired.

    Attributes:
      pairs: the shared settings, then NAME_a and NAME_b of every figure that both have.
      keys: the settings, places among them.
      changed: {setting: (its one value in A, in B)}.
      alone: how many lanes are in A, in B only.
    """

    pairs: pd.DataFrame
    keys: list[str]
    changed: dict[str, tuple]
    alone: tuple[int, int]


def paired(a: pd.DataFrame, b: pd.DataFrame) -> Paired:
    """The lanes of `results.parquet` in A and B.

    Raises:
      CallerError: no lane of A has its like in B, or a setting is there twice.
    """
    shared = [name for name in a if name in b and name not in SAID_AGAIN]
    settings = [name for name in shared if name in (*SETTINGS, *PLACES)]
    values = {name: (pd.unique(a[name]), pd.unique(b[name])) for name in settings}
    changed = {
        name: (of_a[0], of_b[0])
        for name, (of_a, of_b) in values.items()
        if len(of_a) == len(of_b) == 1 and not pd.Series(of_a).equals(pd.Series(of_b))
    }
    keys = [name for name in settings if name not in changed]
    for name, table in (("A", a), ("B", b)):
        twice = table.duplicated(keys)
        if twice.any():
            told = table.loc[twice, keys].to_dict("records")[0]
            told = ", ".join(f"{key} {words.setting(value)}" for key, value in told.items())
            raise CallerError(f"{name} has two lanes of {told}: only settings can be compared")
    kept = keys + [name for name in shared if name not in settings]
    pairs = a[kept].merge(b[kept], on=keys, suffixes=("_a", "_b"))
    if pairs.empty:
        apart = [
            f"{name} ({_said(of_a)} and {_said(of_b)})"
            for name, (of_a, of_b) in values.items()
            if name in keys and not set(of_a) & set(of_b)
        ]
        raise CallerError(
            f"no lane of A has its like in B: {', '.join(apart) or 'settings'} differ; compare"
            " results of the same --seed and ranges"
        )
    return Paired(pairs, keys, changed, (len(a) - len(pairs), len(b) - len(pairs)))


def _said(values) -> str:
    first = values.tolist()[0]
    return f"{words.setting(first)}{', …' * (len(values) > 1)}"


def differences(found: Paired) -> pd.DataFrame:
    """A row for each figure: means of A and B, B - A with its interval, settings that rose or fell.

    Of a single setting it is folds, seeds or draws that are counted.
    Columns: figure, settings (n of them, finite in both), a, b, difference, low, high, rose, fell.
    """
    groups = [key for key in found.keys if key not in PLACES]
    if not groups or len(found.pairs[groups].drop_duplicates()) == 1:
        groups = found.keys  # of a single setting each fold, seed or draw
    rows = []
    for name in (column[:-2] for column in found.pairs if column.endswith("_a")):
        of_figure = found.pairs[[f"{name}_a", f"{name}_b"]]
        if set(of_figure.dtypes.map(lambda dtype: dtype.kind)) - set("fiu"):
            continue
        by = [found.pairs[key] for key in groups] or np.zeros(len(of_figure))
        means = of_figure.groupby(by, dropna=False).mean()  # NaN if every fold is
        whole = of_figure.notna().all(axis=1).groupby(by, dropna=False).all()
        a, b = means[whole].replace([np.inf, -np.inf], np.nan).dropna().to_numpy().T
        low = high = np.nan
        if len(a) > 1:
            low, high = stats.ttest_rel(b, a).confidence_interval(0.95)
        told = {"figure": name, "settings": len(a), "a": a.mean(), "b": b.mean()} if len(a) else {}
        ends = {"difference": np.mean(b - a), "low": low, "high": high} if len(a) else {}
        rows.append({**told, **ends, "rose": int((b > a).sum()), "fell": int((b < a).sum())})
    return pd.DataFrame([row for row in rows if "figure" in row])


def endings(found: Paired) -> pd.Series:
    """How many pairs ended otherwise: (status in A, in B) -> number."""
    if "status_a" not in found.pairs:
        return pd.Series(dtype=int)
    counts = found.pairs.groupby(["status_a", "status_b"], observed=True).size()
    return counts[[before != after for before, after in counts.index]]
