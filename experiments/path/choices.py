"""The choices, a row per probe: as cells for the page and as plain text."""

import jax.numpy as jnp
import numpy as np

from experiments.kit import words
from experiments.kit.report import examine
from experiments.path import metrics
from experiments.path.settings import Plan
from experiments.path.study import Findings, Probe, cost, leading

RULES = {"best": "best mean", "one_standard_error": "one standard error"}


def board(found: Findings, plan: Plan, most: int = 24) -> str:
    """The choices as a plain-text table."""
    shown = short(found, plan, most)
    head, rows, _, texts = cells(found, plan, shown)
    lines = words.lines(head, rows, texts)
    if len(shown) < len(found.probes):
        lines.append(
            f"and {len(found.probes) - len(shown):,} more probes, on the page; above are targets "
            "on their best layer"
        )
    return "\n".join(lines)


def short(found: Findings, plan: Plan, most: int) -> list[Probe]:
    """All probes, or, of more than `most`, each target's on its best layer, and of these `most`."""
    if len(found.probes) <= most:
        return found.probes
    targets = dict.fromkeys(probe.target for probe in found.probes)
    best = [
        leading([probe for probe in found.probes if probe.target == target], plan.metric)
        for target in targets
    ]
    return best[:most]


def cells(
    found: Findings, plan: Plan, shown: list[Probe] | None = None
) -> tuple[list[str], list[list[str]], list[int], int]:
    """Column names, rows of text, the rows to stress, and how many columns are words.

    A probe alone has a row for each rule; of several, each of those `shown` (default: all) has
    the row of its choice.
    """
    shown = found.probes if shown is None else shown
    names = {metrics.prose(plan.metric, p.problem.table.task) for p in found.probes}
    metric = words.name(names.pop()) if len(names) == 1 else "loss"
    merits = {merit(probe)[0] for probe in found.probes}
    head = ["λ", "C", *["l1 ratio"] * (len(plan.l1_ratios) > 1), f"held-out {metric}"]
    head += ["weights ≠ 0", f"test {merits.pop() if len(merits) == 1 else 'figure'}", "refit"]
    if len(found.probes) == 1:
        (probe,) = found.probes
        rules = list(RULES)[: 2 if differs(probe) else 1]
        rows = [[RULES[rule], *_row(probe, getattr(probe, rule), plan)] for rule in rules]
        marked = [i for i, rule in enumerate(rules) if getattr(probe, rule) == probe.chosen]
        return ["rule", *head], rows, marked, 1
    rows = [
        [words.clipped(probe.layer, 28), words.clipped(probe.target, 28)]
        + _row(probe, probe.chosen, plan)
        for probe in shown
    ]
    marked = [i for i, probe in enumerate(shown) if probe is found.lead]
    return ["layer", "target", *head], rows, marked, 2


def differs(probe: Probe) -> bool:
    """Whether the two rules take different settings."""
    return probe.best != probe.one_standard_error


def nonzero(probe: Probe, place: tuple[int, int]) -> np.ndarray:
    """[F] how many weights are not zero in each fold's lane."""
    w = probe.coefficients[:, place[0], place[1]]
    return np.count_nonzero(w.reshape(len(w), -1), axis=1)


def guessing(probe: Probe, metric: str) -> float:
    """What one constant answer, the training rows' shares or mean, has of the metric."""
    problem = probe.problem
    task, names = problem.table.task, problem.table.class_names
    if metric == "loss":
        return examine.guessing_loss(problem)
    labels, weights = np.asarray(problem.train.labels), np.asarray(problem.train.weights, float)
    if task == "regression":
        same = np.full(len(labels), np.average(labels, weights=weights))
    else:
        shares = np.log(np.bincount(labels, weights, len(names)) + 1e-300)
        same = np.tile(shares, (len(labels), 1)) if task == "multiclass" else shares[1] - shares[0]
    scores = np.broadcast_to(np.float32(same), (len(labels), *np.shape(same)[1:]))
    scorer = metrics.scorer(metric, task, len(names))
    return float(scorer(labels, jnp.asarray(scores), sample_weight=problem.train.weights))


def guess_words(probe: Probe, metric: str) -> str:
    """Who has that figure, in words."""
    if probe.problem.table.task == "regression":
        return "always saying the mean"
    if metric in ("loss", "roc_auc", "average_precision"):
        return "guessing by class frequency"
    return "always saying the commonest class"


def figure(metric: str, value: float, error: float = float("nan")) -> str:
    """A figure of the metric as a person reads it, with its standard error if there is one."""
    return words.plus_minus(value, error) if np.isfinite(error) else words.number(value)


def base_rate(probe: Probe) -> float:
    """What always saying the training rows' commonest class has of the merit; 0 of R²."""
    problem = probe.problem
    if problem.table.task == "regression":
        return 0.0
    commonest = np.argmax(np.bincount(problem.train.labels, problem.train.weights))
    return float(np.average(problem.test.labels == commonest, weights=problem.test.weights))


def merit(probe: Probe) -> tuple[str, float]:
    """What a probe is compared by on test rows: accuracy, or R² of a regression."""
    key = "r2" if probe.problem.table.task == "regression" else "accuracy"
    value = probe.test.figures[key] if probe.test else float("nan")
    return {"r2": "R²"}.get(key, key), value


def said(name: str, value: float) -> str:
    """A merit as a person reads it."""
    if not np.isfinite(value):
        return "none"
    return words.percent(value) if name == "accuracy" else words.number(value)


def _row(probe: Probe, place: tuple[int, int], plan: Plan) -> list[str]:
    a, k = place
    lam, c = probe.lambdas[k], cost(probe.lambdas[k], probe.problem.train.weights.sum())
    test = ended = ""
    if place == probe.chosen:
        lam, c, ended = (probe.refit[key] for key in ("lambda", "C", "status"))
        test = said(*merit(probe))
    used = nonzero(probe, place)
    return [
        words.number(lam),
        words.number(c),
        *[f"{probe.l1_ratios[a]:g}"] * (len(plan.l1_ratios) > 1),
        words.plus_minus(probe.mean[a, k], probe.error[a, k]),
        words.interval(used.min(), used.max(), "{:,}".format) if np.ptp(used) else f"{used[0]:,}",
        test,
        ended,
    ]
