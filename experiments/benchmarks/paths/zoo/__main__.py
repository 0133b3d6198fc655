"""A zoo of problems that no one tuned for: whether every lane is right, proved and fast.

Question: sixty drawn problems and a dozen real sets, penalties from the strongest to 1e-9 of it:
is each lane certified, truly separable, or left only where float64's rounding ends it? And how
long does a call take, the first and a warm one, beside scikit-learn's fastest solver that comes
within 1e-6 of the optimum?

Optima are found apart, by numpy in extended precision, and kept in out/zoo. Any lane that is none
of the three is a fault: it is named, and the exit status is 1.

    python -m experiments.benchmarks.paths.zoo --only rare-softmax twins-ridge --quick
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import jax
import numpy as np

from experiments.benchmarks import machine
from experiments.benchmarks.paths import zoo_figures, zoo_judge, zoo_peers, zoo_truth
from experiments.benchmarks.paths.zoo_data import real
from experiments.benchmarks.paths.zoo_problems import DRAWN, Case, Entry
from experiments.datasets import DataError
from jaxlr import Batch, losses, paths

RESULTS = Path(__file__).parent.parent / "results"
OPTIMA = Path("out/zoo")
ROUNDS = 3
LONG = 20.0  # seconds of a call that is not repeated
TOL = 1e-6


def ours(case: Case) -> paths.Path:
    """The whole problem by `paths.fit`, as anyone would ask for it; axes [F, K]."""
    several = case.num_classes > 2
    return paths.fit(
        Batch(case.x, case.labels, case.weights),
        case.lambdas,
        loss=losses.softmax_cross_entropy if several else losses.log_loss,
        num_classes=case.num_classes if several else None,
        l1_ratio=case.l1_ratio,
        fold_weights=case.folds,
        tol=TOL,
    )


def measured(name: str, entry: Entry, contest: zoo_peers.Contest | None) -> dict:
    """One problem: what became of its lanes, seconds, and whoever else solves it."""
    case = entry.build()
    truth = zoo_truth.optimum(case, OPTIMA / f"{name}-{case.key()}.npy")
    jax.clear_caches()
    start = time.perf_counter()
    path = ours(case)
    first = time.perf_counter() - start
    verdicts = zoo_judge.judged(case, path, truth, TOL)
    claims = np.isin(path.status, (paths.Status.certified, paths.Status.solved))
    return {
        "kind": entry.kind,
        "seed": entry.seed,
        "shape": [*case.x.shape, case.num_classes],
        "l1_ratio": case.l1_ratio,
        "lanes": len(verdicts),
        "outcomes": dict(Counter(verdict.outcome for verdict in verdicts)),
        "statuses": dict(Counter(verdict.status for verdict in verdicts)),
        "worst_gap": float(np.max(path.gap[claims] / path.risk[claims], initial=0)),
        "worst_error": float(np.nanmax([0.0, *(verdict.error for verdict in verdicts)])),
        "faults": [v.told for v in verdicts if v.outcome in zoo_judge.FAULTS],
        "kinds_of_fault": sorted({v.outcome for v in verdicts if v.outcome in zoo_judge.FAULTS}),
        "truth_slack": float(np.max(truth.slack / np.maximum(truth.risk, 1e-300))),
        "first_seconds": first,
        **_raced(case, truth, first, contest),
    }


def _raced(case, truth, first, contest) -> dict:
    """Warm seconds, in turn with scikit-learn's fastest good solver."""
    if contest is None:
        return {"seconds": machine.once(lambda: ours(case)) if first < LONG else first}
    best, all_peers = contest.best(case, truth)
    times = {"jaxlr": [], "peer": []}
    for _ in range(ROUNDS):
        if not times["jaxlr"] or times["jaxlr"][0] < LONG:
            times["jaxlr"].append(machine.once(lambda: ours(case)))
        if best and (not times["peer"] or best.seconds < LONG):
            times["peer"].append(contest.seconds(case, best))
    found = {"seconds": float(np.median(times["jaxlr"])), "peers": [p._asdict() for p in all_peers]}
    if best:
        seconds = float(np.median(times["peer"]))
        of = best._asdict() | {"seconds": seconds}
        found |= {"peer": of, "ratio": seconds / found["seconds"]}
    return found


def main() -> int:
    """Runs the problems asked for, and renews their part of results/zoo.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these problems")
    parser.add_argument("--quick", action="store_true", help="no peers, and no results file")
    parser.add_argument("--data", default="../shared/data", help="folder of the real sets")
    parser.add_argument("--limit", type=float, default=20, help="seconds to tune one peer in")
    asked = parser.parse_args()
    zoo = DRAWN | real(asked.data)
    unknown = [name for name in asked.only or [] if name not in zoo]
    if unknown:
        print(f"error: no problem {unknown[0]}; take of {', '.join(zoo)}", file=sys.stderr)
        return 2
    contest = None if asked.quick else zoo_peers.Contest(asked.limit)
    file, faults = RESULTS / "zoo.json", 0
    kept = json.loads(file.read_text()) if file.exists() else {}
    for name in asked.only or zoo:
        try:
            found = measured(name, zoo[name], contest)
        except DataError as error:
            print(f"{name}: left out: {error}", flush=True)
            continue
        faults += len(found["faults"])
        print(zoo_figures.line(name, found), flush=True)
        if contest:
            where = machine.description("scikit-learn")
            kept[name] = found | {"machine": where}
            kept = {known: kept[known] for known in zoo if known in kept}
            file.write_text(json.dumps(kept, indent=1) + "\n")
            (RESULTS / "zoo.md").write_text(zoo_figures.page(kept))
    if contest:
        contest.close()
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
