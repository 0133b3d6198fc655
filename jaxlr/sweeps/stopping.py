"""When a lane leaves by itself."""

from typing import NamedTuple

import numpy as np

from jaxlr.results import Ending, Peak


class Stop(NamedTuple):
    """When a lane leaves, by one metric; every number is one for all lanes, or one for each [L].

    With these defaults none leaves, and each one's best segment is kept.

    Attributes:
      metric: its name.
      patience: segments without a better value.
      least: by how much a better value must be better.
      target: a value that is good enough.
      limit: a value that is hopeless.
      maximise: whether more is better.
    """

    metric: str
    patience: float | np.ndarray = np.inf
    least: float | np.ndarray = 0.0
    target: float | np.ndarray | None = None
    limit: float | np.ndarray | None = None
    maximise: bool = False


def better(stop: Stop, peak: Peak, values: np.ndarray) -> np.ndarray:
    """[L] which values are better than every lane's best."""
    gain = (values - peak.value) * (1 if stop.maximise else -1)
    return np.isfinite(values) & (np.isnan(peak.value) | (gain > stop.least))


def judged(stop: Stop, peak: Peak, values: np.ndarray, done: int) -> np.ndarray:
    """[L] the ending of each lane after `done` segments, RUNNING where there is none."""
    sign = -1 if stop.maximise else 1
    ending = np.full(len(values), Ending.RUNNING, np.int8)
    ending[done - peak.segment >= stop.patience] = Ending.PATIENCE
    if stop.limit is not None:
        ending[sign * values > sign * np.asarray(stop.limit)] = Ending.LIMIT
    if stop.target is not None:
        ending[sign * values <= sign * np.asarray(stop.target)] = Ending.TARGET
    return ending
