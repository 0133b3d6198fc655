"""The leaderboard: the first configurations by validation loss, as cells and as plain text."""

import re

import numpy as np
import pandas as pd

from experiments.kit import words
from experiments.kit.optimizers import NUMBERS
from experiments.sweep.settings import SCALES

STATIC = ("model", "hidden", "optimizer", "batch_size", "epochs")


def leaderboard(configs: pd.DataFrame, loss_name: str, most: int = 10) -> str:
    """The best `most` configurations as a plain-text table; losses are means ± standard errors."""
    head, rows, _ = cells(configs, loss_name, most)
    finite = int(configs["mean"].notna().sum())
    if not rows:
        return f"No configuration stayed finite: all {len(configs):,} diverged."
    rest = [words.count(finite - len(rows), "more configuration")] if finite > len(rows) else []
    if len(configs) > finite:
        rest.append(f"{len(configs) - finite:,} diverged on at least one fold")
    more = [f"and {words.listed(rest)}"] if rest else []
    return "\n".join(words.lines(head, rows) + more)


def cells(configs: pd.DataFrame, loss_name: str, most: int, also: int | None = None):
    """Column names, rows of text, and the configuration of each row.

    Args:
      configs: as in Findings, best first.
      loss_name: what the ranking loss is called.
      most: how many rows.
      also: a configuration that has a row even if it ranks lower.
    """
    ranked = configs[configs["mean"].notna()].reset_index(drop=True)
    kept = ranked[(ranked.index < most) | (ranked["config"] == also)]
    decimals = words.places(kept["se"].min()) if len(kept) else 0
    losses = [
        words.plus_minus(m, e, decimals) for m, e in zip(kept["mean"], kept["se"], strict=True)
    ]
    columns = {"rank": [str(i + 1) for i in kept.index]}
    for name in [*numbers(configs), *varying_static(configs)]:
        columns[words.name(name)] = [said(name, value) for value in kept[name]]
    for name in ("epochs_run", "rows"):  # of those that were pruned fewer
        if name in configs:
            columns[words.name(name)] = [f"{value:,}" for value in kept[name]]
    columns[f"val. {words.name(loss_name)}"] = losses
    if "val_accuracy" in configs:  # none in a regression
        columns["accuracy"] = [words.percent(share) for share in kept["val_accuracy"]]
    columns["diverged folds"] = [str(folds) for folds in kept["diverged_folds"]]
    return (
        list(columns),
        [list(row) for row in zip(*columns.values(), strict=True)],
        kept["config"].tolist(),
    )


def numbers(configs: pd.DataFrame) -> list[str]:
    """The numbers that were swept."""
    return [name for name in SCALES if name in configs]


def varying_static(configs: pd.DataFrame) -> list[str]:
    """The static settings that differ between configurations."""
    return [name for name in STATIC if name in configs and configs[name].nunique() > 1]


def said(name: str, value) -> str:
    """One number or static setting; nothing where the optimizer has no such number."""
    if name in STATIC:
        return str(value)
    if np.isnan(value):
        return ""
    if name in NUMBERS and NUMBERS[name].scale == "memory":
        return f"{value:.{3 if NUMBERS[name].high < 0.999 else 5}f}"
    return words.tidy(value) if name == "sync_period" else words.number(value)


def kind(settings: pd.Series) -> str:
    """Static settings as a mark's name; a linear model has no stages to be told."""
    return ", ".join(
        value if name in ("model", "optimizer") else f"{words.name(name)} {value}"
        for name, value in settings.items()
        if value
    )


def by_number(kind: str) -> list:
    """What sorts such names: 5 comes before 20."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", kind)]
