"""How fast are the metrics? A thousand lanes in one program, beside scikit-learn on every core.

Question: what do AUC, average precision and log-loss of 1,000 lanes x 10,000 scores cost, and the
classification figures of 1,000 lanes x 10 classes x 10,000 rows, when one compiled program scores
all lanes, against scikit-learn with a process on each core? And is one call on ten million rows no
slower than scikit-learn's?

Ours runs with one virtual device a core, lanes sharded over them; scikit-learn's processes are
started, warm and hold the data as memory maps before the clock starts, and get their lanes in one
piece each. Everybody takes turns, and a ratio is the median over rounds.
"""

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from joblib import Parallel, delayed
from sklearn import metrics as theirs

from experiments.benchmarks import machine
from jaxlr import metrics as ours
from jaxlr.metrics import figures

RESULTS = Path(__file__).parent / "results"
CORES = os.cpu_count() or 1
RANKING = ("roc_auc_score", "average_precision_score", "log_loss")


def problems(num_lanes: int, num_rows: int) -> dict[str, np.ndarray]:
    """Scores with few ties and their labels; ten classes and predictions right half the time."""
    rng = np.random.default_rng(0)
    score = rng.normal(size=(num_lanes, num_rows)).astype(np.float32)
    label = (rng.random(score.shape) < 1 / (1 + np.exp(-score))).astype(np.int32)
    truth = rng.integers(0, 10, score.shape).astype(np.int32)
    guess = np.where(rng.random(score.shape) < 0.5, truth, rng.integers(0, 10, score.shape))
    probability = (1 / (1 + np.exp(-score))).astype(np.float32)
    return {
        "label": label,
        "score": score,
        "probability": probability,
        "truth": truth,
        "guess": guess.astype(np.int32),
    }


def ranking_figures(metrics, names, label, score, probability) -> list:
    """The named ones of AUC, average precision and log-loss of one lane."""
    guesses = {"log_loss": probability}
    return [getattr(metrics, name)(label, guesses.get(name, score)) for name in names]


def our_figures(truth, guess) -> dict:
    """The classification figures of one lane, from one confusion tensor."""
    confusion = ours.confusion_matrix(truth, guess, num_classes=10)
    tables = ours.one_vs_rest(confusion)
    return {
        "confusion": confusion,
        "accuracy": figures.accuracy(confusion),
        "balanced": figures.balanced_accuracy(confusion),
        "precision": figures.precision(tables, "macro"),
        "recall": figures.recall(tables, "macro"),
        "f1": figures.f_beta(tables, 1.0, "macro"),
        "matthews": figures.matthews_corrcoef(confusion),
        "kappa": figures.cohen_kappa(confusion),
    }


def their_figures(truth, guess) -> dict:
    """The same from scikit-learn, each with the call meant for it."""
    macro = theirs.precision_recall_fscore_support(truth, guess, average="macro")
    return {
        "confusion": theirs.confusion_matrix(truth, guess),
        "accuracy": theirs.accuracy_score(truth, guess),
        "balanced": theirs.balanced_accuracy_score(truth, guess),
        "precision": macro[0],
        "recall": macro[1],
        "f1": macro[2],
        "matthews": theirs.matthews_corrcoef(truth, guess),
        "kappa": theirs.cohen_kappa_score(truth, guess),
    }


def _their_lanes(work: Callable, columns: list[np.ndarray]) -> list:
    """What one process of scikit-learn's does: its lanes, one after another."""
    return [work(*lane) for lane in zip(*columns, strict=True)]


def _their_ranking(names, label, score, probability) -> list:
    return ranking_figures(theirs, names, label, score, probability)


def on_all_cores(pool, work: Callable, columns: list[np.ndarray]) -> list:
    """scikit-learn's answer for every lane, the lanes dealt to the processes in equal pieces."""
    pieces = [np.array_split(column, CORES) for column in columns]
    done = pool(delayed(_their_lanes)(work, list(part)) for part in zip(*pieces, strict=True))
    return [lane for part in done for lane in part]


