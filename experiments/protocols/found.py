"""What a protocol is given, and what it finds."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxlr.pytypes import Params


@dataclass(frozen=True)
class Rows:
    """Rows of one role: x [N, D] float32 and labels [N] (whole numbers), or [N, T] of 0 and 1."""

    x: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Splits:
    """One task's rows as a protocol has them; validation and test are None where there are none."""

    name: str
    train: Rows
    validation: Rows | None
    test: Rows | None
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a protocol found on one task.

    Attributes:
      scores: the published figure first, then what stands beside it; fractions.
      table: a row for each experiment, fold or split, with its own scores.
      curve: a row for each penalty tried, with what chose, in order; None where none is chosen.
      chosen: the setting that won, like {"C": 0.1}; empty where the rule fixes it.
      params: weights of the answer to keep, {"w": [D] or [D, C], "b": [] or [C]}; None where a
        protocol's answer is a mean over many fits and no one of them stands out.
      statuses: how many lanes ended how; empty where no lane was exact.
      worst_gap: the largest proved relative distance to the optimum, NaN without a proof.
      notes: sentences that a reader of the figures must know.
      published: figures of `scores` as others published them for this task, by the same names, with
        whose they are under "of"; None where none are known.
    """

    scores: dict[str, float]
    table: pd.DataFrame
    curve: pd.DataFrame | None = None
    chosen: dict[str, Any] | None = None
    params: Params | None = None
    statuses: Counter | None = None
    worst_gap: float = float("nan")
    notes: tuple[str, ...] = ()
    published: dict[str, Any] | None = None
