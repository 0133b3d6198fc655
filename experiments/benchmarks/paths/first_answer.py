"""How long until someone who calls once has the first answer? Whole processes, cold and warm.

Question: 20 C x 5 folds with a refit, on breast cancer and on digits: a whole process with
`paths.cross_validate`, with an empty and with a warm cache of compiled programs, beside a script
that does the same with scikit-learn, its fastest solver within 1e-6 of every optimum and as it
comes; and the commands of `experiments`. Contestants take turns, and figures are medians.
`--old TREE` measures another checkout, as `git worktree add TREE COMMIT` makes one, in the same
turns.

    python -m experiments.benchmarks.paths.first_answer --old ../before
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.benchmarks import machine, tables
from experiments.benchmarks.paths import peers, problems, truth, tuning

ROOT = Path(__file__).parents[3]
OPTIMA = ROOT / "out/first_answer"
PARTS = ("whole", "import", "first", "second")

ROWS = """
import json, sys, time
began = time.perf_counter()
import numpy as np
from sklearn import datasets
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
x, labels = getattr(datasets, "load_" + sys.argv[1])(return_X_y=True)
x, labels = x[: len(x) // 5 * 5], labels[: len(x) // 5 * 5]
x = StandardScaler().fit_transform(x)
C = np.logspace(-4, 4, 20)
splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(x, labels))
told = {}
"""
OURS = """
import jaxlr
from jaxlr import backend, losses, paths
if hasattr(backend, "cache_compilations"):
    told["cache"] = bool(backend.cache_compilations())
folds = np.ones((5, len(x)))
for fold, (_, held_out) in enumerate(splits):
    folds[fold, held_out] = 0
loss = losses.log_loss if labels.max() == 1 else losses.softmax_cross_entropy
told["import"] = time.perf_counter() - began
for part in ("first", "second"):
    start = time.perf_counter()
    cross = paths.cross_validate(
        jaxlr.Batch(x, labels), 1 / (C * folds[0].sum()), loss=loss, fold_weights=folds
    )
    told[part] = time.perf_counter() - start
told["certified"] = float(np.mean(cross.path.status == 0))
print(json.dumps(told))
"""
THEIRS = """
from sklearn.linear_model import LogisticRegressionCV
told["import"] = time.perf_counter() - began
start = time.perf_counter()
LogisticRegressionCV(
    Cs=C, cv=splits, scoring="neg_log_loss", l1_ratios=(0.0,), use_legacy_attributes=False,
    **json.loads(sys.argv[2])
).fit(x, labels)
told["first"] = time.perf_counter() - start
print(json.dumps(told))
"""


class Contestant(NamedTuple):
    """A command line, the tree it runs in, and the cache it finds: "empty", "warm" or none."""

    argv: list[str]
    tree: Path = ROOT
    cache: str | None = None


def whole(of: Contestant, own: Path) -> dict:
    """Seconds of a whole process, and the parts it tells of itself; `own` keeps a warm cache."""
    environment = os.environ | {"PYTHONPATH": str(of.tree), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory() as spare:
        cache = {"empty": Path(spare) / "cache", "warm": own}.get(of.cache, "off")
        argv = [sys.executable, *(part.replace("OUT", spare) for part in of.argv)]
        start = time.perf_counter()
        environment["JAXLR_CACHE"] = str(cache)
        done = subprocess.run(argv, cwd=of.tree, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{argv[1:4]} in {of.tree} failed: {done.stderr[-500:]}")
    parts = json.loads(done.stdout.splitlines()[-1]) if of.argv[0] == "-c" else {}
    return parts | {"whole": seconds - parts.get("second", 0.0)}


def contestants(trees: dict[str, Path], limit: float) -> dict[str, dict[str, Contestant]]:
    """Task -> name -> who answers it; the best peer comes last."""

    def ours(*argv):
        both = [(name, cache) for name in trees for cache in ("empty", "warm")]
        return {f"{t}, {cache} cache": Contestant([*argv], trees[t], cache) for t, cache in both}

    def page(module, data):
        return ours("-m", module, "--data", data, "--out", "OUT/page")

    tasks = {}
    for data in ("breast_cancer", "digits"):
        problem = problems.folded(*problems.bundled(data), C=np.logspace(-4, 4, 20))
        best = truth.optimum(problem, OPTIMA)
        able = [name for name in peers.names(problem) if name in peers.SKLEARN]
        tuned = {name: tuning.tuned(problem, name, best, limit) for name in able}
        told = {"scikit-learn as it comes": {}}
        if good := [name for name in able if tuned[name]["tol"]]:
            name = min(good, key=lambda name: tuned[name]["seconds"])
            options = {"solver": name, "tol": tuned[name]["tol"], "max_iter": 100_000}
            told[f"scikit-learn {name}, tol {options['tol']:.0e}"] = options
        tasks[data] = ours("-c", ROWS + OURS, data)
        for name, options in told.items():
            tasks[data][name] = Contestant(["-c", ROWS + THEIRS, data, json.dumps(options)])
        tasks[f"experiments.path, {data}"] = page("experiments.path", data)
    return tasks | {"experiments.sweep, digits": page("experiments.sweep", "digits")}


def measured(task: dict[str, Contestant], repeats: int) -> dict[str, dict]:
    """Medians of every contestant's parts over turns; a warm cache is filled by a call before."""
    with tempfile.TemporaryDirectory() as folder:
        own = {name: Path(folder) / name.replace(" ", "-") for name in task}
        for name, of in task.items():
            if of.cache == "warm":
                whole(of, own[name])
        works = {name: (of, own[name]) for name, of in task.items()}
        turns = machine.turns(works, repeats, timed=lambda work: whole(*work))
    return {
        name: pd.DataFrame(seen).astype(float).median().to_dict() for name, seen in turns.items()
    }


def main() -> None:
    """Measures, and renews results/first_answer.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--old", metavar="TREE", help="another checkout, beside this one")
    parser.add_argument("--only", nargs="+", metavar="TASK", help="tasks whose name begins so")
    parser.add_argument("--limit", type=float, default=240, help="seconds to tune one peer in")
    asked = parser.parse_args()
    if asked.repeats < 1:
        parser.error(f"--repeats must be at least 1, and is {asked.repeats}")
    trees = {"jaxlr": ROOT}
    trees |= {f"jaxlr in {asked.old}": Path(asked.old).resolve()} if asked.old else {}
    tasks, where = {}, machine.description("scikit-learn")
    for name, task in contestants(trees, asked.limit).items():
        if not asked.only or name.startswith(tuple(asked.only)):
            tasks[name] = measured(task, asked.repeats)
            print(json.dumps({name: tasks[name]}, indent=1), flush=True)
    if not asked.only:
        found = {"machine": where, "old": asked.old, "tasks": tasks}
        tables.publish("first_answer", found, "paths/first_answer.md", parts=PARTS)


if __name__ == "__main__":
    main()
