"""Who goes on: successive halving and Hyperband, by rungs that all lanes reach together.

Survivors go on from where they are, with their optimizer's state. What a schedule answers depends
on the progress alone: a resumed sweep prunes as an unbroken one.
"""

from collections.abc import Callable

import numpy as np

from jaxlr.results import Ending
from jaxlr.sweeps.progress import Progress, Turnover

Schedule = Callable[[int, Progress], np.ndarray | Turnover | None]
GOLDEN = (5**0.5 - 1) / 2
OUT = (Ending.DIVERGED, Ending.LIMIT, Ending.PRUNED)


def rungs(num_segments: int, keep: float = 1 / 3) -> list[int]:
    """Segments after which lanes are pruned: the last one times keep, keep², ... down to 1."""
    found, place = set(), num_segments * keep
    while place >= 1:
        found.add(round(place))
        place *= keep
    return sorted(found)


def halving(
    configuration: np.ndarray,
    metric: str,
    num_segments: int,
    *,
    keep: float = 1 / 3,
    maximise: bool = False,
) -> Schedule:
    """After each rung the best part of the configurations goes on.

    Args:
      configuration: [L] whose lane it is, as in `Lanes`. One is judged by the mean of its lanes; if
        it has lost one it is the worst.
      metric: by which.
      num_segments: of the sweep; there are `rungs(num_segments, keep)`.
      keep: the part that goes on: of K configurations K keepʳ are left after r rungs, at least 1.
      maximise: whether more is better.

    Reference:
      Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization
      (2016).
    """
    known, place = np.unique(configuration, return_inverse=True)
    brackets = [(np.arange(len(known)), rungs(num_segments, keep))]
    return pruning(brackets, place, metric, keep, maximise)


def hyperband(
    configuration: np.ndarray,
    metric: str,
    num_segments: int,
    *,
    keep: float = 1 / 3,
    maximise: bool = False,
) -> Schedule:
    """Halving in brackets side by side, from many configurations that meet every rung to few none.

    Arguments are those of `halving`. The configurations are dealt out by the golden ratio, so that
    every bracket has its part of all regions of a design.

    Reference:
      Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, Hyperband: a novel bandit-based approach to
      hyperparameter optimization (2018).
    """
    known, place = np.unique(configuration, return_inverse=True)
    every = rungs(num_segments, keep)
    of_brackets = [every[skipped:] for skipped in range(len(every) + 1)]
    parts = np.cumsum([keep ** -len(own) / (len(own) + 1) for own in of_brackets])
    dealt = np.searchsorted(parts / parts[-1], np.arange(len(known)) * GOLDEN % 1, side="right")
    brackets = [(np.flatnonzero(dealt == i), own) for i, own in enumerate(of_brackets)]
    return pruning(brackets, place, metric, keep, maximise)


def pruning(brackets: list, place: np.ndarray, metric: str, keep: float, maximise) -> Schedule:
    """The schedule of brackets (places of configurations, rungs); place [L] is each lane's."""

    def schedule(done: int, progress: Progress) -> np.ndarray | None:
        pruned = np.zeros(place.max() + 1, bool)
        values = worth(progress, place, metric, maximise)
        for configs, own in brackets:
            if done in own:
                left = max(round(len(configs) * keep ** (own.index(done) + 1)), 1)
                pruned[configs[np.argsort(-values[configs], kind="stable")[left:]]] = True
        return ~pruned[place] if pruned.any() else None

    return schedule


def worth(progress: Progress, place: np.ndarray, metric: str, maximise: bool) -> np.ndarray:
    """[K] more is better; what has lost a lane is worth -inf."""
    mean = np.bincount(place, progress.metrics[metric][:, -1]) / np.bincount(place)
    whole = np.bincount(place, np.isin(progress.ending, OUT)) == 0
    return np.where(np.isfinite(mean) & whole, mean if maximise else -mean, -np.inf)
