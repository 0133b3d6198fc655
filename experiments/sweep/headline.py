"""What was run, which setting to choose, and why: the first screen of a sweep's page."""

import numpy as np

from experiments.kit import words
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report import examine
from experiments.kit.report.headline import KINDS
from experiments.sweep import landscape
from experiments.sweep.leaderboard import HYPERS, varying_static
from experiments.sweep.study import Findings, Plan

EDGE = 0.05  # the share of a range that counts as its edge


def what_ran(problem: Problem, plan: Plan, summary: dict) -> str:
    """The run in one paragraph."""
    configs = plan.num_lanes // plan.num_folds
    programs = words.count(summary["num_compilations"], "compiled program")
    speed = summary["num_lanes"] / max(summary["run_seconds"], 1e-9)
    return (
        f"{words.count(configs, 'configuration')} × {words.count(plan.num_folds, 'fold')} = "
        f"{words.count(plan.num_lanes, 'lane')}: {_kind(problem, plan)}, "
        f"{words.count(plan.epochs, 'epoch')} each over "
        f"{words.count(len(problem.train.x), 'training row')} with "
        f"{words.count(problem.train.x.shape[1], 'feature')}, in {programs} on "
        f"{summary['device']}. It took {words.seconds(summary['compile_seconds'])} to compile and "
        f"{words.seconds(summary['run_seconds'])} to run: {words.number(speed)} lanes per second."
    )


def which(findings: Findings) -> str:
    """The chosen setting in one line."""
    if findings.chosen is None:
        return "No setting can be chosen: every configuration diverged."
    chosen = findings.chosen
    parts = [f"{words.name(h)} {words.number(chosen[h])}" for h in HYPERS if h in chosen]
    parts += [f"{words.name(s)} {chosen[s]}" for s in varying_static(findings.configs)]
    return ", ".join(parts)


def why(problem: Problem, findings: Findings) -> str:
    """The reason for the choice, and how much it matters."""
    if findings.chosen is None:
        rates = findings.configs["learning_rate"]
        return (
            f"All {len(findings.lanes):,} lanes diverged, at learning rates "
            f"{words.interval(rates.min(), rates.max())}. The test rows were not touched. Lower "
            "--learning-rate and run again."
        )
    loss = words.name(LOSS_NAMES[problem.table.task])
    configs = findings.configs
    best, near = configs.iloc[0], landscape.near_best(configs)
    mean = words.plus_minus(findings.chosen["mean"], findings.chosen["se"])
    text = f"Mean validation {loss} {mean} (standard error over folds)"
    if len(configs) == 1:
        return f"{text}; the only configuration, so there was nothing to compare."
    if findings.chosen["config"] == best["config"]:
        text += f", the lowest of {len(configs):,}. "
    else:
        text += (
            f": the largest l2 within one standard error of the lowest, "
            f"{words.plus_minus(best['mean'], best['se'])}. "
        )
    others = len(near) - 1
    if others:
        one = others == 1
        text += (
            f"{words.count(others, 'other')} {'lies' if one else 'lie'} within one standard error "
            f"of the lowest, so the choice among {'the two' if one else 'them'} hardly matters."
        )
    return text.strip()


def cautions(problem: Problem, findings: Findings, summary: dict) -> list[str]:
    """What a reader should know before believing the choice."""
    if findings.chosen is None:
        return []
    notes = []
    for name in HYPERS:
        end = _edge(findings, name, summary["settings"].get(name))
        if end:
            notes.append(
                f"The chosen {words.name(name)}, {words.number(findings.chosen[name])}, lies at "
                f"the {end} edge of its range; a wider range may hold a better one."
            )
    guessing = examine.guessing_loss(problem)
    if findings.chosen["mean"] >= guessing:
        notes.append(
            f"The chosen setting is no better than guessing, whose loss is "
            f"{words.number(guessing)}."
        )
    lost = int(findings.configs["mean"].isna().sum())
    if lost:
        notes.append(
            f"{lost:,} of {words.count(len(findings.configs), 'configuration')} diverged on at "
            "least one fold."
        )
    return notes


def _kind(problem: Problem, plan: Plan) -> str:
    models = sorted({str(group.settings.get("model", "linear")) for group in plan.groups})
    if models == ["linear"]:
        return KINDS[problem.table.task]
    return f"{problem.table.task} models ({words.listed(models)})"


def _edge(findings: Findings, name: str, given) -> str | None:
    values = findings.configs[name]
    low, high = given if given is not None else (values.min(), values.max())
    chosen = findings.chosen[name]
    if not high > low or len(findings.configs) < 8:
        return None
    if name in landscape.LOGARITHMIC and low > 0:
        low, high, chosen = np.log([low, high, chosen])
    place = (chosen - low) / (high - low)
    return "lower" if place < EDGE else "upper" if place > 1 - EDGE else None
