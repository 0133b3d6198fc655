"""What a sweep will compile, hold and take, said before it runs."""

import math
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxlr.pytypes import Array, Batch
from jaxlr.sweeps import memory as bytes_of
from jaxlr.sweeps import program, progress, tasks
from jaxlr.sweeps.lanes import Lane, Lanes
from jaxlr.sweeps.schedules import Schedule
from jaxlr.sweeps.spaces import Design
from jaxlr.sweeps.stopping import Stop
from jaxlr.sweeps.tasks import Task

# Lanes that the CPU takes through a segment at a time. More save no time (1,280 softmax regressions
# on digits take a sixth longer at once than 256 by 256), and need memory for all their logits;
# but as many small ones as its cache holds (3,072 logistic regressions on breast_cancer take a
# quarter less time 768 by 768).
WIDE = 256
CACHE = 2**21  # bytes
# XLA's products of fewer lanes may add up in another order, and so differ in their last bits.
EVEN = 16
FIGURE = 4  # bytes of a lane's metric after a segment
PACKED = 1.1  # products pack their factors, which XLA doesn't tell of
SHARE = 8  # where lanes leave early, a chunk is at most this part of them, so that chunks fall away


class Group(NamedTuple):
    """Points that share a program: the static settings, their places in the design, the numbers."""

    settings: dict[str, Any]
    points: np.ndarray
    hypers: dict[str, np.ndarray]


class Plan(NamedTuple):
    """How L lanes go through S segments: by one program, W lanes at a time.

    W is L, or a multiple of 16, or less where memory has no room for more.

    Attributes:
      num_lanes, num_segments, width: L, S and W.
      num_compilations: 1, and 1 more for each wider chunk that didn't fit.
      bytes_shared: of rows and order.
      bytes_per_lane: of what is kept of a lane while others run.
      bytes_chunk: of what W lanes need beside that while they run.
      bytes_given: the memory that all of it fits in, and a tenth.
      compile_seconds: of tracing and compilation, which are done.
      program: a compiled segment.
      flops: of the whole sweep; NaN where XLA doesn't tell.
      run_seconds: expected beside them; None where no segment was timed.
    """

    num_lanes: int
    num_segments: int
    width: int
    num_compilations: int
    bytes_shared: int
    bytes_per_lane: int
    bytes_chunk: int
    bytes_given: int
    compile_seconds: float
    program: jax.stages.Compiled
    flops: float = math.nan
    run_seconds: float | None = None

    @property
    def figures(self) -> tuple:
        """What stands for (losses [W], metrics {name: [W]}) of a chunk."""
        return self.program.out_info[2:]

    @property
    def num_chunks(self) -> int:
        """Chunks of a segment while no lane has left."""
        return math.ceil(self.num_lanes / self.width)

    @property
    def bytes_total(self) -> int:
        """At the most; lanes as they were before a segment are among it, for who keeps them."""
        return self.bytes_shared + 2 * self.num_lanes * self.bytes_per_lane + self.bytes_chunk


def groups(design: Design) -> list[Group]:
    """The design's points by static settings; their number is the number of compilations."""
    names = list(design.settings)
    keys = list(zip(*design.settings.values(), strict=True)) or [()] * design.num_points
    return [
        _group(dict(zip(names, key, strict=True)), keys, key, design)
        for key in dict.fromkeys(keys)  # in order of first appearance
    ]


def plan(
    lane: Lane,
    lanes: Lanes,
    batch: Batch,
    order: Array,
    *,
    fold_weights: Array | None = None,
    num_segments: int = 1,
    stop: Stop | None = None,
    schedule: Schedule | None = None,
    memory: int | None = None,
) -> Plan:
    """What `run` will do with the same arguments, and how long it will take.

    It compiles the segment, which `run(..., plan=)` then has, and times it on the first chunk.
    Savings by lanes that leave aren't foreseen.

    Raises:
      MemoryError: one lane needs more; and as of `run`.
    """
    task = tasks.task(lane, lanes, batch, order, fold_weights, num_segments)
    made = fitted(task, memory, stop, schedule is not None)
    return made._replace(flops=_flops(task, made), run_seconds=_expected(task, made))


