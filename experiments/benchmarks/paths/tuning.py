"""The loosest tolerance at which each peer's worst lane is good enough, found once and kept.

Every attempt runs in a process of its own with a limit on processor time, on one core; what an
attempt reaches is no matter of time, so it may run while the machine does other work.
"""

import json
import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np

from experiments.benchmarks.paths import peers, truth
from experiments.benchmarks.paths.problems import Problem

GOOD = 1e-6  # the worst lane, relative to the optimum
LADDER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)


def tuned(problem: Problem, best: np.ndarray, folder: Path, limit: float) -> dict[str, dict]:
    """Peer -> {"tol", "error", "seconds"}; tol None where no tolerance of the ladder will do.

    Then error is the least seen. An attempt may take `limit` processor seconds, but no more than
    eight times those of a peer already tuned.
    """
    file = folder / f"{problem.name}-{problem.key()}.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    for name in peers.names(problem):
        if name not in kept:
            good = [found["seconds"] for found in kept.values() if found["tol"] is not None]
            allowed = min([limit, *(max(5.0, 8 * seconds) for seconds in good)])
            kept[name] = _climb(problem, name, best, allowed)
            print(f"{problem.name}: {name} {kept[name]}", flush=True)
            file.write_text(json.dumps(kept, indent=1) + "\n")
    return {name: kept[name] for name in peers.names(problem)}


def worst(problem: Problem, coefs, best: np.ndarray) -> float:
    """The greatest relative distance of a lane from the optimum; inf where one is not finite."""
    with np.errstate(all="ignore"):
        error = np.max(truth.risk(problem, *coefs) / best - 1)
    return float(error) if np.isfinite(error) else float("inf")


def _climb(problem, name, best, limit):
    """Tightens the tolerance until the worst lane is good or an attempt exceeds the limit."""
    least = {"tol": None, "error": None, "seconds": None}
    for tol in LADDER:
        answer = _attempt(problem, peers.Setting(name, tol), best, limit)
        if answer is None:
            return least | {"ended": f"over {limit:.0f} s at tol {tol:.0e}"}
        error, seconds = answer
        if error <= GOOD:
            return {"tol": tol, "error": error, "seconds": seconds}
        if least["error"] is None or error < least["error"]:
            least |= {"error": error, "seconds": seconds}
    return least | {"ended": f"not at tol {LADDER[-1]:.0e}"}


def _attempt(problem, setting, best, limit):
    """(worst lane, processor seconds of the second call), None where the limit came first.

    Raises:
      RuntimeError: the peer failed of itself, which must not pass for slowness.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(problem, setting, best, limit, theirs))
    child.start()
    theirs.close()
    try:
        answer = ours.recv()
    except EOFError:
        answer = None
    child.join()
    if answer is None and child.exitcode != -signal.SIGXCPU:
        raise RuntimeError(
            f"{setting.label()} failed on {problem.name} with exit status {child.exitcode}; "
            "its own message is above"
        )
    return answer


def _child(problem, setting, best, limit, pipe):
    """The attempt itself, ended by the system once it has used its time."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    used = time.process_time()
    seconds = int(used + limit) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 60))  # SIGXCPU, then SIGKILL
    coefs = peers.solve(problem, setting)
    seconds = time.process_time() - used
    if seconds < 10:  # the first call may have compiled
        used = time.process_time()
        coefs = peers.solve(problem, setting)
        seconds = time.process_time() - used
    pipe.send((worst(problem, coefs, best), seconds))
