"""Where every lane stands: what the next segment needs, and what has been seen so far.

Lanes are at home in NumPy's arrays; a chunk takes rows of them with it and brings them back.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.results import Ending, Peak
from jaxlr.sweeps.program import ALIVE, Chunk
from jaxlr.sweeps.stopping import Stop, better, judged
from jaxlr.sweeps.tasks import Task, take


class Progress(NamedTuple):
    """All L lanes after the same number of segments.

    Attributes:
      state: leading axis L.
      died_at: [L] first step whose risk was not finite, or ALIVE.
      step: the next one.
      losses: [L, segments done] mean risk over a segment's steps.
      metrics: {name: [L, segments done]}; a lane that has left keeps its last.
      ending: [L] `Ending` of each lane, RUNNING until it leaves.
      segments: [L] how many it ran.
      peak: its best segment, as `Stop` names it, or None.
    """

    state: Any
    died_at: np.ndarray
    step: np.ndarray
    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    ending: np.ndarray
    segments: np.ndarray
    peak: Peak | None = None

    @property
    def done(self) -> int:
        """Segments until now."""
        return self.losses.shape[1]

    @property
    def running(self) -> np.ndarray:
        """The places of the lanes that go on."""
        return np.flatnonzero(self.ending == Ending.RUNNING)


def blank(task: Task, figures: tuple, stop: Stop | None) -> Progress:
    """Before the first segment; what it holds is for `put` to fill."""
    told, num_lanes = task.shape(task.num_lanes), task.num_lanes
    figures = jax.tree.map(lambda leaf: np.zeros((num_lanes, 0), leaf.dtype), figures)
    state = jax.tree.map(_zeros, told.state)
    peak = None
    if stop is not None:
        params = jax.tree.map(_zeros, params_of(told.state))
        peak = Peak(np.full(num_lanes, np.nan), np.zeros(num_lanes, np.int32), params)
    return Progress(
        state,
        np.full(num_lanes, ALIVE, np.int32),
        np.int32(0),
        *figures,
        np.full(num_lanes, Ending.RUNNING, np.int8),
        np.zeros(num_lanes, np.int32),
        peak,
    )


def chunk(task: Task, progress: Progress, places: np.ndarray) -> Chunk:
    """The lanes at `places`, which may repeat."""
    numbers = task.lanes.hypers, task.lanes.fold, progress.state, progress.died_at
    return Chunk(*take(numbers, places), progress.step)


def put(tree: Any, places: np.ndarray, rows: Any) -> Any:
    """The tree with the first of `rows` at `places`, which NumPy's arrays take in themselves."""

    def write(leaf, new):
        if not isinstance(leaf, np.ndarray):  # random keys, which NumPy doesn't know
            return leaf.at[places].set(new[: len(places)])
        leaf[places] = np.asarray(new)[: len(places)]
        return leaf

    return jax.tree.map(write, tree, rows)


def copy(progress: Progress) -> Progress:
    """The same, whatever happens to this one."""
    return jax.tree.map(
        lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, progress
    )


def before(progress: Progress, num_lanes: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(losses [L], metrics {name: [L]}) of the last segment: lanes that have left keep them."""

    def last(values):
        return values[:, -1].copy() if progress.done else np.zeros(num_lanes, values.dtype)

    return jax.tree.map(last, (progress.losses, progress.metrics))


def after(task: Task, progress: Progress, figures: tuple, stop: Stop | None) -> Progress:
    """One segment further, with its `figures` (losses [L], metrics {name: [L]}); who leaves now."""
    running = progress.running
    seen = progress.losses, progress.metrics
    seen = jax.tree.map(lambda old, new: np.column_stack([old, new]), seen, figures)
    progress = progress._replace(
        step=np.int32(progress.step + task.num_steps), losses=seen[0], metrics=seen[1]
    )
    progress.segments[running] = progress.done
    if stop is not None:
        _judge(progress, running, figures[1][stop.metric], stop)
    if task.lanes.segments is not None:
        over = progress.done >= np.asarray(task.lanes.segments)
        progress.ending[running[over[running]]] = Ending.DONE
    dead = running[progress.died_at[running] != ALIVE]
    progress.ending[dead] = Ending.DIVERGED
    return progress


def prune(progress: Progress, goes_on: np.ndarray | None) -> None:
    """Ends lanes that run and don't go on."""
    if goes_on is None:
        return
    goes_on, num_lanes = np.asarray(goes_on), len(progress.ending)
    if goes_on.dtype != bool or goes_on.shape != (num_lanes,):
        raise ValueError(
            f"schedule must answer None or a boolean for each of the {num_lanes} lanes, and"
            f" answered {goes_on.dtype} of shape {goes_on.shape}"
        )
    running = progress.running
    progress.ending[running[~goes_on[running]]] = Ending.PRUNED


def params_of(state: Any) -> Any:
    """What a lane has learned: the params, where its state names them."""
    return getattr(state, "params", state)


def _judge(progress: Progress, running: np.ndarray, values: np.ndarray, stop: Stop) -> None:
    """Keeps what is the best of running lanes, and lets those leave that `stop` names."""
    peak = progress.peak
    won = running[better(stop, peak, values)[running]]
    peak.value[won], peak.segment[won] = values[won], progress.done
    put(peak.params, won, take(params_of(progress.state), won))
    progress.ending[running] = judged(stop, peak, values, progress.done)[running]


def _zeros(told: Any) -> Any:
    is_key = jax.dtypes.issubdtype(told.dtype, jax.dtypes.prng_key)
    return (jnp if is_key else np).zeros(told.shape, told.dtype)
