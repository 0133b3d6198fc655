"""The page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib

from experiments.problems import Problem
from experiments.report import sections, style, tables
from experiments.report.markup import Markup, element
from experiments.study import Findings, Plan

CSS = Path(__file__).with_name("page.css")


def write(path: Path, problem: Problem, plan: Plan, findings: Findings, summary: dict) -> None:
    """Writes report.html: self-contained, the same bytes for the same findings.

    Args:
      path: the file to write.
      problem: what was learned.
      plan: what was run.
      findings: what came of it; `chosen` and `test` are None when every lane diverged.
      summary: what summary.json holds, `command` among it.
    """
    with matplotlib.rc_context(style.RC):
        body = [
            sections.result(problem, plan, findings, summary),
            sections.leading(problem, findings),
            sections.terrain(problem, findings),
            sections.learning(problem, findings),
            sections.tested(problem, findings),
            tables.groups(problem, findings),
            tables.about(problem, summary),
        ]
    head = element(
        "head",
        Markup('<meta charset="utf-8"/>'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1"/>'),
        Markup('<meta name="color-scheme" content="light dark"/>'),
        element("title", f"{problem.table.name}: {plan.num_lanes:,} lanes compared"),
        element("style", Markup(CSS.read_text(encoding="utf-8"))),
    )
    html = element("html", head, element("body", element("main", *body)), lang="en")
    path.write_text(f"<!DOCTYPE html>\n{html}\n", encoding="utf-8")
