"""The sweep: every lane through the same segments, a chunk of lanes at a time, by one program.

What stands between segments is data on the host's terms: a place to look, to save, to prune. Lanes
that have left are not computed any more, and those that go on fill fewer chunks.
"""

import time
from collections.abc import Callable

import numpy as np

from jaxlr.pytypes import Array, Batch
from jaxlr.results import Ending, Sweep
from jaxlr.sweeps import memory as bytes_of
from jaxlr.sweeps import plans, tasks
from jaxlr.sweeps import progress as standing
from jaxlr.sweeps.checkpoints import Checkpoints
from jaxlr.sweeps.lanes import Lane, Lanes
from jaxlr.sweeps.plans import Plan
from jaxlr.sweeps.progress import Progress
from jaxlr.sweeps.schedules import Schedule
from jaxlr.sweeps.stopping import Stop
from jaxlr.sweeps.tasks import Task


def run(
    lane: Lane,
    lanes: Lanes,
    batch: Batch,
    order: Array,
    *,
    fold_weights: Array | None = None,
    num_segments: int = 1,
    on_segment: Callable[[int, Progress], str | None] | None = None,
    stop: Stop | None = None,
    schedule: Schedule | None = None,
    progress: Progress | None = None,
    memory: int | None = None,
    plan: Plan | None = None,
    checkpoints: Checkpoints | None = None,
) -> Sweep:
    """Runs every lane through `order`.

    The lanes share their minibatches: their products become one matrix product, and they are
    compared on common random numbers. An order per lane costs L times the memory traffic.

    Args:
      lane: the run's three pure functions.
      lanes: the numbers of L lanes, as from `cross`.
      batch: all N examples.
      order: [T, B] rows of each step, or [L, T, B], an order for each lane.
      fold_weights: [F, N], as from `data.folds`: lane i trains with weights
        batch.weights * fold_weights[lanes.fold[i]] and is evaluated on the rest.
      num_segments: S, a divisor of T; the lanes are evaluated at the end of each segment.
      on_segment: called with (segments done, progress) after each; the progress may be kept, but
        not changed, and the answer "stop" ends the sweep.
      stop: when a lane leaves by itself. One that diverges always does.
      schedule: called likewise, before it, but after the last; answers which lanes [L] go on, or
        a `Turnover`, or None. As from `halving`, `hyperband`, `halving_rows` and `population`.
      progress: where to go on, as `on_segment` was given it.
      memory: bytes that lanes and rows may take; None for what is free, less a fifth. Lanes run in
        chunks that fit; even widths, which are multiples of 16, give the same bits on the CPU,
        others the same to a few ulps.
      plan: as from `plan` with these arguments, whose compiled program is used.
      checkpoints: where to keep the progress, and to go on from.

    Returns:
      Sweep. A lane that diverges is data (NaN from step `died_at` on) and disturbs no other.

    Raises:
      ValueError: the segments don't divide the steps, hypers that the lane never uses, a fold that
        has no weights, or a progress or plan of other lanes.
      TypeError: no batch, or one that holds what is no number.
      MemoryError: a single lane needs more.
      OSError: a checkpoint that can't be written.
    """
    started = time.perf_counter()
    task = tasks.task(lane, lanes, batch, order, fold_weights, num_segments)
    compile_seconds = 0.0
    if checkpoints is not None and progress is None:
        progress = checkpoints.found(task, stop)
    if plan is None and (progress is None or progress.done < num_segments):
        plan = plans.fitted(task, memory, stop, schedule is not None)
        compile_seconds = plan.compile_seconds
    _check(task, plan, progress, stop)
    between = plan and bytes_of.resident() + plan.bytes_given - plan.bytes_shared - plan.bytes_chunk
    progress = _start(task, plan, stop) if progress is None else progress
    while progress.done < num_segments:
        progress = _through(task, plan, progress, stop, between)
        if schedule is not None and progress.done < num_segments:
            progress = standing.steered(progress, schedule(progress.done, progress))
        stopped = False
        if on_segment is not None:
            answer = on_segment(progress.done, progress)
            stopped = isinstance(answer, str) and answer == "stop"
        if checkpoints is not None:
            checkpoints.keep(progress, now=stopped or progress.done == num_segments)
        if stopped:
            break
    run_seconds = time.perf_counter() - started - compile_seconds
    return _sweep(task, progress, compile_seconds, run_seconds)


def _start(task: Task, plan: Plan, stop: Stop | None) -> Progress:
    """Every lane before its first step."""
    state = None
    for places in _chunks(np.arange(task.num_lanes), plan.width):
        rows = task.first(np.resize(places, plan.width)).state
        state = standing.room(rows, task.num_lanes) if state is None else state
        state = standing.put(state, places, rows)
    return standing.blank(task, state, plan.figures, stop)


def _through(
    task: Task, plan: Plan, progress: Progress, stop: Stop | None, between: int
) -> Progress:
    """One segment of all lanes that run: a chunk's idle places are filled with copies.

    What was known before it stays as it was, for those who keep it; the process has at most the
    bytes `between` two chunks.
    """
    segment, progress = progress.done, standing.copy(progress)
    home = progress.state, progress.died_at, *standing.before(progress, task.num_lanes)
    for places in _chunks(progress.running, plan.width):
        bytes_of.keep_below(between)
        filled = np.resize(places, plan.width)
        asked = standing.chunk(task, progress, filled), task.rows, task.order(segment, filled)
        home = standing.put(home, places, plan.program(*asked))
        del asked  # or the next chunk would be beside this one
    state, died_at, *figures = home
    progress = progress._replace(state=state, died_at=died_at)
    return standing.after(task, progress, tuple(figures), stop)


def _chunks(places: np.ndarray, width: int) -> list[np.ndarray]:
    return [places[start : start + width] for start in range(0, len(places), width)]


def _check(task: Task, plan: Plan | None, progress: Progress | None, stop: Stop | None) -> None:
    sizes = {"plan": plan and plan.num_lanes, "progress": progress and len(progress.died_at)}
    for name, num in sizes.items():
        if num not in (None, task.num_lanes):
            raise ValueError(
                f"{name} is of {num} lanes, and there are {task.num_lanes}: give the {name} of"
                " these lanes"
            )
    if plan and stop and stop.metric not in plan.figures[1]:
        known = list(plan.figures[1])
        raise ValueError(f"stop.metric must be one of {known}, and is {stop.metric!r}")


def _sweep(task: Task, progress: Progress, compile_seconds: float, run_seconds: float) -> Sweep:
    """What was found; lanes made by hand have no configuration and no seed."""
    _, fold, _, configuration, seed, _ = task.lanes
    configuration = np.arange(len(fold)) if configuration is None else configuration
    seed = np.zeros(len(fold), np.uint32) if seed is None else seed
    ending = progress.ending
    if progress.done == len(task.orders):
        ending = np.where(ending == Ending.RUNNING, Ending.DONE, ending)
    return Sweep(
        progress.state,
        progress.losses,
        progress.metrics,
        progress.died_at,
        compile_seconds,
        run_seconds,
        progress.hypers,
        *map(np.asarray, (configuration, fold, seed)),
        ending,
        progress.segments,
        progress.peak,
        progress.sources,
        progress.history,
        task.num_steps,
    )
