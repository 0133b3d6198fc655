"""Trains, cross-validates and compares many settings as lanes of one compiled program.

A design of --configs points over learning rate, momentum and l2 is crossed with --folds folds of
the training rows; every lane meets the same minibatches. The setting with the smallest mean
validation loss is refitted on all training rows and meets the test rows once. Writes
results.parquet (a row per lane), steps.parquet (a row per lane and evaluation), summary.json and
report.html into --out.

Example: python -m experiments.sweep --data breast_cancer --out out/breast --configs 64
"""

import sys

from experiments.kit import commands
from experiments.sweep.settings import Settings


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 1 every lane diverged, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
