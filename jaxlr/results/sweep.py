"""A sweep's lanes with the numbers that made each its own."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxlr import models
from jaxlr.pytypes import Array
from jaxlr.results import axes, files, predictions, tables

PLACES = ("configuration", "fold", "seed")


class Ending(IntEnum):
    """How a lane of a sweep ended, each by a word of its own in tables."""

    RUNNING = 0  # the sweep was stopped before it
    DONE = 1  # every step was made
    DIVERGED = 2
    TARGET = 3  # it reached `Stop.target`
    PATIENCE = 4  # it was not better for `Stop.patience` segments
    LIMIT = 5  # it went beyond `Stop.limit`
    PRUNED = 6  # the schedule let others go on


WORDS = np.array([ending.name.lower() for ending in Ending])


@files.kept
class Peak(NamedTuple):
    """Every lane's best segment by one metric: value [L], segment [L] (from 1), params there."""

    value: np.ndarray
    segment: np.ndarray
    params: Any


@files.kept
class Sweep(NamedTuple):
    """What a sweep found, with L lanes and S segments.

    Attributes:
      state: every lane's final state, leading axis L.
      losses: [L, S] mean risk over the steps of each segment, penalty included.
      metrics: {name: [L, S]} after each segment, on the rows that the lane's fold holds out
        (on all rows where there are no folds). A lane that has left keeps its last.
      died_at: [L] first step whose risk was not finite, or -1.
      compile_seconds: tracing and compilation.
      run_seconds: everything else.
      hypers: {name: [L]} as the lanes had them.
      configuration, fold, seed: [L] whose lane it is.
      ending: [L] an `Ending` each.
      segments: [L] how many a lane ran.
      peak: each lane's best segment, where `stop` named a metric, or None.
      sources: [L, ·] of a schedule: the lane that each went on from after a segment, itself but
        for turnovers of a population, of which hypers are the last numbers.
      history: {name: [L, ·]} of a schedule: the numbers with which it went on.
      segment_steps: of one segment.
    """

    state: Any
    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    died_at: np.ndarray
    compile_seconds: float
    run_seconds: float
    hypers: dict[str, np.ndarray]
    configuration: np.ndarray
    fold: np.ndarray
    seed: np.ndarray
    ending: np.ndarray | None = None
    segments: np.ndarray | None = None
    peak: Peak | None = None
    sources: np.ndarray | None = None
    history: dict[str, np.ndarray] | None = None
    segment_steps: int = 0

    @property
    def best(self) -> "Sweep":
        """`best_by` the only metric there is, or the one called "loss", the least of it."""
        names = list(self.metrics)
        if len(names) != 1 and "loss" not in names:
            raise AttributeError(f"best of which metric? call best_by with one of {names}")
        return self.best_by("loss" if "loss" in names else names[0])

    def best_by(self, metric: str, *, maximise: bool = False) -> "Sweep":
        """The lanes of the configuration with the best mean of a metric over folds and seeds.

        Raises:
          ValueError: an unknown metric, or one that is finite nowhere.
        """
        if metric not in self.metrics:
            raise ValueError(f"metric must be one of {list(self.metrics)}, and is {metric!r}")
        last = self.metrics[metric][:, -1]
        known, place = np.unique(self.configuration, return_inverse=True)
        mean = np.bincount(place, last) / np.bincount(place)
        worth = np.where(np.isfinite(mean), mean if maximise else -mean, -np.inf)
        stayed = np.bincount(place, self.ending == Ending.PRUNED) == 0
        if np.isfinite(worth[stayed]).any():  # what was pruned has had less time
            worth[~stayed] = -np.inf
        if not np.isfinite(worth).any():
            raise ValueError(f"no configuration has a finite {metric}: every one lost a lane")
        return self._lanes(self.configuration == known[np.argmax(worth)])

    def at(self, **where: float) -> "Sweep":
        """The lanes of one configuration, fold or seed, or of one value of a hyper, by name.

        Raises:
          ValueError: an unknown name, or no such lane; the nearest value is named.
        """
        kept = np.ones(len(self.fold), bool)
        for name, wanted in where.items():
            known = {place: getattr(self, place) for place in PLACES} | self.hypers
            if name not in known:
                raise ValueError(f"{name} is none of {', '.join(known)}")
            values = np.unique(known[name])
            kept &= known[name] == values[axes.value(name, wanted, values)]
        if not kept.any():
            raise ValueError(f"no lane has all of {where}")
        return self._lanes(kept)

    def _lanes(self, kept: np.ndarray) -> "Sweep":
        def of(tree):
            return jax.tree.map(lambda leaf: leaf[kept], tree)

        whole = ("compile_seconds", "run_seconds", "segment_steps")
        return self._replace(**{n: of(getattr(self, n)) for n in self._fields if n not in whole})

    def frame(self):
        """A pandas table with a row per lane: its place, its hypers, what its last segment gave."""
        columns = {place: getattr(self, place) for place in PLACES} | self.hypers
        columns |= {"risk": self.losses[:, -1]}
        columns |= {name: values[:, -1] for name, values in self.metrics.items()}
        return tables.table(columns | {"status": WORDS[self.ending], "died_at": self.died_at})

    def steps(self):
        """A pandas table with a row per lane and segment that it ran, lane by lane.

        Columns: `lane` (its row in `frame()`), its place and last hypers, `segment` from 1, `step`,
        how many the lane had made, `rung`, how many times lanes had been pruned before the segment,
        `risk` over it, the metrics after it, and `status`: running, or in a lane's last row how it
        ended.
        """
        ran = self.losses.shape[1]
        lane, at = np.nonzero(np.arange(ran) < self.segments[:, None])
        segment = at + 1
        cuts = np.unique(self.segments[self.ending == Ending.PRUNED])
        ended = np.where(segment == self.segments[lane], self.ending[lane], Ending.RUNNING)
        columns = {"lane": lane} | {place: getattr(self, place)[lane] for place in PLACES}
        columns |= {name: numbers[lane] for name, numbers in self.hypers.items()}
        columns |= {"segment": segment, "step": segment * self.segment_steps}
        columns |= {"rung": np.searchsorted(cuts, segment), "risk": self.losses[lane, at]}
        columns |= {name: values[lane, at] for name, values in self.metrics.items()}
        return tables.table(columns | {"status": WORDS[ended]})

    def predict(self, x: Any, model: Callable = models.linear) -> np.ndarray:
        """Logits [L, M] or [L, M, C] of every lane's params on rows x [M, D]."""
        params = getattr(self.state, "params", self.state)
        of_rows = jax.vmap(model, in_axes=(None, 0))
        return np.asarray(jax.vmap(of_rows, in_axes=(0, None))(params, jax.numpy.asarray(x)))

    def probabilities(
        self,
        x: Any,
        loss: Callable[[Array, Array], Array] | None = None,
        model: Callable = models.linear,
    ) -> np.ndarray:
        """Of label 1 [L, M], or of every class [L, M, C]; the loss says which, as of a `Path`."""
        if loss is None:
            raise ValueError("a sweep does not know its loss: say loss=losses.log_loss, or another")
        return predictions.probabilities(predictions.loss_name(loss), self.predict(x, model))

    def save(self, path: str) -> None:
        """Into one file, for `results.load`.

        There a NamedTuple of another module, as an optimizer's state, has its names but not its
        type.
        """
        files.save(path, self)
