"""What a person should know of the rows before they believe a protocol's figures."""

from collections.abc import Sequence

import numpy as np

from experiments.datasets.errors import listed
from experiments.protocols.reading import Entry
from experiments.protocols.table import PROTOCOLS

UNIT = 1e-3  # how far from 1 the length of a normalised row lies, also in float16


def of(protocol: str, entries: Sequence[Entry]) -> list[str]:
    """A sentence for each thing worth knowing."""
    said = []
    if PROTOCOLS[protocol].unit_rows:
        lengths = {}
        for model, splits in entries:
            length = np.sqrt(np.einsum("nd,nd->n", splits.train.x, splits.train.x))
            if np.abs(length - 1).max() > UNIT:
                lengths[model] = f"{length.min():.3g} to {length.max():.3g}"
        if lengths:
            name, length = next(iter(lengths.items()))
            said.append(
                f"rows of {listed(lengths)} are not of length 1 ({name}: {length}): --protocol"
                f" {protocol} takes features as they are, and C means less penalty for longer rows"
            )
    for splits in {entry.splits.name: entry.splits for entry in entries}.values():
        if splits.test is None or splits.test.labels.ndim > 1:
            continue
        missing = np.setdiff1d(np.arange(len(splits.class_names)), splits.test.labels)
        if len(missing):
            names = listed((splits.class_names[c] for c in missing), 4)
            said.append(f"no test row of {splits.name} is {names}")
    return said
