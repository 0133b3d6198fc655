"""Does breaking any one line of a module make a test fail? Each mutant against the tests.

    python -m experiments.benchmarks.mutation [module ...] [--minutes M]

A module is a name under jaxlr (losses, chain_rule/mlp); the rest of the results is kept. What is
known of a file as it stands is not run again: a run that was stopped goes on where it was.
The mutants live in a copy of the last commit. One process imports JAX and its witnesses;
each mutant is a fork of it, made before JAX has any thread, that runs the tests until one
fails. Tests that have killed much in little time come first. A mutant that survives in
float32 runs again with float64. Programs are compiled plainly, as in most of `make test`.
Why a survivor does no harm is written by hand in mutation_survivors.toml, under the change
itself, so that a later run finds it again.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections import Counter
from functools import partial
from importlib.util import cache_from_source
from math import inf
from pathlib import Path

import chex  # noqa: F401  (the imports that every fork shares)
import hypothesis.strategies  # noqa: F401
import jax
import mpmath  # noqa: F401
import optax  # noqa: F401
import pytest
import sklearn.linear_model
import sklearn.metrics  # noqa: F401

from experiments.benchmarks.mutants import Mutant, mutants

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = HERE / "results" / "mutation.json"
REASONS = HERE / "mutation_survivors.toml"
MODULES = ["chain_rule", "losses", "activations"]
COMPILED = ROOT / "out" / "mutation_programs"  # kept: JAX finds a program by what it computes
LIMIT_S = 600  # wall-clock, for one mutant: many times what its tests take on a quiet machine
SEED = 0


def selection(path: str) -> list[str]:
    """The tests that a file answers to, as pytest's arguments."""
    if "chain_rule" in path:
        of_mlp = "mlp or activation" if path.endswith("mlp.py") else "not mlp"
        return ["tests/test_chain_rule.py", "-k", of_mlp]
    if "losses" in path:
        return ["tests/test_losses.py", "tests/test_theorems.py"]
    if path.endswith("rest.py"):  # the losses of many classes are made of it too
        return ["tests/test_activations.py", "tests/test_losses.py"]
    return ["tests/test_activations.py"]


class Order:
    """A pytest plugin: the cheapest killers first, and what each test took."""

    def __init__(self, kills: Counter, seconds: dict[str, float]):
        self.kills, self.known = kills, seconds
        self.seconds, self.failed = {}, None

    def pytest_collection_modifyitems(self, items):
        """Fewest seconds a kill first."""
        known = [(self.known.get(i.nodeid, 0) / (1 + self.kills[i.nodeid])) for i in items]
        items[:] = [items[k] for k in sorted(range(len(items)), key=known.__getitem__)]

    def pytest_runtest_logreport(self, report):
        """Remembers seconds and the first failure."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        self.failed = self.failed or (report.nodeid if report.failed else None)


def tested(copy: Path, arguments: list[str], order: Order, x64: bool) -> dict:
    """Runs pytest in a fork: its exit code, None past the limit, and what `order` saw."""
    said = copy / "said.json"
    said.unlink(missing_ok=True)
    with warnings.catch_warnings(action="ignore"):  # forking after JAX is imported: no threads yet
        child = os.fork()
    if not child:
        try:
            _run_tests(copy, arguments, order, x64, said)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # never on into the parent's loop
    deadline = time.monotonic() + LIMIT_S
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return {"code": None, "failed": "time limit", "seconds": {}}
        time.sleep(0.02)
    if not said.exists():
        return {"code": None, "failed": "crash", "seconds": {}}
    return json.loads(said.read_text())


def _run_tests(copy: Path, arguments: list[str], order: Order, x64: bool, said: Path) -> None:
    """In the fork."""
    log = os.open(copy / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(copy)
    sys.path[:] = [str(copy), *(p for p in sys.path if p not in {"", str(ROOT)})]
    for name in [name for name in sys.modules if name.split(".")[0] in {"experiments", "jaxlr"}]:
        del sys.modules[name]
    jax.config.update("jax_enable_x64", x64)
    os.environ["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"  # twice as fast to compile
    jax.config.update("jax_disable_most_optimizations", True)
    # What a mutant leaves as it was compiles once for all mutants.
    jax.config.update("jax_compilation_cache_dir", str(COMPILED))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    early = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis was imported before pytest ran
    options = ["-x", "-q", "-p", "no:cacheprovider", "-W", early]
    code = pytest.main([*options, *arguments], plugins=[order])
    seen = {"code": int(code), "failed": order.failed, "seconds": order.seconds}
    said.write_text(json.dumps(seen))


def killed_by(copy: Path, path: str, mutant: Mutant, kills: Counter, seconds: dict) -> str | None:
    """The test that sees the mutant, or None."""
    target = copy / path
    original = target.read_bytes()
    try:
        target.write_text(mutant.source)
        for x64 in (False, True):
            # Python trusts a compiled file whose source has the same second and size.
            Path(cache_from_source(target)).unlink(missing_ok=True)
            found = tested(copy, selection(path), Order(kills, seconds), x64)
            if found["code"] != 0:
                return found["failed"] or "import"
    finally:
        target.write_bytes(original)
        Path(cache_from_source(target)).unlink(missing_ok=True)
    return None


def committed(copy: Path) -> None:
    """The repository's last commit, unpacked: a file that is being edited can't interfere."""
    copy.mkdir()
    archive = copy.with_suffix(".tar")
    parts = ["jaxlr", "tests", "experiments", "pyproject.toml"]
    subprocess.run(["git", "archive", "-o", archive, "HEAD", *parts], cwd=ROOT, check=True)
    shutil.unpack_archive(archive, copy, filter="data")


def unbroken(copy: Path, arguments: list[str]) -> dict[str, float]:
    """Seconds of each test on the sources as they are; none may fail, in either width."""
    for x64 in (True, False) if COMPILED.exists() else (True, False, False):  # the last is warm
        whole = tested(copy, arguments, Order(Counter(), {}), x64)
        if whole["code"] != 0:
            print((copy / "pytest.log").read_text()[-3_000:])
            raise RuntimeError(f"without any mutant {whole['failed']} fails: mend that first")
    return whole["seconds"]


def run(
    path: str, copy: Path, minutes: float, seconds: dict[str, float], known: dict, save
) -> None:
    """The mutants of a file, drawn with a fixed seed, until the time is over.

    Args:
      path: of the file, in the copy.
      copy: the folder that is broken.
      minutes: for this file.
      seconds: of each test.
      known: what earlier runs found of the file as it is; every mutant adds to it.
      save: called after every mutant.
    """
    found = list(mutants((copy / path).read_text()))
    drawn = random.Random(SEED).sample(found, len(found))
    stop = time.monotonic() + 60 * minutes
    kills = Counter(known["kills"])
    for mutant in drawn[known["run"] :]:
        if time.monotonic() > stop:
            break
        killer = killed_by(copy, path, mutant, kills, seconds)
        known["run"] += 1
        if killer is None:
            known["survivors"].append([mutant.line, mutant.function, mutant.before, mutant.after])
            print(f"  {path}:{mutant.line}: {mutant.before} -> {mutant.after}", flush=True)
        else:
            kills[killer] += 1
            known["kills"] = dict(kills.most_common())
            print(f"  {path}:{mutant.line} killed by {killer}", flush=True)
        save()
    survive = len(known["survivors"])
    print(f"{path}: {known['run']} of {len(found)}, {survive} survive", flush=True)


def before(source: str, known: dict | None) -> dict:
    """What is known of this very source, or that nothing is."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    if known and known.get("source") == digest:
        return known
    count = sum(1 for _ in mutants(source))
    return {"source": digest, "mutants": count, "run": 0, "survivors": [], "kills": {}}


