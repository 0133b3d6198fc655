"""The page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib

from experiments.kit import pages, style
from experiments.kit.clock import Clock
from experiments.kit.problems import Problem
from experiments.kit.report import sections, tables
from experiments.sweep.study import Findings, Plan


def write(
    path: Path, problem: Problem, plan: Plan, findings: Findings, summary: dict, clock: Clock
) -> None:
    """Writes report.html: self-contained, the same bytes for the same findings.

    Args:
      path: the file to write.
      problem: what was learned.
      plan: what was run.
      findings: what came of it; `chosen` and `test` are None when every lane diverged.
      summary: what summary.json holds, `command` among it.
      clock: what the page says of the time.
    """
    with matplotlib.rc_context(style.RC):
        body = [
            sections.result(problem, plan, findings, summary),
            sections.leading(problem, findings),
            sections.terrain(problem, findings),
            sections.learning(problem, findings),
            sections.tested(problem, findings),
            tables.groups(problem, findings),
            tables.about(problem, summary, clock),
        ]
    pages.write(path, f"{problem.table.name}: {plan.num_lanes:,} lanes compared", body)
