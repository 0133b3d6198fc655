"""Population-based training: settings change on the way, the worst taking over from the best."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxlr.results import Sweep
from jaxlr.sweeps.lanes import Lanes
from jaxlr.sweeps.progress import Progress, Turnover
from jaxlr.sweeps.schedules import Schedule, worth
from jaxlr.sweeps.spaces import LogUniform, Uniform

FACTORS = (0.8, 1.25)


class Lineage(NamedTuple):
    """How every lane of a population became what it is, with S segments.

    lane: [L, S] which lane it was in each. hypers: {name: [L, S]} the numbers it had there.
    """

    lane: np.ndarray
    hypers: dict[str, np.ndarray]


def population(
    lanes: Lanes,
    metric: str,
    space: Mapping[str, Uniform | LogUniform],
    *,
    every: int = 1,
    part: float = 0.25,
    seed: int = 0,
    maximise: bool = False,
) -> Schedule:
    """The worst part of the configurations go on from the best part, with their numbers changed.

    A lane takes over the state of the same fold of one of the best, drawn by chance, and its
    numbers, of which those of `space` are multiplied by 0.8 or 1.25 and kept in their range. What
    is drawn depends on the seed and the segment alone. What came of it is `lineage`.

    Args:
      lanes: as from `cross`.
      metric: by which; a configuration is judged by the mean of its lanes.
      space: the numbers that change.
      every: segments from one turnover to the next.
      part: of the configurations, at most a half.
      seed: of what is drawn.
      maximise: whether more is better.

    Raises:
      ValueError: a part above a half, or of which no configuration has a share.

    Reference:
      Jaderberg et al., Population based training of neural networks (2017).
    """
    if not 0 < part <= 0.5:
        raise ValueError(f"part must lie above 0 and be at most 0.5, and is {part}")
    known, place = np.unique(lanes.configuration, return_inverse=True)
    of_config = np.argsort(place * (1 + np.max(lanes.fold)) + lanes.fold).reshape(len(known), -1)
    num_moved = int(len(known) * part)
    if not num_moved:
        raise ValueError(
            f"a part of {part:g} of {len(known)} configurations is none; take at least"
            f" {math.ceil(1 / part)}"
        )

    def schedule(done: int, progress: Progress) -> Turnover | None:
        if done % every:
            return None
        ranked = np.argsort(-worth(progress, place, metric, maximise), kind="stable")
        best, worst = ranked[:num_moved], ranked[len(known) - num_moved :]
        rng = np.random.default_rng([seed, done])
        source = np.arange(len(place))
        source[of_config[worst]] = of_config[rng.choice(best, num_moved)]
        hypers = {name: column[source] for name, column in progress.hypers.items()}
        for name, (low, high) in space.items():
            factors = rng.choice(FACTORS, (num_moved, 1))
            moved = np.clip(hypers[name][of_config[worst]] * factors, low, high)
            hypers[name][of_config[worst]] = moved
        return Turnover(source, hypers)

    return schedule


def lineage(lanes: Lanes, swept: Sweep) -> Lineage:
    """Every lane's ancestors in a sweep of these lanes that had a schedule.

    Raises:
      ValueError: a sweep without a schedule, or some lanes of one, as of `best`.
    """
    num_lanes = len(lanes.fold)
    if swept.sources is None or swept.sources.shape != (num_lanes, swept.losses.shape[1] - 1):
        raise ValueError(
            f"the sweep must be that of all {num_lanes} lanes, to its end and with a schedule"
        )
    ancestors = [np.arange(num_lanes)]
    for source in swept.sources.T[::-1]:
        ancestors.insert(0, source[ancestors[0]])
    lane = np.stack(ancestors, axis=1)
    numbers = {n: np.column_stack([lanes.hypers[n], v]) for n, v in swept.history.items()}
    segments = np.arange(lane.shape[1])
    return Lineage(lane, {name: column[lane, segments] for name, column in numbers.items()})


def replay(hypers: Mapping[str, np.ndarray]) -> Schedule:
    """The lanes go through numbers {name: [L, S]} laid down before, such as those of a `Lineage`.

    The sweep's lanes have the first column, and it has S segments.
    """

    def schedule(done: int, progress: Progress) -> Turnover:
        return Turnover(hypers={name: column[:, done] for name, column in hypers.items()})

    return schedule
