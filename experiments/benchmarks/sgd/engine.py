"""What the sweep engine costs, and what it saves.

Overhead: the seconds of `sweeps.run`, evaluated after every segment, looked at and checkpointed,
over those of a bare `jit(vmap(training.fit))` of the same lanes, and of one that evaluates them as
often.

Leaving: the seconds of a sweep of which half the configurations leave after a tenth of the steps,
over those of the whole sweep. Halving: its seconds likewise, and how its choice compares, over
seeds.

    python -m experiments.benchmarks.sgd.engine
"""

import argparse
import tempfile

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks import machine, tables
from experiments.datasets import DataError, load
from experiments.kit import problems
from experiments.sweep.lane import lane as lane_of
from jaxlr import data, losses, models, optimizers, sweeps, training

A9A = "../shared/data/a9a/adult.trn.bz2"
# Data, configurations, epochs and evaluations of them; three folds, batches of 64.
OVERHEAD = {
    "digits": ("digits", 128, 24, 8),
    "MNIST, 10,000 rows": ("../shared/data/mnist", 64, 6, 3),
    "breast_cancer": ("breast_cancer", 256, 40, 20),
    "breast_cancer, a thousand": ("breast_cancer", 1024, 80, 20),
}
HALVING = {
    "digits": ("digits", 512, 40, 20),
    "a9a, 10,000 rows": (A9A, 256, 18, 18),
    "MNIST, 10,000 rows": ("../shared/data/mnist", 96, 9, 9),
    "spambase": ("../shared/data/spambase/spambase.data.ssv.gz", 1024, 40, 20),
    "breast_cancer": ("breast_cancer", 1024, 40, 20),
}
LEAVING = {"digits": ("digits", 512, 40, 20), "a9a, 10,000 rows": (A9A, 256, 20, 20)}
FOLDS, BATCH_SIZE, MOST_ROWS = 3, 64, 10_000
SPACE = {
    "learning_rate": sweeps.LogUniform(1e-3, 1.0),
    "momentum": sweeps.Uniform(0.0, 0.99),
    "l2": sweeps.LogUniform(1e-6, 1e-1),
}
SETTINGS = {"model": "linear", "optimizer": "momentum", "batch_size": BATCH_SIZE}


def asked(name: str, configs: int, epochs: int, segments: int, seed: int = 0) -> tuple:
    """(the problem, the arguments of `sweeps.run`)."""
    table = load(name)
    rest = max(0.2, 1 - MOST_ROWS / len(table.features))
    problem = problems.prepare(table, jax.random.key(0), rest, FOLDS)
    order = data.epochs(jax.random.key(seed), len(problem.train.x), BATCH_SIZE, epochs)
    arguments = {
        "lane": lane_of(problem, SETTINGS),
        "lanes": sweeps.cross(sweeps.sobol(SPACE, configs, seed).hypers, FOLDS),
        "batch": problem.train,
        "order": order,
        "fold_weights": problems.folds(problem, jax.random.key(seed), FOLDS),
        "num_segments": segments,
    }
    return problem, arguments


def overhead(told: tuple, rounds: int) -> dict:
    """Seconds of the engine and of two bare programs, compiled."""
    problem, arguments = asked(*told)
    lane, lanes, num_segments = (arguments[name] for name in ("lane", "lanes", "num_segments"))
    start = models.init_linear(problem.train.x.shape[1], problem.num_outputs, jnp.float32)
    loss = problems.loss_of(problem.table.task)

    def heard(batch, factor):
        return batch._replace(weights=batch.weights * factor)

    def fit(hyper, key, trains, batch, order):
        del key
        risk = losses.risk(models.linear, loss, l2=hyper["l2"])
        optimizer = optimizers.sgd(hyper["learning_rate"], hyper["momentum"])
        return training.fit(risk, optimizer, start, heard(batch, trains), order)

    def evaluated(hyper, key, trains, batch, order):
        def step(state, taken):
            return lane.step(hyper, state, training.take(heard(batch, trains), taken))

        def segment(state, rows):
            state, losses = jax.lax.scan(step, state, rows)
            seen = lane.evaluate(hyper, state, heard(batch, 1 - trains))
            return state, (losses.mean(), seen)

        return jax.lax.scan(segment, lane.init(hyper, key), order)

    order = arguments["order"]
    cut = order.reshape(num_segments, -1, order.shape[-1])
    asks = lanes.hypers, lanes.key, arguments["fold_weights"][lanes.fold], problem.train
    works, axes = {}, (0, 0, 0, None, None)
    for name, run, rows in (("fit", fit, order), ("fit, evaluated", evaluated, cut)):
        program = jax.jit(jax.vmap(run, axes)).lower(*asks, rows).compile()
        works[name] = lambda program=program, rows=rows: program(*asks, rows)
    plan = sweeps.plan(**arguments)

    def engine():
        with tempfile.TemporaryDirectory() as folder:
            options = {"checkpoints": sweeps.Checkpoints(folder, seconds=30), "plan": plan}
            sweeps.run(**arguments, **options, on_segment=lambda done, progress: None)

    works["engine"] = engine
    for work in works.values():
        machine.once(work)
    times = machine.turns(works, rounds)
    return {
        "lanes": len(lanes.fold),
        "steps": len(order),
        "segments": num_segments,
        "seconds": {name: float(np.median(own)) for name, own in times.items()},
        "ratio": {name: machine.ratio(times["engine"], own) for name, own in times.items()},
    }


