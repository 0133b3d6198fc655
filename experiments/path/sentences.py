"""What was run, what to use and why, and how exact it is: the page's sentences."""

import math
from collections import Counter

import numpy as np

from experiments.datasets.probes import Probes
from experiments.kit import words
from experiments.kit.markup import Markup, element
from experiments.kit.report import examine
from experiments.kit.report.headline import KINDS
from experiments.path import choices as chosen
from experiments.path import metrics
from experiments.path.choices import RULES, differs, nonzero
from experiments.path.penalties import MOST_CLASSES, shown_until
from experiments.path.settings import Plan
from experiments.path.study import Findings, Probe


def title(probes: Probes, found: Findings) -> str:
    """The page's title."""
    certified = int((found.lanes["status"] == "certified").sum())
    fits = words.count(len(found.lanes), "fit")
    if certified == len(found.lanes):
        return f"{probes.name}: {fits.replace(' fit', ' certified fit')}"
    return f"{probes.name}: {fits}, {certified:,} certified"


def factors(probes: Probes, plan: Plan) -> list[str]:
    """What is crossed to make the lanes: what there is more than one of, and the folds."""
    penalties = plan.num if plan.lambdas is None else len(plan.lambdas)
    crossed = [
        words.count(len(probes.layers), "layer") if len(probes.layers) > 1 else None,
        words.count(len(probes.targets), "target") if len(probes.targets) > 1 else None,
        words.count(plan.folds, "fold") if plan.folds > 1 else "1 validation split",
        words.count(len(plan.l1_ratios), "l1 ratio") if len(plan.l1_ratios) > 1 else None,
        words.count(penalties, "penalty", "penalties"),
    ]
    return [factor for factor in crossed if factor]


def what_ran(probes: Probes, plan: Plan, found: Findings, summary: dict) -> str:
    """The run in one paragraph."""
    tasks = {target.task for target in probes.targets}
    kind = KINDS[tasks.pop()] if len(tasks) == 1 else "regressions of several kinds"
    widths = [probe.problem.train.x.shape[1] for probe in found.probes]
    wide = words.count(widths[0], "feature")
    if min(widths) < max(widths):
        wide = f"{min(widths):,} to {max(widths):,} features"
    speed = len(found.lanes) / max(summary["run_seconds"], 1e-9)
    kind += "" if plan.intercept else " through the origin"
    clip = " By the CLIP protocol: C from 1e-6 to 1e6." if plan.costs is not None else ""
    return (
        f"{' × '.join(factors(probes, plan))} = {words.count(len(found.lanes), 'lane')}: "
        f"{kind} on {words.count(summary['data']['num_train'], 'training row')} with {wide}, each "
        f"with a bound on its distance from the optimum, on {summary['device']}. It took "
        f"{words.seconds(summary['compile_seconds'])} to compile and "
        f"{words.seconds(summary['run_seconds'])} to run: {words.number(speed)} lanes per "
        f"second.{clip}"
    )


def which(found: Findings) -> str:
    """The lead's chosen setting in one line."""
    lead = found.lead
    if lead.test is None:
        return "No setting can be chosen: no held-out figure is finite."
    text = f"λ {words.number(lead.refit['lambda'])} (C {words.number(lead.refit['C'])})"
    if lead.l1_ratios.max() > 0:
        text += f", l1 ratio {lead.refit['l1_ratio']:g}"
    if len(found.probes) > 1:
        several = len({probe.layer for probe in found.probes}) > 1
        text += f" on {lead.layer}" * several + f" for {lead.target}"
    return text


def why(plan: Plan, found: Findings) -> str:
    """The reason for the choice, and what the other rule would take."""
    lead, metric = found.lead, _metric(plan, found.lead)
    if lead.test is None:
        return f"The held-out {metric} is not a number at any penalty. The test rows are untouched."
    (a, k), settings = lead.chosen, words.count(lead.mean.size, "setting")
    where = f"over {plan.folds} folds" if plan.folds > 1 else "on the validation split"
    text = f"Held-out {metric} {words.plus_minus(lead.mean[a, k], lead.error[a, k])} {where}"
    if plan.folds > 1:
        text = f"Mean {text[0].lower()}{text[1:]} (± standard error)"
    if lead.mean.size == 1:
        return f"{text}; the only setting, so there was nothing to compare."
    if plan.rule == "best":
        text += f", the {_best_word(plan)} of {settings}."
        if plan.costs is not None:
            text += " The refit on all training rows keeps C, so its λ is smaller."
    else:
        text += (
            f": the strongest penalty within a standard error of the {_best_word(plan)}, "
            f"{words.plus_minus(lead.mean[lead.best], lead.error[lead.best])}."
        )
    if differs(lead):
        rule = "one_standard_error" if plan.rule == "best" else "best"
        b, j = getattr(lead, rule)
        text += (
            f" The rule “{RULES[rule]}” would take λ {words.number(lead.lambdas[j])}"
            + (f", l1 ratio {lead.l1_ratios[b]:g}" if len(lead.l1_ratios) > 1 else "")
            + f", at {words.plus_minus(lead.mean[b, j], lead.error[b, j])}."
        )
    return text


