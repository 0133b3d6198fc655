"""The comparison, from two folders to a table."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from experiments.compare.settings import Settings
from experiments.kit import words
from experiments.kit.clock import Clock
from experiments.kit.mistakes import SettingError
from experiments.kit.optimizers import NUMBERS

# What tells lanes apart; every other number of a table is a figure.
SETTINGS = ["config", "learning_rate", "l2", *NUMBERS, "model", "optimizer", "batch_size"]
SETTINGS += ["data", "layer", "target", "l1_ratio", "lambda", "C", "point", "shot"]
UNITS = ["fold", "seed", "dataset"]  # lanes of one share their rows
OUTCOMES = ["status", "died_at"]
HOW = ["out", "overwrite", "resume"]


class Results(NamedTuple):
    """A folder's table and summary."""

    lanes: pd.DataFrame
    summary: dict


def run(settings: Settings, clock: Clock) -> int:
    """Prints the comparison; the exit status."""
    if not 0 < settings.confidence < 1:
        raise SettingError(f"--confidence {settings.confidence:g}: must lie between 0 and 1")
    with clock.part("reading"):
        a, b = read(settings.a), read(settings.b)
    print(*otherwise(a.summary, b.summary), sep="\n")
    table, pairs, unit = compared(a.lanes, b.lanes, settings.confidence)
    print(f"{words.count(pairs, 'pair')} of lanes with the same settings, counted by {unit}", "")
    head = ["", "A", "B", "B − A", f"{100 * settings.confidence:g}% interval"]
    rows = [[words.name(row.figure), *_said(row)] for row in table.itertuples()]
    print(*words.lines(head, rows, texts=1), "", *chosen(a.summary, b.summary), sep="\n")
    return 0


def read(folder: str) -> Results:
    """A folder's results.

    Raises:
      SettingError: it holds none.
    """
    try:
        lanes = pd.read_parquet(Path(folder) / "results.parquet")
        return Results(lanes, json.loads((Path(folder) / "summary.json").read_text()))
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{folder} holds no results (results.parquet and summary.json): give the --out of a"
            " command that has ended"
        ) from error


def compared(a: pd.DataFrame, b: pd.DataFrame, confidence: float) -> tuple[pd.DataFrame, int, str]:
    """(a row per figure: figure, a, b, difference, low, high, units; number of pairs; the unit).

    Raises:
      SettingError: no lane of one has the settings of one of the other, or they have no figure.
    """
    known = [name for name in [*SETTINGS, *UNITS] if name in a and name in b]
    figures = [n for n in a if n in b and n not in [*known, *OUTCOMES] and a[n].dtype.kind in "fi"]
    pairs = a.merge(b, on=known, suffixes=("", " of B")) if known else pd.DataFrame()
    if pairs.empty or not figures:
        raise SettingError(
            "A and B have no lane with the same settings"
            f" ({', '.join(known) or 'no common column'}): give two results of one command and"
            " design"
        )
    units = [name for name in UNITS if name in known and pairs[name].nunique() > 1]
    by = [pairs[name] for name in units] or [np.arange(len(pairs))]
    rows = []
    for name in figures:
        both = pairs[[name, f"{name} of B"]].astype(float)
        both = both[np.isfinite(both).all(axis=1)]
        gains = (both[f"{name} of B"] - both[name]).groupby([of[both.index] for of in by]).mean()
        mean, error = gains.mean(), stats.sem(gains) if len(gains) > 1 else np.nan
        half = stats.t.ppf((1 + confidence) / 2, len(gains) - 1) * error
        rows.append([name, *both.mean(), mean, mean - half, mean + half, len(gains)])
    columns = ["figure", "a", "b", "difference", "low", "high", "units"]
    return pd.DataFrame(rows, columns=columns), len(pairs), " × ".join(units) or "pair"


def otherwise(a: dict, b: dict) -> list[str]:
    """A line for everything that was asked otherwise in B."""
    one, other = a["settings"], b["settings"]
    names = [name for name in {**one, **other} if name not in HOW]
    lines = [
        f"--{name.replace('_', '-')}: {_typed(one.get(name))} in A, {_typed(other.get(name))} in B"
        for name in names
        if one.get(name) != other.get(name)
    ]
    return lines or ["A and B were asked the same"]


def chosen(a: dict, b: dict) -> list[str]:
    """What each chose, and how that did on its test rows."""
    lines = []
    for name, summary in {"A": a, "B": b}.items():
        best, test = summary.get("best"), summary.get("test")
        if not isinstance(best, dict) or not isinstance(test, dict):
            continue
        told = [f"{words.name(n)} {words.tidy(best[n])}" for n in ("config", "mean") if n in best]
        told += [f"test {words.name(n)} {words.number(value)}" for n, value in test.items()]
        lines.append(f"{name} chose {', '.join(told)}")
    return lines


def _said(row) -> list[str]:
    numbers = [words.number(value) for value in (row.a, row.b, row.difference)]
    return [*numbers, f"{words.number(row.low)} to {words.number(row.high)}"]


def _typed(value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
