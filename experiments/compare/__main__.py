"""Compares the lanes of two result folders, paired by setting.

Is B better than A, and how surely?

A pair has the same settings and fold in both. What each folder holds one value of, and not the same
one, is what was changed, and no pair is made by it. A mean difference B - A is over settings, each
the mean of its folds and seeds, with its 95 % interval by Student's t; of a single setting it is
over its folds, seeds or draws.
Configurations of a population are known by the numbers that they began with.

Example: python -m experiments.compare out/batch64 out/batch256
"""

import sys

from experiments.compare.settings import Settings
from experiments.kit import commands


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
