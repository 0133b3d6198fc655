"""The page of exact paths: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib

from experiments.datasets.probes import Probes
from experiments.kit import pages, style
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, card, element, table
from experiments.kit.report import examine, sections, tables
from experiments.path import certificates, choices, layers, metrics, penalties, sentences
from experiments.path.settings import Plan
from experiments.path.study import Findings

MOST_ROWS = 30  # more probes than this: the others on demand


def write(
    path: Path, probes: Probes, plan: Plan, found: Findings, summary: dict, clock: Clock
) -> None:
    """Writes report.html: self-contained, the same bytes for the same findings.

    Args:
      path: the file to write.
      probes: layers and targets.
      plan: what was run.
      found: what came of it.
      summary: what summary.json holds, `command` among it.
      clock: what the page says of the time.
    """
    title = sentences.title(probes, found)
    with matplotlib.rc_context(style.RC):
        body = [
            _header(title, probes, plan, found, summary),
            _layers(plan, found),
            _choices(plan, found),
            _curve(plan, found),
            _coefficients(plan, found),
            _certificates(plan, found),
            sections.tested(found.lead.problem, found.lead.test),
            tables.about(found.lead.problem, summary, clock),
        ]
    pages.write(path, title, body)


def _header(title: str, probes: Probes, plan: Plan, found: Findings, summary: dict) -> Markup:
    lead = found.lead
    name = "Nothing to use" if lead.test is None else "Use"
    use = card(name, sentences.which(found), sentences.why(plan, found), "wide")
    cards = [card(*sentences.exact(plan, found))]
    if lead.test is not None:
        tested = sections.test_cards(lead.problem, lead.test)[:2]
        cards = [*(card(*text) for text in tested), *cards]
    notes = [*summary["data"].get("remarks", ()), *sentences.cautions(plan, found)]
    return element(
        "header",
        element("p", "jaxlr path", class_="over"),
        element("h1", title),
        element("p", sentences.what_ran(probes, plan, found, summary), class_="lead"),
        use,
        element("div", *cards, class_="cards"),
        element("ul", *(element("li", note) for note in notes), class_="notes") if notes else None,
    )


def _choices(plan: Plan, found: Findings) -> Markup:
    shown = choices.short(found, plan, MOST_ROWS)
    head, rows, marked, texts = choices.cells(found, plan, shown)
    few = len(shown) < len(found.probes)
    text = sentences.choices(plan, found, few)
    parts = [table(head, rows, text, texts=texts, marked=marked)]
    if few:
        head, rows, marked, texts = choices.cells(found, plan)
        whole = table(head, rows, "Every probe.", texts=texts, marked=marked)
        parts.append(element("details", element("summary", f"All {len(rows):,} probes"), whole))
    return sections.section("choices", "Choices", *parts)


def _layers(plan: Plan, found: Findings) -> Markup | None:
    if len(found.probes) == 1:
        return None
    drawn = layers.maps(found, plan)
    content = sections.pictures(drawn, layers.caption(found, plan))
    several = [len({getattr(p, name) for p in found.probes}) > 1 for name in ("layer", "target")]
    title = "Layer × target" if all(several) else "Layers" if several[0] else "Targets"
    return sections.section("layers", title, content)


def _curve(plan: Plan, found: Findings) -> Markup | None:
    lead = found.lead
    if len(lead.lambdas) < 2:
        return None
    metric = metrics.prose(plan.metric, lead.problem.table.task)
    guessing = examine.guessing_loss(lead.problem) if plan.metric == "loss" else None
    figure = penalties.curve(lead, plan, metric, guessing)
    alt = "Held-out figure against the penalty, with its standard error and what each rule takes"
    content = sections.pictures([("validation", figure, alt)], sentences.curve(plan, found))
    return sections.section("validation", "Which penalty", sentences.looked_at(found), content)


def _coefficients(plan: Plan, found: Findings) -> Markup | None:
    if len(found.lead.lambdas) < 2:
        return None
    alt = "Weights against the penalty: one line per feature, the chosen penalty marked"
    drawn = [("weights", penalties.coefficients(found.lead), alt)]
    content = sections.pictures(drawn, sentences.coefficients(plan, found))
    return sections.section("weights", "Weights along the path", content)


def _certificates(plan: Plan, found: Findings) -> Markup:
    alt = "Proved bound and estimate of every lane's distance from its optimum, by penalty"
    drawn = [("bounds", certificates.draw(found.lanes, plan.tol), alt)]
    return sections.section(
        "certificates",
        "How exact",
        sections.pictures(drawn, certificates.caption(found.lanes, plan.tol)),
        certificates.statuses(found.lanes),
    )
