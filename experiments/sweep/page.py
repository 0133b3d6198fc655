"""The page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import numpy as np

from experiments.kit import pages, saved, style, words
from experiments.kit.clock import Clock
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report import examine, tested, weights
from experiments.sweep import (
    budget,
    curves,
    headline,
    importance,
    landscape,
    parallel,
    steered,
)
from experiments.sweep.leaderboard import cells, varying_static
from experiments.sweep.plan import Plan
from experiments.sweep.study import Findings


def write(
    path: Path,
    problem: Problem,
    plan: Plan,
    findings: Findings,
    model: saved.Model | None,
    summary: dict,
    clock: Clock,
) -> None:
    """Writes report.html: self-contained, the same bytes for the same findings.

    Args:
      path: the file to write.
      problem: what was learned.
      plan: what was run.
      findings: what came of it; `chosen` and `test` are None when every lane diverged.
      model: what is saved of the choice.
      summary: what summary.json holds, `command` among it.
      clock: what the page says of the time.
    """
    loss_name, guessing = LOSS_NAMES[problem.table.task], examine.guessing_loss(problem)
    chosen, configs = findings.chosen and findings.chosen["config"], findings.configs
    trained = np.isfinite(findings.curves["risk"]).any()
    told, bred = (configs, loss_name, guessing), findings.lineage is not None
    matters = None if bred else importance.of(configs)  # whose settings are no draws
    with matplotlib.rc_context(style.RC):
        pages.write(
            path,
            "sweep/page.html",
            title=f"{problem.table.name}: {plan.num_lanes:,} lanes compared",
            problem=problem,
            findings=findings,
            summary=summary,
            clock=clock,
            loss=words.name(loss_name),
            ran=headline.what_ran(problem, plan, summary),
            which=headline.which(findings),
            why=headline.why(problem, findings),
            validated=findings.test and headline.validated(problem, plan, findings),
            notes=[
                *summary["data"].get("remarks", ()),
                *headline.cautions(problem, findings, summary),
            ],
            board=board(findings, loss_name) if findings.chosen else None,
            steered=steered.told(plan, findings, loss_name),
            landscape=landscape.panels(*told, chosen),
            terrain=landscape.caption(*told),
            importance=importance.panels(matters),
            matters="" if bred else importance.caption(matters, configs, loss_name),
            parallel=parallel.panels(*told, chosen),
            lines=parallel.caption(*told) if findings.chosen else "",
            rungs=budget.rungs(findings, plan),
            curves=curves.panels(findings, loss_name, guessing) if trained else [],
            learned=curves.caption(findings, loss_name, guessing),
            weights=weights.told(model) if model else None,
            seen=tested.of(problem, findings.test),
            groups=_groups(findings, loss_name),
        )


def board(findings: Findings, loss_name: str) -> dict:
    """The leaderboard, and the place of the chosen row."""
    chosen = findings.chosen["config"]
    head, rows, shown = cells(findings.configs, loss_name, 10, also=chosen)
    finite = int(findings.configs["mean"].notna().sum())
    return {"head": head, "rows": rows, "marked": [shown.index(chosen)], "finite": finite}


def _groups(findings: Findings, loss_name: str) -> dict | None:
    """The best and the median of each static setting, where several were tried."""
    static = varying_static(findings.configs)
    if not static:
        return None
    rows = []
    for key, part in findings.configs.groupby(static, sort=True):
        finite = part[part["mean"].notna()]
        best = [words.plus_minus(*found) for found in finite[["mean", "se"]].to_numpy()[:1]]
        median = words.number(finite["mean"].median())
        lost = f"{len(part) - len(finite):,}"
        rows.append([*key, f"{len(part):,}", *(best or ["none"]), median, lost])
    head = [*map(words.name, static), "configurations", f"best val. {words.name(loss_name)}"]
    return {
        "head": [*head, "median", "diverged"],
        "rows": rows,
        "texts": len(static),
        "static": static,
    }
