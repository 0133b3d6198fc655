"""Fits penalised regressions exactly: every penalty, fold, target and layer as a lane.

Layers of features, targets, folds of the training rows, l1 ratios and penalties lambda are crossed;
every lane is solved to its optimum, with a bound on how far from it the lane can still be. On the
rows that each fold holds out the --metric chooses a penalty and an l1 ratio for each target on each
layer; that setting is refitted on all training rows and meets the test rows once. Writes
results.parquet (a row per lane), summary.json and report.html into --out. With --protocol a
published evaluation is run by its own rule instead, on embeddings with test rows of their own.

Example: python -m experiments.path --data layer0.npy layer1.npy --labels y.npy --out out/probes
"""

import sys

from experiments.kit import commands
from experiments.path.settings import Settings


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 1 a probe without a finite score, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args)


if __name__ == "__main__":
    sys.exit(main())
