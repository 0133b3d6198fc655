"""How fast are penalty paths? Every lane within 1e-6 of its optimum, beside other libraries.

Question: what do λ x folds x targets cost in one call of `paths.fit`, against scikit-learn with
every solver, glum and skglm, each at the loosest tolerance whose worst lane is within 1e-6 of the
optimum, on all cores and sparse where that is faster?

Optima are found apart, by numpy in float64. Ours has one configuration; its times count from numpy
arrays in memory, and compilation is apart: the first call less a warm one. A problem's contestants
take turns, of warm-up and a timed call each, and ratios are medians over rounds. Where peers
need many minutes they solve a part of the problem, said in the table, and their time is scaled to
the whole; a call that takes a minute takes one turn, and is tried with a process for each core
only.

    python -m experiments.benchmarks.paths --problems B C
"""

import argparse
import functools
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from experiments.benchmarks import machine, tables
from experiments.benchmarks.paths import figures, ours, peers, problems, truth, tuning
from experiments.benchmarks.paths.peers import Setting
from experiments.benchmarks.paths.problems import Entry, Problem
from experiments.datasets import DataError
from jaxlr import paths

OPTIMA = Path("out/paths_truth")
JOBS = (-1, None, 1)
LONG = 60.0  # seconds of a call
WARM = 0.2  # seconds of warm-up
SHORT = 5.0  # seconds of a call below which what ran before it is felt
PAUSE = 0.3  # seconds; OpenBLAS's threads spin for a tenth of that
WORTH_TIMING = 4.0  # times the processor seconds of the least


def race(entry: Entry, rounds: int, limit: float, slow: bool) -> dict:
    """Ours and every peer worth timing, in turn: seconds, errors and ratios."""
    problem = entry.build()
    part = problem if slow else entry.part(problem)
    best, best_of_part = truth.optimum(problem, OPTIMA), truth.optimum(part, OPTIMA)
    tuned = all_tuned(part, best_of_part, OPTIMA, limit)
    jax.clear_caches()  # a problem of the same shape before this one has left its programs
    first = machine.once(lambda: ours.fitted(problem))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    usual = [Setting("saga" if part.l1_ratio else "lbfgs", None, jobs) for jobs in JOBS]
    fastest = [_fastest(part, of, best_of_part) for of in [usual, *_worth_timing(part, tuned)]]
    fastest = {setting.label(): (setting, error) for setting, error in fastest}
    times = {name: [] for name in ("jaxlr", *fastest)}
    scale = np.prod(problem.shape) / np.prod(part.shape)
    for _ in range(rounds):
        times["jaxlr"].append(_turn(lambda: ours.fitted(problem)))
        for name, (setting, _) in fastest.items():
            if not times[name] or times[name][0] < LONG * scale:
                times[name].append(_turn(functools.partial(peers.solve, part, setting)) * scale)
    seconds = float(np.median(times["jaxlr"]))
    return {
        "about": entry.about,
        "shape": problem.x.shape,
        "lanes": int(np.prod(problem.shape)),
        "required": entry.required,
        "part": 1 / scale,
        "truth_error": float(np.max(best.slack / best.risk)),
        "first_seconds": first,
        "peak_gib": memory,
        "seconds": seconds,
        "compile_seconds": first - seconds,
        **_answer(problem, best),
        "peers": {
            name: {
                "seconds": float(np.median(times[name])),
                "ratio": machine.ratio(times[name], times["jaxlr"]),
                "turns": len(times[name]),
                "error": error,
            }
            for name, (_, error) in fastest.items()
        },
        "tuning": tuned,
    }


def all_tuned(problem: Problem, best: truth.Truth, folder: Path, limit: float) -> dict[str, dict]:
    """Peer -> `tuning.tuned`, from its file in `folder` or found and put there."""
    file = folder / f"{problem.key()}.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    for name in peers.names(problem):
        if name not in kept:
            kept[name] = tuning.tuned(problem, name, best, limit)
            print(f"{name} {kept[name]}", flush=True)
            file.write_text(json.dumps(kept, indent=1) + "\n")
    return {name: kept[name] for name in peers.names(problem)}


