"""The page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import numpy as np

from experiments.kit import pages, saved, style, words
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, card, element, escaped, table
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
    loss_name, guessing = LOSS_NAMES[problem.table.task], examine.guessing_loss(problem)
    title, cards = "Use" if findings.chosen else "Nothing to use", []
    if findings.test:
        cards = [headline.validated(problem, plan, findings)]
        cards += sections.test_cards(problem, findings.test)
    with matplotlib.rc_context(style.RC):
        tested = [weights.section(model)] if model else []
        tested += sections.tested(problem, findings.test)
        pages.render(
            path,
            "sweep_page.html",
            title=f"{problem.table.name}: {plan.num_lanes:,} lanes compared",
            loss=words.name(loss_name),
            ran=headline.what_ran(problem, plan, summary),
            use=card(title, headline.which(findings), headline.why(problem, findings), "wide"),
            cards=cards,
            notes=[
                *summary["data"].get("remarks", ()),
                *headline.cautions(problem, findings, summary),
            ],
            board=_board(findings, loss_name) if findings.chosen else None,
            landscape=_landscape(findings, loss_name, guessing),
            curves=_curves(findings, loss_name, guessing),
            tested=escaped(tested),
            groups=_groups(findings, loss_name),
            about=escaped(tables.about(problem, summary, clock)),
        )


def _landscape(findings: Findings, loss_name: str, guessing: float) -> Markup | None:
    """Nothing where no number varies."""
    chosen = findings.chosen and findings.chosen["config"]
    drawn = landscape.panels(findings.configs, loss_name, guessing, chosen)
    caption = landscape.caption(findings.configs, loss_name, guessing)
    return sections.pictures(drawn, caption) if drawn else None


def _curves(findings: Findings, loss_name: str, guessing: float) -> Markup:
    caption = curves.caption(findings, loss_name, guessing)
    if not np.isfinite(findings.curves["risk"]).any():
        return element("p", caption)
    return sections.pictures(curves.panels(findings, loss_name, guessing), caption)


def _board(findings: Findings, loss_name: str) -> Markup:
    """The leaderboard, the chosen row marked."""
    chosen = findings.chosen["config"]
    head, rows, shown = cells(findings.configs, loss_name, 10, also=chosen)
    finite = int(findings.configs["mean"].notna().sum())
    caption = headline.sentence("board", words.name(loss_name), len(rows), finite)
    return table(head, rows, caption, texts=0, marked=(shown.index(chosen),))


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
    return {"head": [*head, "median", "diverged"], "rows": rows, "texts": len(static)}
