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

from experiments.kit import commands
from experiments.predict.settings import Settings


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
