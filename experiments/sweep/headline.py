"""What was run, which setting to choose, and why: the first screen of a sweep's page."""

import numpy as np

from experiments.kit import pages, words
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report import examine
from experiments.sweep.choosing import near_best
from experiments.sweep.landscape import coordinate
from experiments.sweep.leaderboard import numbers, said, varying_static
from experiments.sweep.plan import Plan
from experiments.sweep.study import Findings

EDGE = 0.05  # the share of a range that counts as its edge
sentences = pages.macros("sweep/words.html")


def what_ran(problem: Problem, plan: Plan, summary: dict) -> str:
    """The run in one paragraph."""
    models = sorted({str(group.settings.get("model", "linear")) for group in plan.groups})
    kind = words.KINDS[problem.table.task]
    if models != ["linear"]:
        kind = f"{problem.table.task} models ({words.listed(models)})"
    speed = summary["num_lanes"] / max(summary["run_seconds"], 1e-9)
    return sentences.what_ran(*problem.train.x.shape, kind, plan, summary, speed)


def which(findings: Findings) -> str:
    """The chosen setting in one line."""
    if findings.chosen is None:
        return f"No setting can be chosen: {lost(findings)}."
    told = {
        name: said(name, findings.chosen[name])
        for name in [*numbers(findings.configs), *varying_static(findings.configs)]
    }
    told = ", ".join(f"{words.name(name)} {value}" for name, value in told.items() if value)
    stretches = len(findings.chosen.get("schedule", "."))
    return told if stretches == 1 else f"a schedule of {stretches} stretches that ends with {told}"


def lost(findings: Findings) -> str:
    """Why there is nothing to choose."""
    stayed = " that was not pruned" if "pruned" in findings.configs else ""
    return f"every configuration{stayed} diverged"


def why(problem: Problem, findings: Findings) -> str:
    """The reason for the choice, and how much it matters."""
    configs = findings.configs
    if findings.chosen is None:
        died = findings.lanes[findings.lanes["status"] == "diverged"]
        return sentences.diverged(len(died), len(findings.lanes), died["learning_rate"])
    loss = words.name(LOSS_NAMES[problem.table.task])
    near = len(near_best(configs))
    best = configs.iloc[0].to_dict()  # a Series has a method `mean`
    return sentences.why(loss, findings.chosen, best, len(configs), near)


def validated(problem: Problem, plan: Plan, findings: Findings) -> tuple[str, str, str]:
    """Title, value and remark of the figure that chose, beside what guessing has."""
    loss_name, chosen = LOSS_NAMES[problem.table.task], findings.chosen
    spread = f" ± {words.number(chosen['se'], 2)}" if np.isfinite(chosen["se"]) else ""
    return (
        f"Validation {words.name(loss_name)}",
        words.number(chosen["mean"]),
        f"The figure that chose: mean of {plan.num_folds} folds{spread}, {words.UNITS[loss_name]};"
        f" {guess(problem)}",
    )


def guess(problem: Problem) -> str:
    """What one constant answer has."""
    how = "the mean" if problem.table.task == "regression" else "class frequency"
    return f"guessing by {how} gives {words.number(examine.guessing_loss(problem))}"


def cautions(problem: Problem, findings: Findings, summary: dict) -> list[str]:
    """What a reader should know before believing the choice."""
    if findings.chosen is None:
        return []
    notes = []
    for name in numbers(findings.configs):
        end = _edge(findings, name, summary["settings"].get(name))
        if end:
            notes.append(
                f"The chosen {words.name(name)}, {said(name, findings.chosen[name])}, lies at "
                f"the {end} edge of its range; a wider range may hold a better one."
            )
    guessing = examine.guessing_loss(problem)
    if findings.chosen["mean"] >= guessing:
        notes.append(
            f"The chosen setting is no better than guessing, whose loss is "
            f"{words.number(guessing)}."
        )
    pruned = int(findings.configs.get("pruned", np.zeros(1)).sum())
    if pruned:
        notes.append(
            f"Pruned early: {pruned:,} of {words.count(len(findings.configs), 'configuration')},"
            " shown as of then; the choice is among the others."
        )
    lost = int(findings.configs["mean"].isna().sum())
    if lost:
        notes.append(
            f"{lost:,} of {words.count(len(findings.configs), 'configuration')} diverged on at "
            "least one fold."
        )
    return notes


def _edge(findings: Findings, name: str, given) -> str | None:
    begun = findings.configs if findings.lineage is None else findings.lineage
    values = begun[name]
    ends = given if given is not None else (values.min(), values.max())
    if not ends[1] > ends[0] or len(findings.configs) < 8 or np.isnan(findings.chosen[name]):
        return None
    place, _, is_log = coordinate(name, np.array([*ends, findings.chosen[name]]))
    low, high, chosen = np.log(place) if is_log else place
    place = (chosen - low) / (high - low)
    return "lower" if place < EDGE else "upper" if place > 1 - EDGE else None
