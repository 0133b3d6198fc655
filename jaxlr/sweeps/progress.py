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


class Turnover(NamedTuple):
    """A schedule's answer: who goes on, from where and with which numbers; None changes nothing.

    Lane i goes on from where lane source[i] is, with its own hypers {name: [L]}, of which those
    that stay need no name; the lanes of goes_on [L] do, the others leave.
    """

    source: np.ndarray | None = None
    hypers: dict[str, np.ndarray] | None = None
    goes_on: np.ndarray | None = None


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
      hypers: {name: [L]} as they are now.
      sources: [L, segments done] the lane from which each went on after a segment, mostly itself.
      history: {name: [L, segments done]} the hypers with which it went on.
      peak: its best segment, as `Stop` names it, or None.
    """

    state: Any
    died_at: np.ndarray
    step: np.ndarray
    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    ending: np.ndarray
    segments: np.ndarray
    hypers: dict[str, np.ndarray]
    sources: np.ndarray
    history: dict[str, np.ndarray]
    peak: Peak | None = None

    @property
    def done(self) -> int:
        """Segments until now."""
        return self.losses.shape[1]

    @property
    def running(self) -> np.ndarray:
        """The places of the lanes that go on."""
        return np.flatnonzero(self.ending == Ending.RUNNING)


def blank(task: Task, state: Any, figures: tuple, stop: Stop | None) -> Progress:
    """Before the first segment, with the lanes' first state; `figures` as a plan's."""
    num_lanes = task.num_lanes
    figures, history = jax.tree.map(
        lambda leaf: np.zeros((num_lanes, 0), leaf.dtype), (figures, task.lanes.hypers)
    )
    peak = None
    if stop is not None:
        params = room(params_of(state), num_lanes)
        peak = Peak(np.full(num_lanes, np.nan), np.zeros(num_lanes, np.int32), params)
    return Progress(
        state,
        np.full(num_lanes, ALIVE, np.int32),
        np.int32(0),
        *figures,
        np.full(num_lanes, Ending.RUNNING, np.int8),
        np.zeros(num_lanes, np.int32),
        task.lanes.hypers,
        np.zeros((num_lanes, 0), np.int32),
        history,
        peak,
    )


def chunk(task: Task, progress: Progress, places: np.ndarray) -> Chunk:
    """The lanes at `places`, which may repeat."""
    numbers = progress.hypers, task.lanes.fold, progress.state, progress.died_at
    return Chunk(*take(numbers, places), progress.step)


def room(rows: Any, num_lanes: int) -> Any:
    """Zeros for so many lanes, like `rows` of fewer, for `put` to fill."""

    def zeros(leaf):
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return (jnp if is_key else np).zeros((num_lanes, *leaf.shape[1:]), leaf.dtype)

    return jax.tree.map(zeros, rows)


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


def steered(progress: Progress, answer: np.ndarray | Turnover | None) -> Progress:
    """What a schedule's answer makes of it: who goes on, from where, and with which numbers."""
    turn = answer if isinstance(answer, Turnover) else Turnover(goes_on=answer)
    source = np.arange(len(progress.ending), dtype=np.int32)
    if turn.source is not None:
        source = np.asarray(turn.source, np.int32)
        own = progress.state, progress.died_at, progress.ending, progress.peak
        names = ("state", "died_at", "ending", "peak")
        progress = progress._replace(**dict(zip(names, take(own, source), strict=True)))
    if turn.goes_on is not None:
        _prune(progress, np.asarray(turn.goes_on))
    hypers = progress.hypers | (turn.hypers or {})
    seen = progress.sources, progress.history
    seen = jax.tree.map(lambda old, new: np.column_stack([old, new]), seen, (source, hypers))
    return progress._replace(hypers=hypers, sources=seen[0], history=seen[1])


def params_of(state: Any) -> Any:
    """What a lane has learned: the params, where its state names them."""
    return getattr(state, "params", state)


def _prune(progress: Progress, goes_on: np.ndarray) -> None:
    """Lets the other running lanes leave."""
    num_lanes = len(progress.ending)
    if goes_on.dtype != bool or goes_on.shape != (num_lanes,):
        raise ValueError(
            f"schedule must answer None, a boolean for each of the {num_lanes} lanes or a"
            f" Turnover, and answered {goes_on.dtype} of shape {goes_on.shape}"
        )
    progress.ending[~goes_on & (progress.ending == Ending.RUNNING)] = Ending.PRUNED


def _judge(progress: Progress, running: np.ndarray, values: np.ndarray, stop: Stop) -> None:
    """Keeps what is the best of running lanes, and lets those leave that `stop` names."""
    peak = progress.peak
    won = running[better(stop, peak, values)[running]]
    peak.value[won], peak.segment[won] = values[won], progress.done
    put(peak.params, won, take(params_of(progress.state), won))
    progress.ending[running] = judged(stop, peak, values, progress.done)[running]
