"""Which optimizer, on which data? Every optimizer tunes on an equal budget, and all are compared.

Each of --optimizers gets --points Sobol points of its own space and the same --seeds; a seed is a
held-out fold and an order of minibatches. Judged by validation loss; the test split stays
untouched. Writes results.parquet (a row per optimizer, setting and seed), summary.json and
report.html into --out.

Example: python -m experiments.optimizers --data digits breast_cancer --out out/optimizers
"""

import sys

from experiments.kit import commands
from experiments.optimizers.settings import Settings


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