def fitted(task: Task, memory: int | None, stop: Stop | None, leaving: bool = False) -> Plan:
    """The plan without times: chunks as wide as is good for speed and as memory has room for."""
    started = time.perf_counter()
    given = bytes_of.free() if memory is None else memory
    leaves = leaving or stop is not None or task.is_ragged
    width, tried = even(task.num_lanes, fastest(task), leaves), 0
    while True:
        compiled, tried = task.lowered(width).compile(), tried + 1
        made = Plan(
            task.num_lanes,
            len(task.orders),
            width,
            tried,
            bytes_of.size((task.rows, task.orders)),
            _kept(task, compiled.out_info[2:], stop is not None, leaving),
            _needed(task, width, compiled),
            given,
            time.perf_counter() - started,
            compiled,
        )
        if made.bytes_total * PACKED <= given:
            return made
        if width == 1:
            raise MemoryError(
                f"the sweep needs {made.bytes_total / 2**20:.3g} MiB even with one lane at a time,"
                f" and memory is {given / 2**20:.3g} MiB: give more, or take fewer lanes"
            )
        width = max(width // 4, 1)
        width = width // EVEN * EVEN or width


def fastest(task: Task) -> int:
    """Lanes that go through a segment together best, if there are so many."""
    if jax.default_backend() != "cpu":
        return task.num_lanes
    logits = task.rows.batch.labels  # that many at the least
    return max(WIDE, CACHE // bytes_of.size((task.shape(1).state, logits)))


def even(num_lanes: int, most: int, leaving: bool) -> int:
    """Lanes of a chunk of `most`: chunks are alike, so that few places are idle."""
    if leaving:
        most = min(most, max(num_lanes // SHARE, EVEN))
    if num_lanes <= most:
        return num_lanes
    each = math.ceil(num_lanes / math.ceil(num_lanes / most))
    return math.ceil(each / EVEN) * EVEN


def _group(settings, keys, key, design) -> Group:
    points = np.array([i for i, other in enumerate(keys) if other == key])
    return Group(settings, points, {name: v[points] for name, v in design.hypers.items()})


def _needed(task: Task, width: int, compiled: jax.stages.Compiled) -> int:
    """Bytes of a chunk while it runs: what it takes from home is copied, and handed over.

    As much once more lies about where earlier chunks have left gaps.
    """
    told = compiled.memory_analysis()
    taken = bytes_of.size(task.shape(width))
    return 3 * taken + told.output_size_in_bytes + told.temp_size_in_bytes


def _kept(task: Task, figures: tuple, keeps_best: bool, steered: bool) -> int:
    """Bytes of a lane at home: its state, what is seen of it, and where it came from."""
    one = task.shape(1)
    params = progress.params_of(one.state) if keeps_best else ()
    seen = (figures, 0, task.lanes.hypers) if steered else figures  # sources and history
    return bytes_of.size((one, params)) + FIGURE * len(jax.tree.leaves(seen)) * len(task.orders)


def _flops(task: Task, made: Plan) -> float:
    """Of all lanes and segments: XLA counts the body of a loop once."""
    alone = jax.jit(program.evaluated, static_argnums=0)
    alone = alone.lower(task.lane, task.shape(made.width), task.rows).cost_analysis()
    once = made.program.cost_analysis()
    try:
        each = (once["flops"] - alone["flops"]) * task.num_steps + alone["flops"]
    except (KeyError, TypeError):  # not every backend counts
        return math.nan
    return each * made.num_segments * made.num_lanes / made.width


def _expected(task: Task, made: Plan) -> float:
    """Seconds of all segments, if every chunk takes as long as the first.

    Memory costs more time when it is first written: that of lanes at home twice over.
    """
    places = np.resize(np.arange(task.num_lanes), made.width)
    home, order = jax.device_get(task.first(places)), task.order(0, places)
    first_written = None
    for _ in range(2):  # once to warm up
        started = time.perf_counter()
        *taken, step = home
        chunk = program.Chunk(*tasks.take(taken, np.arange(made.width)), step)
        first_written = first_written or time.perf_counter() - started
        jax.device_get(made.program(chunk, task.rows, order))
    each = time.perf_counter() - started
    return made.num_chunks * (2 * first_written + each * made.num_segments)