def _turn(run: Callable[[], object]) -> float:
    """Seconds of a call, after a pause, since threads may be waiting by spinning, and a warm-up.

    After a rest, or with another's numbers in the caches, a call takes up to twice as long.
    """
    time.sleep(PAUSE)
    start = time.perf_counter()
    seconds = machine.once(run)
    while seconds < SHORT and time.perf_counter() - start < WARM:
        machine.once(run)
    return machine.once(run) if seconds < SHORT else seconds


def _worth_timing(problem, tuned) -> list[list[Setting]]:
    """For each good peer that is not far behind: one process or all, dense or CSR."""
    good = {name: found for name, found in tuned.items() if found["tol"] is not None}
    least = min((found["seconds"] for found in good.values()), default=0.0)
    formats = (False, True) if (problem.x != 0).mean() < 0.3 else (False,)
    return [
        [Setting(name, found["tol"], jobs, csr) for jobs in JOBS for csr in formats]
        for name, found in good.items()
        if found["seconds"] <= WORTH_TIMING * least
    ]


def _fastest(problem, settings, best) -> tuple[Setting, float]:
    """The fastest of some settings of one peer, by a warm call each, and its worst lane."""
    fastest, kept = np.inf, None
    for setting in settings:
        if fastest > LONG and kept and setting.jobs != -1:
            continue
        taken, params = tuning.timed(problem, setting)
        if taken < 2:  # a short call warms up first
            taken, params = tuning.timed(problem, setting)
        if taken < fastest:
            fastest, kept = taken, (setting, truth.worst(problem, params, best))
    return kept


def _answer(problem, best) -> dict:
    """What a path of ours is worth, by the witness's objective and optimum."""
    path = ours.fitted(problem)
    w, b = ours.params(problem, path)
    lanes = list(np.ndindex(problem.shape))
    risk = np.reshape([truth.risk(problem, at, w[at], b[at]) for at in lanes], problem.shape)
    excess, status = risk - best.risk, np.ravel(path.status)
    return {
        "error": float(np.max(excess / best.risk)),
        "good": float(np.mean(excess <= tuning.GOOD * best.risk)),
        "status": {s.name: int((status == s).sum()) for s in paths.Status if (status == s).any()},
        "certified": float((status == paths.Status.certified).mean()),
        "bounds_broken": int((path.gap < excess - 1e-12 - best.slack).sum()),
    }


def main() -> None:
    """Runs the problems asked for, and renews their part of results/paths.{json,md,svg}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(problems.race())
    parser.add_argument("--problems", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--mnist", default="../shared/data/mnist", help="folder of IDX files")
    parser.add_argument("--a9a", default="../shared/data/a9a", help="LIBSVM file or its folder")
    parser.add_argument("--limit", type=float, default=240, help="seconds to tune one peer in")
    parser.add_argument("--slow", action="store_true", help="peers solve whole problems: hours")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds must be at least 1, and is {asked.rounds}")
    built = problems.race(asked.mnist, problems.file_of(asked.a9a))
    kept = tables.kept("paths").get("problems", {})
    where = machine.description("scikit-learn", "glum", "skglm")
    for name in asked.problems:
        try:
            found = race(built[name], asked.rounds, asked.limit, asked.slow)
        except DataError as error:
            parser.error(str(error))
        kept[name] = found | {"machine": where}
        kept = {known: kept[known] for known in built if known in kept}
        one = {name: kept[name]}
        print(tables.page("paths/page.md", problems=one, **figures.told(one)), flush=True)
        told, figure = figures.told(kept), figures.ratios(kept)
        tables.publish("paths", {"problems": kept}, "paths/page.md", figure, **told)


if __name__ == "__main__":
    main()
