"""The choices, a row per probe: as cells for the page and as plain text."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np

from experiments.kit import words
from experiments.kit.report import examine
from experiments.path import metrics
from experiments.path.findings import Findings, Probe, leading
from experiments.path.settings import Plan
from experiments.path.study import cost

RULES = ("best", "one_standard_error")


def board(found: Findings, plan: Plan, most: int = 24) -> str:
    """The choices as a plain-text table."""
    told = cells(found, plan, short(found, plan, most))
    lines = words.lines(told.head, told.rows, told.texts)
    if len(told.rows) < len(found.probes) > 1:
        lines.append(
            f"and {len(found.probes) - len(told.rows):,} more probes, on the page; above are"
            " targets on their best layer"
        )
    return "\n".join(lines)


def short(found: Findings, plan: Plan, most: int) -> list[Probe]:
    """All probes, or, of more than `most`, each target's on its best layer, and of these `most`."""
    if len(found.probes) <= most:
        return found.probes
    of = {t: [probe for probe in found.probes if probe.target == t] for t in found.targets}
    return [leading(probes, plan) for probes in of.values()][:most]


def cells(found: Findings, plan: Plan, shown: list[Probe]) -> SimpleNamespace:
    """The table: `head`, `rows` of text, the rows `marked`, and how many columns are `texts`.

    A probe alone has a row for each rule; of several, each of those `shown` has the row of its
    choice.
    """
    names = {plan.metric_name(probe.task) for probe in found.probes}
    merits = {probe.merit[0] for probe in found.probes}
    head = ["λ", "C", *["l1 ratio"] * (len(plan.l1_ratios) > 1)]
    head += [f"held-out {names.pop() if len(names) == 1 else 'loss'}", "weights ≠ 0"]
    head += [f"test {merits.pop() if len(merits) == 1 else 'figure'}", "refit"]
    if len(found.probes) == 1:
        (probe,) = found.probes
        rules = RULES[: 2 if probe.differs else 1]
        rows = [[words.name(rule), *_row(probe, getattr(probe, rule), plan)] for rule in rules]
        marked = [i for i, rule in enumerate(rules) if getattr(probe, rule) == probe.chosen]
        return SimpleNamespace(head=["rule", *head], rows=rows, marked=marked, texts=1)
    rows = [
        [words.clipped(probe.layer, 28), words.clipped(probe.target, 28)]
        + _row(probe, probe.chosen, plan)
        for probe in shown
    ]
    marked = [i for i, probe in enumerate(shown) if probe is found.lead]
    return SimpleNamespace(head=["layer", "target", *head], rows=rows, marked=marked, texts=2)


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


def _row(probe: Probe, place: tuple[int, int], plan: Plan) -> list[str]:
    a, k = place
    lam, c = probe.lambdas[k], cost(probe.lambdas[k], probe.problem.train.weights.sum())
    test = ended = ""
    if place == probe.chosen:
        lam, c, ended = (probe.refit[key] for key in ("lambda", "C", "status"))
        test = probe.merit_said
    return [
        words.number(lam),
        words.number(c),
        *[f"{probe.l1_ratios[a]:g}"] * (len(plan.l1_ratios) > 1),
        words.plus_minus(probe.mean[a, k], probe.error[a, k]),
        probe.used(place),
        test,
        ended,
    ]
