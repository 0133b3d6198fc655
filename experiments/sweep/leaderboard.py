"""The leaderboard: the first configurations by validation loss, as cells and as plain text."""

import pandas as pd

from experiments.kit import words

HYPERS = ("learning_rate", "momentum", "l2")
STATIC = ("model", "optimizer", "batch_size")


def leaderboard(configs: pd.DataFrame, loss_name: str, most: int = 10) -> str:
    """The best `most` configurations as a plain-text table; losses are means ± standard errors."""
    head, rows, _ = cells(configs, loss_name, most)
    finite = int(configs["mean"].notna().sum())
    if not rows:
        return f"No configuration stayed finite: all {len(configs):,} diverged."
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(row, widths) for row in [head, ["-" * width for width in widths], *rows]]
    rest = [words.count(finite - len(rows), "more configuration")] if finite > len(rows) else []
    if len(configs) > finite:
        rest.append(f"{len(configs) - finite:,} diverged on at least one fold")
    return "\n".join(lines + ([f"and {words.listed(rest)}"] if rest else []))


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
    static = varying_static(configs)
    accuracy = [name for name in ("val_accuracy",) if name in configs]  # none in a regression
    head = ["rank", *(words.name(h) for h in HYPERS), *(words.name(s) for s in static)]
    head += [f"val. {words.name(loss_name)}", *("accuracy" for _ in accuracy), "diverged folds"]
    decimals = words.places(kept["se"].min()) if len(kept) else 0
    rows = [
        [
            str(i + 1),
            words.number(row["learning_rate"]),
            f"{row['momentum']:.3f}",
            words.number(row["l2"]),
            *(str(row[name]) for name in static),
            words.plus_minus(row["mean"], row["se"], decimals),
            *(words.percent(row[name]) for name in accuracy),
            str(row["diverged_folds"]),
        ]
        for i, row in kept.iterrows()
    ]
    return head, rows, kept["config"].tolist()


def varying_static(configs: pd.DataFrame) -> list[str]:
    """The static settings that differ between configurations."""
    return [name for name in STATIC if name in configs and configs[name].nunique() > 1]


def _line(row, widths) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
