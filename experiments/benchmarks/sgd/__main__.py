"""How fast is a sweep of SGD runs? Lanes as one matrix product, beside peers in the same run.

Question: what does a lane cost when 1, 8, 64, 256 or 1024 of them share their minibatches, against
the machine's matrix-product peak, scikit-learn's SGDClassifier over all cores, the same SGD in
optax run lane after lane from one compiled step or one compiled epoch, and torch.func?

The work is one epoch of binary logistic regression (is the digit odd?) over 60,000 x 784 float32
with momentum and an l2 penalty: 4 N D operations per lane for everybody. SGDClassifier takes one
row per step and has no momentum; it does the same products. Every figure is a median of rounds in
which all contestants take turns.
"""

import argparse
import json
import sys
from pathlib import Path

import jax
import numpy as np

from experiments.benchmarks import machine, sgd_figures, sgd_peers, sgd_quality
from experiments.datasets import DataError, load
from jaxlr import Batch, data, losses, models, optimizers, sweeps

RESULTS = Path(__file__).parent / "results"
LANES = (1, 8, 64, 256, 1024)
BATCH_SIZES = (64, 256)
N, D = 60_000, 784


def data_set(folder: str) -> tuple[Batch, str]:
    """MNIST's odd-or-even from IDX files in `folder`, or random numbers of its shape."""
    if Path(folder).is_dir():
        table = load(folder)
        x = np.asarray(table.features, np.float32) / 255
        return Batch(jax.numpy.asarray(x), jax.numpy.asarray(table.labels % 2)), "MNIST"
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(-0.9, 1, (N, D)), 0).astype(np.float32)  # 80 % zeros, as MNIST
    labels = x @ rng.normal(size=D) + rng.normal(size=N) > 0
    return Batch(jax.numpy.asarray(x), jax.numpy.asarray(labels, np.int32)), "synthetic"


def hypers(num_lanes: int) -> dict[str, np.ndarray]:
    """Settings that all converge: the work is the same for any."""
    design = sweeps.sobol(
        {
            "learning_rate": sweeps.LogUniform(1e-3, 1e-1),
            "momentum": sweeps.Uniform(0.0, 0.9),
            "l2": sweeps.LogUniform(1e-6, 1e-2),
        },
        num_lanes,
    )
    return design.hypers


LANE = sweeps.descent(
    lambda key: models.init_linear(D),
    lambda hyper: losses.risk(models.linear, losses.log_loss, l2=hyper["l2"]),
    lambda hyper: optimizers.sgd(hyper["learning_rate"], hyper["momentum"]),
    lambda params, batch: {},
)


def ours(batch: Batch, num_lanes: int, batch_size: int, rounds: int) -> dict:
    """Median seconds of an epoch of a sweep, and its compilation apart."""
    lanes = sweeps.cross(hypers(num_lanes))
    order = data.epochs(jax.random.key(0), len(batch.x), batch_size, 1)
    first = sweeps.run(LANE, lanes, batch, order)
    runs = [sweeps.run(LANE, lanes, batch, order).run_seconds for _ in range(rounds)]
    operations = 4 * num_lanes * order.size * batch.x.shape[1]
    return {
        "lanes": num_lanes,
        "batch_size": batch_size,
        "seconds": float(np.median(runs)),
        "ms_per_lane": float(np.median(runs)) / num_lanes * 1e3,
        "gigaflops": operations / float(np.median(runs)) / 1e9,
        "compile_seconds": first.compile_seconds,
    }


def duel(batch: Batch, num_lanes: int, batch_size: int, rounds: int) -> dict:
    """Everybody in turn, `rounds` times: medians of the seconds per lane and of the ratios."""
    order = data.epochs(jax.random.key(0), len(batch.x), batch_size, 1)
    lanes = sweeps.cross(hypers(num_lanes))
    contestants = {
        "jaxlr": lambda: sweeps.run(LANE, lanes, batch, order).run_seconds / num_lanes,
        **sgd_peers.contestants(batch, order, hypers(num_lanes)),
    }
    for run in contestants.values():
        run()  # warm: compiled, data in place
    times = {name: [] for name in contestants}
    shares = []
    for _ in range(rounds):
        peak = machine.matrix_product_peak()
        for name, run in contestants.items():
            times[name].append(run())
        peak = max(peak, machine.matrix_product_peak())
        rate = 4 * order.size * batch.x.shape[1] / times["jaxlr"][-1]
        shares.append((rate / peak, peak))
    ours_seconds = np.array(times["jaxlr"])
    return {
        "lanes": num_lanes,
        "batch_size": batch_size,
        "ms_per_lane": {name: float(np.median(t)) * 1e3 for name, t in times.items()},
        "ratio": {
            name: float(np.median(np.array(t) / ours_seconds))
            for name, t in times.items()
            if name != "jaxlr"
        },
        "share_of_peak": float(np.median([share for share, _ in shares])),
        "peak_gigaflops": float(np.median([peak for _, peak in shares])) / 1e9,
    }


def main() -> int:
    """Runs everything, prints the tables and writes results/sgd_sweep.{json,md,svg}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default="../shared/data/mnist", help="folder of MNIST's IDX files"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--budget", type=float, default=90, help="seconds per search for quality")
    asked = parser.parse_args()
    try:
        batch, source = data_set(asked.data)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    results = {"data": source, "machine": machine.description("scikit-learn", "optax", "torch")}
    print(f"{source}, {len(batch.x):,} x {batch.x.shape[1]}, float32, {results['machine']}")
    results["duel"] = duel(batch, 256, 256, asked.rounds)
    print(sgd_figures.duel_table(results["duel"]))
    results["lanes"] = [ours(batch, n, b, asked.rounds) for b in BATCH_SIZES for n in LANES]
    print(sgd_figures.lanes_table(results["lanes"]))
    results["quality"] = sgd_quality.race(batch, asked.budget)
    print(sgd_figures.quality_table(results["quality"]))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sgd_sweep.json").write_text(json.dumps(results, indent=1) + "\n")
    sgd_figures.write(results, RESULTS / "sgd_sweep.md", RESULTS / "sgd_sweep.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
