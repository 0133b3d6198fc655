"""The loosest tolerance at which each peer's worst lane is good enough.

Attempts run in a process apart, which is ended where one takes too long; what an attempt reaches is
no matter of time, so it may run while the machine does other work.
"""

import time
from collections.abc import Callable

from joblib.externals.loky import ProcessPoolExecutor

from experiments.benchmarks.paths import peers, truth
from experiments.benchmarks.paths.problems import Problem

GOOD = 1e-6  # the worst lane, relative to the optimum
LADDER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
_process = []


def tuned(problem: Problem, name: str, best: truth.Truth, limit: float, jobs=1) -> dict:
    """{"tol", "error", "seconds"} of a peer; tol None where no tolerance of the ladder will do.

    Then "error" is the least seen, "seconds" None, and "ended" says why; the climb has `limit`
    seconds. Where a peer fails of itself its error is raised: it must not pass for slowness.
    """
    apart(3600.0, peers.names, problem)  # begins the process, and imports what it needs
    least, end = None, time.monotonic() + limit
    for tol in LADDER:
        setting = peers.Setting(name, tol, jobs)
        answer = apart(max(end - time.monotonic(), 0.1), attempt, problem, setting, best)
        if answer is None:
            ended = f"over {limit:.0f} s at tol {tol:.0e}"
            break
        error, seconds = answer
        if error <= GOOD:
            return {"tol": tol, "error": error, "seconds": seconds}
        least = error if least is None else min(least, error)
    else:
        ended = f"not at tol {LADDER[-1]:.0e}"
    return {"tol": None, "error": least, "seconds": None, "ended": ended}


def apart(limit: float, function: Callable, *arguments):
    """What a function returns in a process of its own; None where the limit came first."""
    if not _process:  # joblib's own, which peers use, is another
        _process.append(ProcessPoolExecutor(max_workers=1))
    try:
        return _process[0].submit(function, *arguments).result(limit)
    except TimeoutError:
        _process.pop().shutdown(kill_workers=True)
        return None


def attempt(problem: Problem, setting: peers.Setting, best: truth.Truth) -> tuple[float, float]:
    """Worst lane, and seconds of a warm call."""
    seconds, params = timed(problem, setting)
    if seconds < 10:  # the first call may have compiled
        seconds, params = timed(problem, setting)
    return truth.worst(problem, params, best), seconds


def timed(problem: Problem, setting: peers.Setting):
    """Seconds of a call, and its params."""
    start = time.perf_counter()
    params = peers.solve(problem, setting)
    return time.perf_counter() - start, params