def leaving(told: tuple, rounds: int) -> float:
    """Seconds of a sweep whose every second configuration leaves early, over the whole's."""
    _, arguments = asked(*told)
    lanes, segments = arguments["lanes"], arguments["num_segments"]
    until = np.where(np.asarray(lanes.configuration) % 2, segments, segments // 10)
    early = arguments | {"lanes": lanes._replace(segments=until)}
    plans = {"whole": sweeps.plan(**arguments), "early": sweeps.plan(**early)}
    works = {
        "whole": lambda: sweeps.run(**arguments, plan=plans["whole"]),
        "early": lambda: sweeps.run(**early, plan=plans["early"]),
    }
    times = machine.turns(works, rounds)
    return machine.ratio(times["early"], times["whole"])


def halving(told: tuple, seeds: int) -> dict:
    """Seconds of halving over those of the whole sweep, compiled; and how good its choice is."""
    metric, shares, worse, within = None, [], [], 0
    for seed in range(seeds):
        problem, arguments = asked(*told, seed)
        metric = problems.LOSS_NAMES[problem.table.task]
        configuration = np.asarray(arguments["lanes"].configuration)
        schedule = sweeps.halving(configuration, metric, arguments["num_segments"])
        whole = sweeps.run(**arguments)
        pruned = sweeps.run(**arguments, schedule=schedule)
        shares.append(pruned.run_seconds / whole.run_seconds)
        best, found = (swept.best_by(metric).metrics[metric][:, -1] for swept in (whole, pruned))
        worse.append(found.mean() / best.mean() - 1)
        within += found.mean() <= best.mean() + best.std(ddof=1) / np.sqrt(len(best))
    return {
        "lanes": len(configuration),
        "segments": arguments["num_segments"],
        "share": float(np.median(shares)),
        "seeds": seeds,
        "within_a_percent": int(np.sum(np.array(worse) <= 0.01)),
        "within_a_standard_error": int(within),
        "seconds": [whole.run_seconds, pruned.run_seconds],
    }


PARTS = {
    "overhead": (overhead, OVERHEAD),
    "leaving": (leaving, LEAVING),
    "halving": (halving, HALVING),
}


def main() -> None:
    """Measures what is asked for, and renews its part of results/engine.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = sorted(OVERHEAD | LEAVING | HALVING)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--only", nargs="+", choices=known, default=known, help="data sets")
    parser.add_argument("--rounds", type=int, default=7, help="turns, where there is no seed")
    parser.add_argument("--seeds", type=int, default=20, help="of designs, folds and rows")
    given = parser.parse_args()
    results = {part: {} for part in PARTS} | tables.kept("engine")
    results["machine"] = machine.description()
    for part in given.parts:
        measure, told = PARTS[part]
        times = given.seeds if part == "halving" else given.rounds
        for name in [name for name in told if name in given.only]:
            try:
                results[part][name] = measure(told[name], times)
            except DataError as error:
                parser.error(str(error))
            print(part, name, results[part][name], flush=True)
    print(tables.publish("engine", results, "sgd/engine.md"))


if __name__ == "__main__":
    main()
