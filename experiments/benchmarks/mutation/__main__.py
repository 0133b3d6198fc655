"""Does breaking any one line of a module make a test fail? Each mutant against the tests.

    python -m experiments.benchmarks.mutation [module ...] [--minutes M]

A module is a name under jaxlr (losses, chain_rule/mlp); the rest of the results is kept. What is
known of a file as it stands is not run again: a run that was stopped goes on where it was.
The mutants live in a copy of the last commit. The test that failed last comes first, and programs
are compiled plainly, as in most of `make test`, and kept. A mutant that survives in float32 runs
again with float64. Why a survivor does no harm is written by hand in survivors.toml, under the
change itself, so that a later run finds it again.

mutmut leaves decorated functions alone, which here are the formulas (custom_jvp), and cosmic-ray
has no operator for the branches of a `where`, a dropped term or the sign of a derivative rule.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from experiments.benchmarks import tables
from experiments.benchmarks.mutation.mutants import mutants

ROOT = Path(__file__).parents[3]
REASONS = Path(__file__).parent / "survivors.toml"
MODULES = ["chain_rule", "losses", "activations"]
KEPT = ROOT / "out/mutation_programs"  # JAX finds a program by what it computes
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


def first_failure(copy: Path, path: str) -> str | None:
    """The test that fails first in a tree, in float32 or with float64, or None."""
    # Python trusts a compiled file whose source has the same second and size.
    shutil.rmtree((copy / path).parent / "__pycache__", ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false",  # twice as fast to compile
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(KEPT),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--ff", *selection(path)]
    for x64 in "01":
        environment["JAX_ENABLE_X64"] = x64
        try:
            done = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LIMIT_S
            )
        except subprocess.TimeoutExpired:
            return "time limit"
        if done.returncode:
            failed = re.search(r"^(FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
            return failed[2] if failed else "crash"
    return None


def committed(copy: Path) -> None:
    """The repository's last commit, unpacked: a file that is being edited can't interfere."""
    archive = copy.with_suffix(".tar")
    parts = ["jaxlr", "tests", "experiments", "pyproject.toml"]
    subprocess.run(["git", "archive", "-o", archive, "HEAD", *parts], cwd=ROOT, check=True)
    shutil.unpack_archive(archive, copy, filter="data")


def run(path: str, copy: Path, minutes: float, results: dict[str, dict]) -> None:
    """The mutants of a file, drawn with a fixed seed, until the time is over."""
    target = copy / path
    source = target.read_text()
    found, digest = list(mutants(source)), hashlib.sha256(source.encode()).hexdigest()[:16]
    known = {"source": digest, "mutants": len(found), "run": 0, "survivors": [], "kills": {}}
    if results.get(path, {}).get("source") == digest:
        known = results[path]
    results[path] = known
    if known["run"] < len(found) and (failed := first_failure(copy, path)):
        raise RuntimeError(f"without any mutant {failed} fails: mend that first")
    stop = time.monotonic() + 60 * minutes
    for mutant in random.Random(SEED).sample(found, len(found))[known["run"] :]:
        if time.monotonic() > stop:
            break
        target.write_text(mutant.source)
        killer = first_failure(copy, path)
        target.write_text(source)
        known["run"] += 1
        change = f"{path}:{mutant.line}: {mutant.before} -> {mutant.after}"
        print(f"  {change}: {'killed by ' + killer if killer else 'SURVIVES'}", flush=True)
        if killer:
            known["kills"][killer] = known["kills"].get(killer, 0) + 1
        else:
            known["survivors"].append([mutant.line, mutant.function, mutant.before, mutant.after])
        tables.save("mutation", results)  # so that a stop loses nothing
    survive = len(known["survivors"])
    print(f"{path}: {known['run']} of {len(found)}, {survive} survive", flush=True)


def told(results: dict[str, dict]) -> dict:
    """What the page tells of the results."""
    survivors = [(path, *one) for path in sorted(results) for one in results[path]["survivors"]]
    kills = Counter()
    for _, one in sorted(results.items()):
        for name, count in one["kills"].items():
            kills[name.split("::")[-1].split("[")[0]] += count
    total, run = (sum(one[key] for one in results.values()) for key in ("mutants", "run"))
    reasons = tomllib.loads(REASONS.read_text())
    told = {"files": results, "survivors": sorted(survivors), "kills": kills, "reasons": reasons}
    return told | {"total": total, "run": run}


def main() -> None:
    """Runs the modules asked for, and writes all results known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--minutes", type=float, default=1e9, help="for the mutants of one file")
    asked, results = parser.parse_args(), tables.kept("mutation")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "jaxlr"
        committed(copy)
        for module in asked.modules:
            place = copy / "jaxlr" / module
            for file in sorted(place.glob("*.py")) or [place.with_suffix(".py")]:
                run(str(file.relative_to(copy)), copy, asked.minutes, results)
    tables.publish("mutation", results, "mutation/page.md", **told(results))


if __name__ == "__main__":
    main()