def duel(contestants: dict[str, Callable], rounds: int) -> dict:
    """Everybody in turn: median milliseconds, and the median ratio of each to ours."""
    answers = {name: run() for name, run in contestants.items()}  # warm: compiled, data in place
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(machine.once(run))
    base = np.array(times["jaxlr"])
    ratios = {n: float(np.median(np.array(t) / base)) for n, t in times.items() if n != "jaxlr"}
    return {
        "milliseconds": {name: 1e3 * float(np.median(t)) for name, t in times.items()},
        "ratio": ratios,
        "greatest_difference": _difference(answers["jaxlr"], answers["scikit-learn"]),
    }


def _difference(one, other) -> float:
    """The greatest difference between two answers of one structure."""
    gaps = [
        np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)))
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    ]
    return float(max(gaps))


def lanes(num_lanes: int, num_rows: int, rounds: int) -> dict:
    """The duels of many lanes: each ranking metric, all three, and the classification figures."""
    data = problems(num_lanes, num_rows)
    mesh = jax.make_mesh((CORES,), ("lanes",), axis_types=(jax.sharding.AxisType.Auto,))
    over_lanes = jax.sharding.NamedSharding(mesh, jax.P("lanes"))
    placed = {name: jax.device_put(column, over_lanes) for name, column in data.items()}
    columns = ("label", "score", "probability")
    found = {}
    with Parallel(n_jobs=CORES, mmap_mode="r", max_nbytes=1) as pool:
        for names in (*((name,) for name in RANKING), RANKING):
            our_lanes = jax.jit(jax.vmap(functools.partial(ranking_figures, ours, names)))
            their_lane = functools.partial(_their_ranking, names)
            found[" + ".join(names)] = duel(
                {
                    "jaxlr": lambda f=our_lanes: f(*(placed[c] for c in columns)),
                    "scikit-learn": lambda f=their_lane: list(
                        np.transpose(on_all_cores(pool, f, [data[c] for c in columns]))
                    ),
                },
                rounds,
            )
        our_lanes = jax.jit(jax.vmap(our_figures))
        found["classification figures"] = duel(
            {
                "jaxlr": lambda: our_lanes(placed["truth"], placed["guess"]),
                "scikit-learn": lambda: _stacked(
                    on_all_cores(pool, their_figures, [data["truth"], data["guess"]])
                ),
            },
            rounds,
        )
    return found


def _stacked(answers: list[dict]) -> dict:
    return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}


def single_calls(num_rows: int, rounds: int) -> dict:
    """One eager call on numpy arrays against one of scikit-learn's."""
    data = {name: column[0] for name, column in problems(1, num_rows).items()}
    questions = dict.fromkeys(RANKING[:2], ("label", "score"))
    questions |= {"log_loss": ("label", "probability")}
    questions |= dict.fromkeys(
        ("accuracy_score", "confusion_matrix", "matthews_corrcoef"), ("truth", "guess")
    )
    found = {}
    for name, columns in questions.items():
        asked = [data[column] for column in columns]
        mine, peer = (functools.partial(getattr(m, name), *asked) for m in (ours, theirs))
        found[name] = duel({"jaxlr": mine, "scikit-learn": peer}, rounds)
    return found


def table(title: str, duels: dict) -> str:
    """A Markdown table of duels."""
    lines = [f"## {title}", "", "| | jaxlr, ms | scikit-learn, ms | ratio | greatest difference |"]
    lines.append("|---|---|---|---|---|")
    for name, result in duels.items():
        mine, peer = (result["milliseconds"][n] for n in ("jaxlr", "scikit-learn"))
        ratio, gap = result["ratio"]["scikit-learn"], result["greatest_difference"]
        lines.append(f"| {name} | {mine:.1f} | {peer:.0f} | {ratio:.1f} | {gap:.1e} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs everything, prints the tables and writes results/metrics.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--single", type=int, default=10_000_000, help="rows of a single call")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    where = machine.description("scikit-learn", "torchmetrics", "torcheval")
    results = {
        "machine": where,
        "lanes": lanes(asked.lanes, asked.rows, asked.rounds),
        "single": single_calls(asked.single, max(1, asked.rounds - 1)),
    }
    text = "# Metrics beside scikit-learn\n\n" + "\n".join(
        [
            f"{where['processor']}, {CORES} cores, {where}\n",
            table(f"{asked.lanes:,} lanes x {asked.rows:,} rows, all cores", results["lanes"]),
            table(f"One call on {asked.single:,} rows", results["single"]),
        ]
    )
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "metrics.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "metrics.md").write_text(text)
    return 0


if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", CORES)
    sys.exit(main())
