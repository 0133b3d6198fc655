"""Compares two result folders of one command, setting by setting.

Lanes of A and B with the same settings, fold and seed are pairs. Every figure that both have is
told as its mean in A, its mean in B, and their difference with Student's interval. Lanes of a fold
share their rows, so that folds (and seeds) are what is counted; of results without any, pairs.
What was asked otherwise in B than in A stands above, the chosen setting and its test below.

Example: python -m experiments.compare out/sgd out/adam
"""

import sys

from experiments.compare.settings import Settings
from experiments.kit import commands


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