def page(results: dict[str, dict], reasons: dict[str, str]) -> str:
    """The tables, in Markdown."""
    total, drawn = (sum(one[key] for one in results.values()) for key in ("mutants", "run"))
    survivors = [(path, *one) for path in results for one in sorted(results[path]["survivors"])]
    rows = [
        f"| {path} | {one['mutants']} | {one['run']} | {one['run'] - len(one['survivors'])} |"
        f" {len(one['survivors'])} |"
        for path, one in results.items()
    ]
    kills = Counter()
    for one in results.values():
        for name, count in one["kills"].items():
            kills[name.split("::")[-1].split("[")[0]] += count
    return "\n".join(
        [
            "# Every line broken once: does a test see it?",
            "",
            f"{drawn} of {total} mutants were run; the tests kill {drawn - len(survivors)} and"
            f" {len(survivors)} survive, all listed below with what they are.",
            "",
            "A mutant exchanges an operator, a comparison or a function for its sibling, drops a"
            " minus, a term, a guard or an error, moves a constant, swaps or removes the branches"
            " of a `where`, or flips the sign of a derivative rule. Docstrings and messages stay."
            " Each runs against the tests of its own module alone (chain_rule: those of the mlp"
            " for mlp.py, the others for the rest), in float32 and, where it survives, in float64."
            " A file with fewer runs than mutants was sampled with a fixed seed; one without a row"
            " has not been run. A mutant past the time limit counts as killed, and is named as such"
            " at the end.",
            "",
            "| file | mutants | run | killed | survive |",
            "|---|--:|--:|--:|--:|",
            *rows,
            "",
            "## Survivors",
            "",
            "| where | change | why no test sees it |",
            "|---|---|---|",
            *(_survivor(*one, reasons) for one in survivors),
            "",
            "## Which tests kill",
            "",
            "| test that fails first | mutants |",
            "|---|--:|",
            *(f"| {name} | {count} |" for name, count in kills.most_common()),
            "",
        ]
    )


def _survivor(path, line, function, before, after, reasons) -> str:
    reason = reasons.get(f"{path} {function}: {before} -> {after}", "**not explained yet**")
    change = f"`{before}` → `{after}`".replace("|", "\\|")
    return f"| {path}:{line} {function} | {change} | {reason} |"


def main() -> None:
    """Runs the modules asked for, and writes all results known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--minutes", type=float, default=inf, help="for the mutants of one file")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    seconds: dict[tuple[str, ...], dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "jaxlr"
        committed(copy)
        for module in arguments.modules:
            place = copy / "jaxlr" / module
            files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
            for path in (str(file.relative_to(copy)) for file in files):
                results[path] = before((copy / path).read_text(), results.get(path))
                tests = tuple(selection(path))
                if results[path]["run"] == results[path]["mutants"]:
                    continue
                if tests not in seconds:
                    seconds[tests] = unbroken(copy, list(tests))
                save = partial(keep, results)
                run(path, copy, arguments.minutes, seconds[tests], results[path], save)
    keep(results)
    write(results)


def keep(results: dict[str, dict]) -> None:
    """The numbers, so that a stop loses nothing."""
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def write(results: dict[str, dict]) -> None:
    """The page beside the numbers."""
    reasons = tomllib.loads(REASONS.read_text()) if REASONS.exists() else {}
    results = {path: one for path, one in sorted(results.items()) if one["mutants"]}
    RESULTS.with_suffix(".md").write_text(page(results, reasons))


if __name__ == "__main__":
    main()
