"""The page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import numpy as np

from experiments.kit import pages, saved, style, words
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, card, element, table
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report import examine, sections, tables, weights
from experiments.sweep import curves, headline, landscape
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
    with matplotlib.rc_context(style.RC):
        body = [
            _header(problem, plan, findings, summary),
            _leading(problem, findings),
            _terrain(problem, findings),
            _learning(problem, findings),
            weights.section(model) if model else None,
            sections.tested(problem, findings.test),
            _groups(problem, findings),
            tables.about(problem, summary, clock),
        ]
    pages.write(path, f"{problem.table.name}: {plan.num_lanes:,} lanes compared", body)


def _header(problem: Problem, plan: Plan, findings: Findings, summary: dict) -> Markup:
    """The first screen: the setting to use, how good it is, and what was run."""
    title = "Nothing to use" if findings.chosen is None else "Use"
    use = card(title, headline.which(findings), headline.why(problem, findings), "wide")
    tested = []
    if findings.test:
        tested = [headline.validated(problem, plan, findings)]
        tested += sections.test_cards(problem, findings.test)
    notes = [*summary["data"].get("remarks", ()), *headline.cautions(problem, findings, summary)]
    return element(
        "header",
        element("p", "jaxlr sweep", class_="over"),
        element("h1", f"{problem.table.name}: {plan.num_lanes:,} lanes compared"),
        element("p", headline.what_ran(problem, plan, summary), class_="lead"),
        use,
        element("div", *(card(*text) for text in tested), class_="cards") if tested else None,
        element("ul", *(element("li", note) for note in notes), class_="notes") if notes else None,
    )


def _leading(problem: Problem, findings: Findings) -> Markup | None:
    """The leaderboard, with the chosen row marked."""
    if findings.chosen is None:
        return None
    return sections.section(
        "leaderboard", "Leaderboard", _board(findings, LOSS_NAMES[problem.table.task])
    )


def _terrain(problem: Problem, findings: Findings) -> Markup | None:
    """The landscape; nothing where no number varies."""
    loss_name = LOSS_NAMES[problem.table.task]
    chosen = findings.chosen and findings.chosen["config"]
    guessing = examine.guessing_loss(problem)
    drawn = landscape.panels(findings.configs, loss_name, guessing, chosen)
    if not drawn:
        return None
    caption = landscape.caption(findings.configs, loss_name, guessing)
    return sections.section("landscape", "Landscape", sections.pictures(drawn, caption))


def _learning(problem: Problem, findings: Findings) -> Markup:
    """The loss curves."""
    loss_name = LOSS_NAMES[problem.table.task]
    guessing = examine.guessing_loss(problem)
    caption = curves.caption(findings, loss_name, guessing)
    if not np.isfinite(findings.curves["risk"]).any():
        return sections.section("curves", "Loss curves", element("p", caption))
    drawn = curves.panels(findings, loss_name, guessing)
    return sections.section("curves", "Loss curves", sections.pictures(drawn, caption))


def _board(findings: Findings, loss_name: str) -> Markup:
    """The leaderboard, the chosen row marked."""
    chosen = findings.chosen["config"]
    head, rows, shown = cells(findings.configs, loss_name, 10, also=chosen)
    finite = int(findings.configs["mean"].notna().sum())
    caption = headline.sentence("board", words.name(loss_name), len(rows), finite)
    return table(head, rows, caption, texts=0, marked=(shown.index(chosen),))


def _groups(problem: Problem, findings: Findings) -> Markup | None:
    """The best and the median of each static setting, where several were tried."""
    configs = findings.configs
    static = varying_static(configs)
    if not static:
        return None
    rows = []
    for key, part in configs.groupby(static, sort=True):
        finite = part[part["mean"].notna()]
        best = finite.iloc[0] if len(finite) else None
        rows.append(
            [
                *key,
                f"{len(part):,}",
                "none" if best is None else words.plus_minus(best["mean"], best["se"]),
                words.number(finite["mean"].median()),
                f"{len(part) - len(finite):,}",
            ]
        )
    loss = words.name(LOSS_NAMES[problem.table.task])
    head = [*(words.name(s) for s in static), "configurations", f"best val. {loss}", "median"]
    caption = f"Mean validation {loss} by static setting; each is a compiled program."
    content = table([*head, "diverged"], rows, caption, texts=len(static))
    return sections.section("groups", "Static settings", content)