def held_out(plan: Plan, found: Findings) -> tuple[str, str, str]:
    """The card of what chose: title, value, and what guessing would have."""
    lead = found.lead
    metric, place = _metric(plan, lead), lead.chosen
    guess = chosen.guessing(lead, plan.metric)
    remark = f"what chose, {'mean over folds' if plan.folds > 1 else 'on the validation split'}"
    if math.isfinite(guess):
        said = chosen.guess_words(lead, plan.metric)
        remark += f"; {said} gives {chosen.figure(plan.metric, guess)}"
    value = chosen.figure(plan.metric, lead.mean[place], lead.error[place])
    return f"Held-out {metric}", value, remark


def answer(plan: Plan, found: Findings) -> str:
    """What chose, and the lead's figures on the test rows, beside what guessing has."""
    lead = found.lead
    title, value, remark = held_out(plan, found)
    name, merit = chosen.merit(lead)
    tested = f"test {name} {chosen.said(name, merit)}"
    if name == "accuracy":
        tested += f" (base rate {words.percent(chosen.base_rate(lead))})"
    return f"{title.lower()}{_of(lead, found)} {value} ({remark}); {tested}"


def exact(plan: Plan, found: Findings) -> tuple[str, str, str]:
    """The card of certificates: title, value, remark."""
    counts = Counter(found.lanes["status"])
    share = counts["certified"] / len(found.lanes)
    rest = [f"{number:,} {status}" for status, number in counts.items() if status != "certified"]
    remark = f"proved to lie within {words.tidy(plan.tol)} × risk of the optimum"
    if rest:
        remark += f"; the others: {words.listed(rest)}"
    return "Certified lanes", words.percent(share) if rest else "100%", remark


def cautions(plan: Plan, found: Findings) -> list[str]:
    """What a reader should know before believing the choice."""
    notes = []
    edges = [(probe, _edge(probe)) for probe in found.probes if probe.test is not None]
    edges = [(probe, end) for probe, end in edges if end]
    if len(edges) == 1 or (edges and len(found.probes) <= 3):
        notes += [
            f"The chosen λ {words.number(probe.refit['lambda'])}{_of(probe, found)} is the {end} "
            f"of the range; {_wider(end)} may hold a better one."
            for probe, end in edges
        ]
    elif edges:
        notes.append(
            f"{len(edges):,} of {words.count(len(found.probes), 'probe')} chose the strongest or "
            "the weakest λ of their range; a wider range may hold better ones."
        )
    loose = Counter(p.refit["status"] for p in found.probes if p.refit["status"] != "certified")
    if loose:
        named = words.listed(f"{number:,} {status}" for status, number in loose.items())
        notes.append(
            f"{loose.total():,} of {len(found.probes):,} refits ended without proof: {named}."
            if len(found.probes) > 1
            else f"The refit ended without proof: {next(iter(loose))}."
        )
    if loose["separable"]:
        notes.append(
            "Where a refit is separable its weights are only a direction, and its probabilities "
            "mean nothing; take a λ above 0."
        )
    notes += [_left_out(probe, found) for probe in found.probes if probe.left_out]
    if plan.metric == "loss" and found.lead.test is not None:
        guessing = examine.guessing_loss(found.lead.problem)
        if found.lead.mean[found.lead.chosen] >= guessing:
            notes.append(
                f"The chosen setting is no better than guessing, whose loss is "
                f"{words.number(guessing)}."
            )
    lost = sum(probe.test is None for probe in found.probes)
    if lost:
        notes.append(
            f"{lost:,} of {words.count(len(found.probes), 'probe')} have no finite held-out figure."
        )
    return notes


def choices(plan: Plan, found: Findings, few: bool) -> str:
    """The caption of the table of choices."""
    text = "λ and C are those of the refit on all training rows; C = 1/(λ Σ weights)."
    if len(found.probes) == 1:
        text = f"What each rule takes; the one chosen is marked. {text}"
    else:
        whose = "Each probe" if not few else "On its best layer by held-out rows, each target"
        text = (
            f"{whose} with its choice by {RULES[plan.rule]}. {text} The marked probe is the first "
            "target's on its best layer; the figures below look at it."
        )
    return f"{text} Weights ≠ 0: over the folds' lanes."


def looked_at(found: Findings) -> Markup | None:
    """Which probe the figures show, where there are several."""
    if len(found.probes) == 1:
        return None
    return element("p", f"Target “{found.lead.target}” on {found.lead.layer}.")


