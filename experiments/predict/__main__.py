"""Applies a saved model to new rows, and writes a row of predictions for each.

DIR is a result folder: its model.npz, or with --model NAME its models/NAME.npz. Columns are found
by name, in any order; others are ignored, and said. A category that training never met counts as
none of the known. An empty cell is filled by the training median, and flagged where training had
gaps. A column that the file lacks is a mistake, or with --missing-columns impute empty in every
row. Where the file has the target, metrics are printed too. Into --out go the row (from 1), the
prediction (a class, or a value in the target's units) and a probability for each class.

Example: python -m experiments.predict out/path --data new.csv --out predictions.csv
"""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import FlagConversionOff, Positional, arg

from experiments.datasets import new_rows
from experiments.datasets.table import DECIMALS, MISSING_TEXTS, Reading
from experiments.kit import commands, saved
from experiments.predict import judged
from experiments.predict import run as applied

NAME = "experiments.predict"


@dataclass(frozen=True)
class Settings:
    """What to predict, by what, and where to."""

    folder: Positional[Annotated[str, arg(metavar="DIR")]]
    """A result folder, or a model's file."""
    data: str
    """The new rows, in any format that training reads; labels are not needed."""
    out: str = "predictions.csv"
    """A .csv or .parquet file for the predictions; must be new."""
    overwrite: bool = False
    """Replace an earlier --out."""
    model: str | None = None
    """Which of the folder's models/NAME.npz; default: model.npz."""
    missing_columns: Literal["refuse", "impute"] = "refuse"
    """Columns that the file lacks: a mistake, or empty in every row."""
    header: FlagConversionOff[bool | None] = None
    """Whether a CSV's first row holds names; default: look."""
    missing_values: tuple[str, ...] = MISSING_TEXTS
    """Texts that are missing values, as empty cells are."""
    comment: str | None = None
    """Lines of a CSV that begin so are left out; default: above the table those with #."""
    decimal: Literal[DECIMALS] | None = None
    """The decimal sign of columns that could have either, like 1,234; default: that of all other
    columns, or else the point, or the comma where commas do not separate cells."""


def run(settings: Settings) -> int:
    """From a file to a file; the exit status."""
    goal = applied.goal(settings.out, settings.overwrite)
    model = saved.load(applied.model_file(settings.folder, settings.model))
    reading = Reading(settings.header, settings.missing_values, settings.comment, settings.decimal)
    rows = new_rows.read(settings.data, model.encoder, model.target, model.data, reading)
    applied.check(rows, model, settings.missing_columns)
    print(applied.introduction(rows, model))
    commands.remark(applied.remarks(rows))
    scores = saved.scores(model, rows.table)
    applied.write(goal, applied.predictions(model, scores))
    if rows.labels is not None:
        print(judged.sentence(rows.labels, model, scores))
    print(settings.out)
    return 0


def parse(args: list[str] | None = None) -> Settings:
    """The settings of a command line; raises SettingError where one is not understood."""
    return commands.parse(Settings, NAME, __doc__, args)


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(parse, run, args)


if __name__ == "__main__":
    sys.exit(main())
