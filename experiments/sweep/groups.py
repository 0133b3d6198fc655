"""The groups of a plan, one after the other: what they will take, and their training."""

import time
from collections.abc import Callable

import numpy as np

from experiments.kit import words
from experiments.kit.mistakes import SettingError
from experiments.kit.provenance import device
from experiments.kit.sizes import size
from experiments.sweep.plan import Plan
from jaxlr import sweeps


def train(
    plan: Plan,
    asked: list[dict],
    metric: str,
    *,
    on_segment: Callable[[int, str], str | None],
    checkpoints: Callable[[int], sweeps.Checkpoints] | None = None,
) -> list[sweeps.Sweep]:
    """Every group's sweep.

    Args:
      plan: what to run.
      asked: of each group what `sweeps.run` and `sweeps.plan` are given.
      metric: by which lanes are told, the less the better.
      on_segment: called with the number of lanes that finished a segment, and words of how they
        do; "stop" ends all.
      checkpoints: those of each group, by its number.

    Raises:
      KeyboardInterrupt: it was stopped.
      SettingError: there is too little memory.
    """
    swept = []
    for number, arguments in enumerate(asked):
        options = {"on_segment": looking(arguments, metric, on_segment)}
        if checkpoints is not None:
            options["checkpoints"] = checkpoints(number)
        swept.append(_fitting(sweeps.run, arguments | options))
        if swept[-1].losses.shape[1] < plan.evaluations:
            raise KeyboardInterrupt
    return swept


def looking(arguments: dict, metric: str, on_segment: Callable) -> Callable:
    """What `sweeps.run` calls after each segment, to tell `on_segment` of `train`."""
    seen, since = 0, time.perf_counter()  # segments, those before an interruption too
    per_lane = arguments["order"].size / arguments["num_segments"]

    def looked(done: int, progress: sweeps.Progress) -> str | None:
        nonlocal seen, since
        lanes, then = len(progress.died_at) * (done - seen), since
        seen, since = done, time.perf_counter()
        rate = per_lane * np.sum(progress.segments == done) / (since - then)
        last = progress.metrics[metric][:, -1]
        best = words.number(np.nanmin(last)) if np.isfinite(last).any() else "none"
        told = f"{rate:.2g} examples/s, {len(progress.running):,} go on, best lane {best}"
        return on_segment(lanes, told)

    return looked


def told(plan: Plan, asked: list[dict]) -> str:
    """What the groups will take, in words."""
    made = [_fitting(sweeps.plan, of_one) for of_one in asked]
    most = max(made, key=lambda of_one: of_one.bytes_total)
    home = most.num_lanes * most.bytes_per_lane
    widths = words.listed(sorted({f"{of_one.width:,}" for of_one in made}))
    flops = sum(of_one.flops for of_one in made)
    seconds = sum(of_one.run_seconds for of_one in made)
    chunks = sum(of_one.num_chunks * of_one.num_segments for of_one in made)
    compiled = sum(of_one.num_compilations for of_one in made)
    taken = sum(of_one.compile_seconds for of_one in made)
    lines = [
        f"{plan.num_lanes:,} lanes in {words.count(len(made), 'group')}, {widths} at a time;"
        f" {words.count(plan.evaluations, 'segment')}, {words.count(chunks, 'call')} of"
        f" {words.count(compiled, 'compiled program')}",
        f"memory: {size(most.bytes_total)} at most, of {size(most.bytes_given)} given: rows"
        f" {size(most.bytes_shared)}, lanes {size(home)} ({size(most.bytes_per_lane)} each), those"
        f" at work {size(most.bytes_chunk)}",
        f"time: {words.number(flops)} operations in some {words.number(seconds)} s on {device()},"
        f" after {words.number(taken)} s of compilation",
    ]
    if plan.schedule not in ("full", "population"):
        lines.append(f"without what --schedule {plan.schedule} saves")
    if len(plan.lengths) > 1:
        lines.append("without what lanes of fewer epochs save")
    return "\n".join(lines)


def _fitting(function: Callable, arguments: dict):
    """What the function returns, too little memory being the caller's mistake."""
    try:
        return function(**arguments)
    except MemoryError as error:
        raise SettingError(f"--memory: {error}") from None
