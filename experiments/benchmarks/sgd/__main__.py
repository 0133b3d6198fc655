"""How fast is a sweep of SGD runs? Lanes as one matrix product, beside peers in the same run.

Question: what does a lane cost when 1, 8, 64, 256 or 1024 of them share their minibatches, against
the machine's matrix-product peak, scikit-learn's SGDClassifier over all cores, the same SGD in
optax run lane after lane from one compiled step or one compiled epoch, and torch.func?

The work is one epoch of binary logistic regression (is the digit odd?) over 60,000 x 784 float32
with momentum and an l2 penalty: 4 N D operations per lane for everybody. SGDClassifier takes one
row per step and has no momentum; it does the same products. Every figure is a median of rounds in
which all contestants take turns.

    python -m experiments.benchmarks.sgd
"""

import argparse
from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure

from experiments.benchmarks import machine, tables
from experiments.benchmarks.sgd import peers, quality, step
from experiments.datasets import DataError, load
from jaxlr import Batch, data, sweeps

LANES = (1, 8, 64, 256, 1024)
BATCH_SIZES = (64, 256)
N, D = 60_000, 784
REQUIRED = {"SGDClassifier, all cores": 40, "optax, a compiled step": 25, "torch.func": 2.5}


def data_set(folder: str, num_rows: int = N) -> tuple[Batch, str]:
    """MNIST's odd-or-even from IDX files in `folder`, or random numbers of its shape."""
    if Path(folder).is_dir():
        table, source = load(folder), "MNIST"
        x, labels = np.asarray(table.features, np.float32) / 255, np.asarray(table.labels) % 2
    else:
        rng, source = np.random.default_rng(0), "synthetic"
        x = np.maximum(rng.normal(-0.9, 1, (N, D)), 0).astype(np.float32)  # 80 % zeros, as MNIST
        labels = x @ rng.normal(size=D) + rng.normal(size=N) > 0
    rows = x[:num_rows], labels[:num_rows].astype(np.int32)
    return Batch(*map(jax.numpy.asarray, rows)), source


def hypers(num_lanes: int) -> dict[str, np.ndarray]:
    """Settings that all converge: the work is the same for any."""
    space = {
        "learning_rate": sweeps.LogUniform(1e-3, 1e-1),
        "momentum": sweeps.Uniform(0.0, 0.9),
        "l2": sweeps.LogUniform(1e-6, 1e-2),
    }
    return sweeps.sobol(space, num_lanes).hypers


def ours(batch: Batch, num_lanes: int, batch_size: int, rounds: int) -> dict:
    """Median seconds of an epoch of a sweep, and its compilation apart."""
    lane, lanes = quality.lane(D), sweeps.cross(hypers(num_lanes))
    order = data.epochs(jax.random.key(0), len(batch.x), batch_size, 1)
    first = sweeps.run(lane, lanes, batch, order)
    runs = [sweeps.run(lane, lanes, batch, order).run_seconds for _ in range(rounds)]
    seconds = float(np.median(runs))
    return {
        "lanes": num_lanes,
        "batch_size": batch_size,
        "seconds": seconds,
        "ms_per_lane": seconds / num_lanes * 1e3,
        "gigaflops": 4 * num_lanes * order.size * batch.x.shape[1] / seconds / 1e9,
        "compile_seconds": first.compile_seconds,
    }


def duel(batch: Batch, num_lanes: int, batch_size: int, rounds: int) -> dict:
    """Everybody in turn: medians of the seconds per lane and of the ratios."""
    order = data.epochs(jax.random.key(0), len(batch.x), batch_size, 1)
    lane, lanes = quality.lane(D), sweeps.cross(hypers(num_lanes))
    contestants = {
        "peak": lambda: 1 / machine.matrix_product_peak(),
        "jaxlr": lambda: sweeps.run(lane, lanes, batch, order).run_seconds / num_lanes,
        **peers.contestants(batch, order, hypers(num_lanes)),
    }
    for run in contestants.values():
        run()  # warm: compiled, data in place
    times = machine.turns(contestants, rounds, timed=lambda run: run())
    per_operation = times.pop("peak")
    rates = np.divide(4 * order.size * batch.x.shape[1], times["jaxlr"])
    return {
        "lanes": num_lanes,
        "batch_size": batch_size,
        "ms_per_lane": {name: float(np.median(t)) * 1e3 for name, t in times.items()},
        "ratio": {
            name: machine.ratio(t, times["jaxlr"]) for name, t in times.items() if name != "jaxlr"
        },
        "share_of_peak": float(np.median(rates * per_operation)),
        "peak_gigaflops": 1e-9 / float(np.median(per_operation)),
    }


def cost_per_lane(results: dict) -> Figure:
    """Milliseconds per lane against lanes, with the floor that the peak sets."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    for size, colour in ((64, "#0072b2"), (256, "#d55e00")):
        rows = [row for row in results["lanes"] if row["batch_size"] == size]
        lanes, cost = ([row[key] for row in rows] for key in ("lanes", "ms_per_lane"))
        axes.loglog(lanes, cost, "o-", color=colour, label=f"jaxlr, batch {size}")
    duel = results["duel"]
    for name, style in (("SGDClassifier, all cores", "--"), ("optax, a compiled step", "-.")):
        axes.axhline(duel["ms_per_lane"][name], color="#555555", linestyle=style, label=name)
    operations = duel["ms_per_lane"]["jaxlr"] * duel["share_of_peak"]
    axes.axhline(operations, color="#009e73", linestyle=":", label="matrix-product peak")
    axes.set(xlabel="lanes", ylabel="ms per lane and epoch", title="What a lane costs")
    axes.set_xticks([1, 8, 64, 256, 1024], labels=["1", "8", "64", "256", "1024"])
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


def main() -> None:
    """Runs everything, prints the tables and writes results/sgd_sweep.{json,md,svg}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data/mnist", help="folder of IDX files")
    parser.add_argument("--rows", type=int, default=N, help="of the data, from the first on")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--budget", type=float, default=90, help="seconds per search for quality")
    asked = parser.parse_args()
    try:
        batch, source = data_set(asked.data, asked.rows)
    except DataError as error:
        parser.error(str(error))
    results = {"data": source, "machine": machine.description("scikit-learn", "optax", "torch")}
    print(f"{source}, {len(batch.x):,} x {batch.x.shape[1]}, float32, {results['machine']}")
    results["duel"] = duel(batch, 256, 256, asked.rounds)
    results["step"] = step.shares(batch, hypers(256), 256, asked.rounds)
    print(results["duel"], results["step"], sep="\n", flush=True)
    results["lanes"] = [ours(batch, n, b, asked.rounds) for b in BATCH_SIZES for n in LANES]
    print(*results["lanes"], sep="\n", flush=True)
    results["quality"] = quality.race(batch, asked.budget)
    figure = cost_per_lane(results)
    print(tables.publish("sgd_sweep", results, "sgd/page.md", figure, required=REQUIRED))


if __name__ == "__main__":
    main()
