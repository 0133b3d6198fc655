"""Whether a sweep keeps to its plan, where memory is no more than that takes.

Random shapes, each in a process of its own, planned and run.
"""

import argparse
import ctypes
import gc
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np

from jaxlr import Batch, data, losses, models, optimizers, sweeps
from jaxlr.sweeps.plans import PACKED

KINDS = ("sgd", "momentum", "adam")
RATES = {"learning_rate": sweeps.LogUniform(1e-4, 1e-2), "l2": sweeps.LogUniform(1e-6, 1e-2)}


def shape(seed: int) -> dict:
    """Rows, features, classes and a sweep of some 0.4 to 2 gigabytes."""
    rng = np.random.default_rng(seed)
    size, classes = int(rng.integers(16, 1000)), int(rng.choice([2, 3, 10, 30]))
    kind = str(rng.choice(KINDS))
    states = 1 + KINDS.index(kind)  # params, and what the optimizer keeps
    most = 2**30 * 10 ** rng.uniform(-0.5, 0.1) / (8 * states * size * classes)
    return {
        "rows": int(rng.integers(1_000, 10_000)),
        "features": size,
        "classes": classes,
        "optimizer": kind,
        "lanes": int(np.clip(most, 64, 20_000)),
        "batch_size": int(rng.choice([32, 64, 128, 256])),
        "segments": int(rng.choice([2, 3, 4])),
        "steps": int(rng.integers(10, 40)),
        "folds": int(rng.choice([1, 3])),
    }


def asked(told: dict) -> dict:
    """The arguments of `sweeps.run`, of random numbers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(told["rows"], told["features"])).astype(np.float32)
    labels = rng.integers(0, told["classes"], told["rows"]).astype(np.int32)
    configs = -(-told["lanes"] // told["folds"])
    order = rng.integers(0, told["rows"], (told["segments"] * told["steps"], told["batch_size"]))
    folds = data.folds(jax.random.key(0), labels, 3) if told["folds"] == 3 else None
    return {
        "lane": lane(told["features"], told["classes"], told["optimizer"]),
        "lanes": sweeps.cross(sweeps.sobol(RATES, configs).hypers, told["folds"]),
        "batch": Batch(jax.numpy.asarray(x), jax.numpy.asarray(labels)),
        "order": order.astype(np.int32),
        "fold_weights": folds,
        "num_segments": told["segments"],
    }


def lane(size: int, classes: int, kind: str) -> sweeps.Lane:
    """A softmax regression by one of KINDS."""
    made = {
        "sgd": optimizers.sgd,
        "momentum": lambda rate: optimizers.sgd(rate, 0.9),
        "adam": optimizers.adam,
    }[kind]

    def metrics(params, rows):
        risk = losses.risk(models.linear, losses.softmax_cross_entropy)
        return {"loss": risk(params, rows)}

    return sweeps.descent(
        lambda key: models.init_linear(size, classes),
        lambda hyper: losses.risk(models.linear, losses.softmax_cross_entropy, l2=hyper["l2"]),
        lambda hyper: made(hyper["learning_rate"]),
        metrics,
    )


def kept(seed: int) -> dict:
    """The plan and what came of it, in this process."""
    told = shape(seed)
    arguments = asked(told)
    arguments["memory"] = int(PACKED * sweeps.plan(**arguments).bytes_total) + 1  # and no more
    plan = sweeps.plan(**arguments)
    gc.collect()
    time.sleep(2)  # what the last call took is given back a little later
    ctypes.CDLL(None).malloc_trim(0)  # what compilers have left is no part of a sweep
    before = resident("VmRSS") - plan.bytes_shared
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    found = sweeps.run(**arguments, plan=plan, on_segment=lambda done, progress: None)
    return told | {
        "width": plan.width,
        "planned_bytes": plan.bytes_total,
        "peak_bytes": resident("VmHWM") - before,
        "planned_seconds": plan.run_seconds,
        "seconds": found.run_seconds,
    }


def resident(name: str) -> int:
    """Bytes of this process, now (VmRSS) or at the most (VmHWM)."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def main() -> None:
    """Prints a line for every shape, and how far plans are from what came."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=20)
    parser.add_argument("--seed", type=int, help="one shape, in this process")
    given = parser.parse_args()
    if given.seed is not None:
        print(json.dumps(kept(given.seed)))
        return
    rows = []
    for seed in range(given.shapes):
        command = [sys.executable, "-m", "experiments.benchmarks.sgd.plans", "--seed", str(seed)]
        start = time.perf_counter()
        rows.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
        of = {what: rows[-1][f"planned_{what}"] for what in ("bytes", "seconds")}
        rows[-1]["memory"] = rows[-1]["peak_bytes"] / of["bytes"]
        rows[-1]["time"] = rows[-1]["seconds"] / of["seconds"]
        print(seed, rows[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
    for name in ("memory", "time"):
        ratios = np.sort([row[name] for row in rows])
        print(f"{name}: {ratios[0]:.2f} to {ratios[-1]:.2f} of the plan, {ratios.round(2)}")


if __name__ == "__main__":
    main()
