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
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from experiments.benchmarks import machine
from experiments.benchmarks.paths import figures, peers, problems, truth, tuning
from experiments.benchmarks.paths.peers import Setting
from experiments.benchmarks.paths.problems import Problem
from experiments.datasets import DataError
from jaxlr import Batch, losses, paths

RESULTS = Path(__file__).parent.parent / "results"
OPTIMA = Path("out/paths_truth")
JOBS = (-1, None, 1)
LONG = 60.0  # seconds of a call
WARM = 0.2  # seconds of warm-up
SHORT = 5.0  # seconds of a call below which what ran before it is felt
PAUSE = 0.3  # seconds; OpenBLAS's threads spin for a tenth of that
WORTH_TIMING = 4.0  # times the processor seconds of the least


def ours(problem: Problem) -> paths.Path:
    """The whole problem by `paths.fit`, in its one configuration."""
    several = problem.num_classes > 2
    return paths.fit(
        Batch(problem.x, problem.labels if len(problem.labels) > 1 else problem.labels[0]),
        problem.lambdas,
        loss=losses.softmax_cross_entropy if several else losses.log_loss,
        num_classes=problem.num_classes if several else None,
        l1_ratio=problem.l1_ratio,
        fold_weights=problem.trains.astype(float) if len(problem.trains) > 1 else None,
    )


def race(problem: Problem, rounds: int, limit: float, slow: bool) -> dict:
    """Ours and every peer worth timing, in turn: seconds, errors and ratios."""
    part = problem if slow else problems.part(problem)
    best = truth.optimum(problem, OPTIMA)
    best_of_part = truth.optimum(part, OPTIMA)
    tuned = tuning.tuned(part, best_of_part.risk, OPTIMA, limit)
    jax.clear_caches()  # a problem of the same shape before this one has left its programs
    first = machine.once(lambda: ours(problem))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    timed = {}
    for settings in [_as_it_comes(part), *_worth_timing(part, tuned)]:
        timed |= _fastest(part, settings, best_of_part.risk)
    times = {name: [] for name in ("jaxlr", *timed)}
    scale = problem.num_lanes / part.num_lanes
    for _ in range(rounds):
        times["jaxlr"].append(_turn(lambda: ours(problem)))
        for name, peer in timed.items():
            if not times[name] or times[name][0] < LONG * scale:
                times[name].append(_turn(peer["run"]) * scale)
    base = np.array(times["jaxlr"])
    return {
        "about": problem.about,
        "shape": problem.x.shape,
        "lanes": problem.num_lanes,
        "required": problem.required,
        "part": part.num_lanes / problem.num_lanes,
        "truth_error": float(best.error.max()),
        "first_seconds": first,
        "peak_gib": memory,
        "seconds": float(np.median(base)),
        "compile_seconds": first - float(np.median(base)),
        **_answer(problem, best),
        "peers": {
            name: {
                "seconds": float(np.median(times[name])),
                "ratio": float(np.median(np.array(times[name]) / base[: len(times[name])])),
                "turns": len(times[name]),
                "error": peer["error"],
            }
            for name, peer in timed.items()
        },
        "tuning": tuned,
    }


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


def _as_it_comes(problem: Problem) -> list[Setting]:
    name = "saga" if problem.l1_ratio else "lbfgs"
    return [Setting(name, None, jobs) for jobs in JOBS]


def _worth_timing(problem: Problem, tuned: dict) -> list[list[Setting]]:
    """For each good peer that is not far behind: one process or all, dense or CSR."""
    good = {name: found for name, found in tuned.items() if found["tol"] is not None}
    least = min((found["seconds"] for found in good.values()), default=0.0)
    formats = (False, True) if (problem.x != 0).mean() < 0.3 else (False,)
    return [
        [Setting(name, found["tol"], jobs, csr) for jobs in JOBS for csr in formats]
        for name, found in good.items()
        if found["seconds"] <= WORTH_TIMING * least
    ]


def _fastest(problem: Problem, settings: list[Setting], best: np.ndarray) -> dict:
    """The fastest of some settings of one peer, by a warm call each, and its worst lane."""
    fastest, kept = np.inf, {}
    for setting in settings:
        run = functools.partial(peers.solve, problem, setting)
        if fastest > LONG and kept and setting.jobs != -1:
            continue
        start = time.perf_counter()
        coefs = run()
        taken = time.perf_counter() - start
        if taken < 2:  # a short call warms up first
            taken = machine.once(run)
        if taken < fastest:
            error = tuning.worst(problem, coefs, best)
            fastest, kept = taken, {setting.label(): {"run": run, "error": error}}
    return kept


def _answer(problem: Problem, best: truth.Truth) -> dict:
    """What a path of ours is worth, by the witness's objective and optimum."""
    path = ours(problem)
    shape = (len(problem.labels), len(problem.trains), len(problem.C), problem.x.shape[1], -1)
    w = np.reshape(path.params["w"], shape)
    risk = truth.risk(problem, w, np.reshape(path.params["b"], (*shape[:3], -1)))
    excess = risk - best.risk
    slack = 1e-12 + best.error * best.risk
    status = np.ravel(path.status)
    return {
        "error": float(np.max(excess / best.risk)),
        "good": float(np.mean(excess <= tuning.GOOD * best.risk)),
        "status": {s.name: int((status == s).sum()) for s in paths.Status if (status == s).any()},
        "certified": float((status == paths.Status.certified).mean()),
        "bounds_broken": int((path.gap.reshape(risk.shape) < excess - slack).sum()),
    }


def main() -> int:
    """Runs the problems asked for, and renews their part of results/paths.{json,md,svg}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", nargs="+", metavar="NAME", help="of " + ", ".join(_built()))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--mnist", default="../shared/data/mnist", help="folder of IDX files")
    parser.add_argument("--a9a", default="../shared/data/a9a", help="LIBSVM file or its folder")
    parser.add_argument("--limit", type=float, default=60, help="seconds per attempt to tune")
    parser.add_argument("--slow", action="store_true", help="peers solve whole problems: hours")
    asked = parser.parse_args()
    built = _built(asked.mnist, asked.a9a)
    unknown = [name for name in asked.problems or [] if name not in built]
    if unknown or asked.rounds < 1:
        wrong = f"no problem {unknown[0]}; take of " + ", ".join(built) if unknown else None
        print(
            "error: " + (wrong or f"--rounds must be at least 1, and is {asked.rounds}"),
            file=sys.stderr,
        )
        return 2
    file = RESULTS / "paths.json"
    kept = json.loads(file.read_text())["problems"] if file.exists() else {}
    where = machine.description("scikit-learn", "glum", "skglm")
    for name in asked.problems or built:
        try:
            problem = built[name]()
        except DataError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        kept[name] = race(problem, asked.rounds, asked.limit, asked.slow) | {"machine": where}
        kept = {known: kept[known] for known in built if known in kept}
        print(figures.table({name: kept[name]}), flush=True)
        RESULTS.mkdir(exist_ok=True)
        file.write_text(json.dumps({"problems": kept}, indent=1) + "\n")
        figures.write(kept, RESULTS / "paths.md", RESULTS / "paths.svg")
    return 0


def _built(mnist: str = "", a9a: str = "") -> dict[str, Callable[[], Problem]]:
    return problems.problems(mnist, problems.file_of(a9a))


if __name__ == "__main__":
    sys.exit(main())
