"""A zoo of problems that no one tuned for: whether every lane is right, proved and fast.

Question: sixty drawn problems and a dozen real sets, penalties from the strongest to 1e-9 of it:
is each lane certified, truly separable, or left only where float64's rounding ends it? And how
long does a call take, the first and a warm one, beside scikit-learn's fastest solver that comes
within 1e-6 of the optimum?

Optima are found apart, by numpy, each with a bound by its dual, and kept in out/zoo. Any lane that
is none of the three is a fault: it is named, and the exit status is 1.

    python -m experiments.benchmarks.paths.zoo --only rare-softmax twins-ridge --quick
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import jax
import numpy as np

from experiments.benchmarks import machine, tables
from experiments.benchmarks.paths import ours, peers, truth, tuning
from experiments.benchmarks.paths.problems import Entry, Problem
from experiments.benchmarks.paths.zoo.real import real
from experiments.datasets import DataError
from jaxlr import paths
from tests import zoo_judge as judge
from tests.zoo_problems import DRAWN

OPTIMA = Path("out/zoo")
ROUNDS = 3
LONG = 20.0  # seconds of a call that is not repeated
TOL = 1e-6


def measured(entry: Entry, limit: float | None) -> dict:
    """One problem: what became of its lanes, seconds, and within a limit whoever else solves it."""
    problem = entry.build()
    best = truth.optimum(problem, OPTIMA)
    jax.clear_caches()
    kept = []
    first = machine.once(lambda: kept.append(ours.fitted(problem, TOL)))
    (path,) = kept
    verdicts = judge.judged(problem, path, best, TOL)
    faults = [verdict for verdict in verdicts if verdict.outcome in judge.FAULTS]
    claims = np.isin(path.status, (paths.Status.certified, paths.Status.solved))
    return {
        "kind": entry.about,
        "seed": entry.seed,
        "shape": [*problem.x.shape, problem.num_classes],
        "l1_ratio": problem.l1_ratio,
        "lanes": len(verdicts),
        "outcomes": dict(Counter(verdict.outcome for verdict in verdicts)),
        "statuses": dict(Counter(verdict.status for verdict in verdicts)),
        "worst_gap": float(np.max(path.gap[claims] / path.risk[claims], initial=0)),
        "worst_error": float(np.nanmax([0.0, *(verdict.error for verdict in verdicts)])),
        "faults": [verdict.told for verdict in faults],
        "kinds_of_fault": sorted({verdict.outcome for verdict in faults}),
        "truth_slack": float(np.max(best.slack / np.maximum(best.risk, 1e-300))),
        "first_seconds": first,
        **raced(problem, best, first, limit),
    }


def raced(problem: Problem, best: truth.Truth, first: float, limit: float | None) -> dict:
    """Warm seconds, in turn with scikit-learn's fastest good solver."""

    def warm():
        return machine.once(lambda: ours.fitted(problem, TOL))

    if limit is None:
        return {"seconds": warm() if first < LONG else first}
    tried = [
        {"solver": name, **tuning.tuned(problem, name, best, limit, None)}
        for name in solvers(problem)
    ]
    good = [one for one in tried if one["tol"] is not None]
    peer = min(good, key=lambda one: one["seconds"], default=None)
    times = {"jaxlr": [], "peer": []}
    for _ in range(ROUNDS):
        if not times["jaxlr"] or times["jaxlr"][0] < LONG:
            times["jaxlr"].append(warm())
        if peer and (not times["peer"] or peer["seconds"] < LONG):
            setting = peers.Setting(peer["solver"], peer["tol"])
            times["peer"].append(tuning.apart(3600.0, tuning.timed, problem, setting)[0])
    told = {"seconds": float(np.median(times["jaxlr"])), "peers": tried}
    if peer:
        its = float(np.median(times["peer"]))
        told |= {"peer": peer | {"seconds": its}, "ratio": its / told["seconds"]}
    return told


def solvers(problem: Problem) -> list[str]:
    """Those of scikit-learn that solve this problem with its intercept free."""
    every = np.arange(problem.num_classes)
    for fold in problem.folds:
        labels, weights = problem.labels, problem.weights * fold
        if not np.array_equal(np.unique(labels[weights > 0]), every) and labels.dtype.kind in "iu":
            return []  # of a fold without a class it makes a smaller problem
    small = problem.x.shape[1] * problem.num_classes <= 3000
    able = {"lbfgs", "newton-cg", "saga", *(["newton-cholesky"] if small else [])}
    return [name for name in peers.names(problem) if name in able]


def line(name: str, found: dict) -> str:
    """A problem in one line, and its faults in lines below it."""
    peer = f"; {found['peer']['solver']} x{found['ratio']:.2g}" if "peer" in found else ""
    told = (
        f"{name}: {_counted(found['outcomes'])}; error {found['worst_error']:.0e}; first"
        f" {found['first_seconds']:.1f} s, warm {found['seconds']:.3g} s{peer}"
    )
    return "\n".join([told, *(f"    FAULT {fault}" for fault in found["faults"])])


def told(problems: dict) -> dict:
    """What the page tells beside the problems."""
    total = sum((Counter(found["outcomes"]) for found in problems.values()), Counter())
    ratios = [found["ratio"] for found in problems.values() if "ratio" in found]
    median = f"{np.median(ratios):.1f}, worst {min(ratios):.2f}" if ratios else "none"
    numbers = {"total": total, "median": median, "num_ratios": len(ratios)}
    return numbers | {"problems": problems, "counted": _counted}


def _counted(outcomes) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def main() -> int:
    """Runs the problems asked for, and renews their part of results/zoo.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*DRAWN, *real("")]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="no peers, and no results file")
    parser.add_argument("--data", default="../shared/data", help="folder of the real sets")
    parser.add_argument("--limit", type=float, default=20, help="seconds to tune one peer in")
    asked = parser.parse_args()
    zoo = DRAWN | real(asked.data)
    faults, kept = 0, tables.kept("zoo")
    for name in asked.only:
        try:
            found = measured(zoo[name], None if asked.quick else asked.limit)
        except DataError as error:
            print(f"{name}: left out: {error}", flush=True)
            continue
        faults += len(found["faults"])
        print(line(name, found), flush=True)
        if not asked.quick:
            kept[name] = found | {"machine": machine.description("scikit-learn")}
            kept = {known: kept[known] for known in zoo if known in kept}
            tables.publish("zoo", kept, "paths/zoo/page.md", **told(kept))
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