def curve(plan: Plan, found: Findings) -> str:
    """The cross-validation curve in words."""
    lead, metric = found.lead, _metric(plan, found.lead)
    best = lead.best
    text = (
        f"The {_best_word(plan)} {'mean ' if plan.folds > 1 else ''}held-out {metric} is "
        f"{words.plus_minus(lead.mean[best], lead.error[best])}, at λ "
        f"{words.number(lead.lambdas[best[1]])}."
    )
    if plan.folds > 1 and differs(lead):
        one = lead.one_standard_error
        text += (
            f" The strongest penalty within one standard error of it is λ "
            f"{words.number(lead.lambdas[one[1]])}"
        )
        if len(lead.l1_ratios) > 1:
            text += f", at l1 ratio {lead.l1_ratios[one[0]]:g}"
        elif lead.lambdas[best[1]] > 0:
            times = lead.lambdas[one[1]] / lead.lambdas[best[1]]
            text += f", {words.number(times, 2)} times as strong"
        text += "."
    if plan.folds > 1:
        text += " Band: one standard error of the mean over folds"
        text += ", whose rows differ but whose training rows overlap."
    if lead.lambdas.min() == 0:
        text += " λ = 0 is drawn at the right end."
    return text


def coefficients(plan: Plan, found: Findings) -> str:
    """The coefficient paths in words."""
    lead = found.lead
    each = lead.coefficients.shape[3:]
    w = lead.coefficients[:, lead.chosen[0], lead.chosen[1]].mean(axis=0)
    text = (
        "Lines: means over folds; bands: the folds' range; the vertical line: the chosen λ, "
        f"{words.number(lead.lambdas[lead.chosen[1]])}, and dots on it the refit on all training "
        "rows"
    )
    if np.isfinite(w).all():
        largest = np.unravel_index(np.abs(w).argmax(), each)
        text += (
            f". There, {_range(nonzero(lead, lead.chosen))} of {int(np.prod(each)):,} weights are "
            f"not zero; the largest is that of {lead.problem.feature_names[largest[0]]}"
        )
        if len(each) > 1:
            text += f" for “{lead.problem.table.class_names[largest[1]]}”"
    if len(each) > 1 and each[1] > MOST_CLASSES:
        text += f"; the first {MOST_CLASSES} of {each[1]:,} classes are drawn"
    if np.isnan(lead.coefficients).any():
        text += ". A line ends where a lane is separable: its weights are only a direction"
    if len(plan.l1_ratios) > 1:
        text += f". All at the chosen l1 ratio, {lead.refit['l1_ratio']:g}"
    if plan.scaling == "standard":
        text += ". Weights are per standard deviation of a feature"
    end = shown_until(lead)
    if end < len(lead.lambdas):
        text += (
            f". Below λ {words.number(lead.lambdas[end - 1])}, not drawn, the largest grows to "
            "more than three times that"
        )
    return f"{text}."


def _left_out(probe: Probe, found: Findings) -> str:
    """Which folds the means don't know, and which classes these lack."""
    folds = []
    for fold in probe.left_out:
        lacks = [
            f"{does} {words.listed(f'“{words.clipped(name, 24)}”' for name in fold[key])}"
            for key, does in (
                ("trains_without", "trains without"),
                ("holds_out_without", "holds out none of"),
            )
            if fold[key]
        ]
        folds.append(f"fold {fold['fold']}" + (f", which {words.listed(lacks)}" if lacks else ""))
    return f"Means{_of(probe, found)} leave out {'; '.join(folds)}: no figure at any penalty."


def _range(used: np.ndarray) -> str:
    return words.interval(used.min(), used.max(), "{:,}".format) if np.ptp(used) else f"{used[0]:,}"


def _metric(plan: Plan, probe: Probe) -> str:
    return words.name(metrics.prose(plan.metric, probe.problem.table.task))


def _best_word(plan: Plan) -> str:
    return "highest" if metrics.METRICS[plan.metric].maximise else "lowest"


def _edge(probe: Probe) -> str | None:
    """Whether the choice lies at an end of its penalties; 0 is no end, none being weaker."""
    last = len(probe.lambdas) - 1
    if last < 2 or probe.chosen[1] not in (0, last) or probe.lambdas[probe.chosen[1]] == 0:
        return None
    if np.nanmax(probe.mean) - np.nanmin(probe.mean) <= 1e-9 * np.nanmax(np.abs(probe.mean)):
        return None  # every setting is as good
    return "strongest" if probe.chosen[1] == 0 else "weakest"


def _wider(end: str) -> str:
    return f"a {'larger --lambda-max' if end == 'strongest' else 'smaller --lambda-min'}"


def _of(probe: Probe, found: Findings) -> str:
    return "" if len(found.probes) == 1 else f" for {probe.target} on {probe.layer}"
