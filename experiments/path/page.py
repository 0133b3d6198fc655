"""The page of exact paths: one file that holds everything, opens anywhere and needs no network."""

import re
from pathlib import Path

import matplotlib

from experiments.datasets.probes import Probes
from experiments.kit import pages, saved, style, words
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, card, element, table
from experiments.kit.report import examine, sections, tables, weights
from experiments.path import certificates, choices, layers, metrics, penalties, sentences
from experiments.path.settings import Plan
from experiments.path.study import Findings, Probe

MOST_ROWS = 30  # more probes than this: the others on demand


def write(
    folder: Path,
    probes: Probes,
    plan: Plan,
    found: Findings,
    models: dict[str, saved.Model],
    summary: dict,
    clock: Clock,
) -> None:
    """Writes report.html, and of several probes probes/NAME.html for each of plan.pages.

    Every page is self-contained, with the same bytes for the same findings.

    Args:
      folder: where to.
      probes: layers and targets.
      plan: what was run.
      found: what came of it.
      models: what is saved of each probe, by its name.
      summary: what summary.json holds, `command` among it.
      clock: what the page says of the time.
    """
    named, several = names(found), len(found.probes) > 1
    own = own_pages(found, plan) if several else []
    title = sentences.title(probes, found)
    with matplotlib.rc_context(style.RC):
        for name, probe in named.items():
            if probe in own:
                (folder / "probes").mkdir(exist_ok=True)
                one = narrowed(found, probe)
                heading = f"{words.clipped(probe.target, 60)} on {words.clipped(probe.layer, 60)}"
                back = f"One of {len(named):,} probes: all of them."
                header = _header(
                    heading,
                    element("a", back, href="../report.html#choices"),
                    plan,
                    one,
                    sentences.cautions(plan, one),
                )
                body = [header, *_of_probe(plan, one, models.get(name))]
                pages.write(folder / "probes" / f"{name}.html", heading, body)
        links = {probe: f"probes/{name}.html" for name, probe in named.items() if probe in own}
        own_name = next(name for name, probe in named.items() if probe is found.lead)
        notes = [*summary["data"].get("remarks", ()), *sentences.cautions(plan, found)]
        body = [
            _header(title, sentences.what_ran(probes, plan, found, summary), plan, found, notes),
            _layers(plan, found),
            _choices(plan, found, links),
            *_of_probe(plan, found, models.get(own_name)),
            tables.about(found.lead.problem, summary, clock),
        ]
    pages.write(folder / "report.html", title, body)


def names(found: Findings) -> dict[str, Probe]:
    """The probes by names that files can have, each another one."""
    named = {}
    for probe in found.probes:
        parts = [probe.layer, probe.target]
        several = [
            len({getattr(p, kind) for p in found.probes}) > 1 for kind in ("layer", "target")
        ]
        parts = [part for part, kept in zip(parts, several, strict=True) if kept] or ["model"]
        name = re.sub(r"[^\w.-]+", "-", "_".join(parts)).strip(".-")[:80] or "probe"
        while name in named:
            name += "_"
        named[name] = probe
    return named


def own_pages(found: Findings, plan: Plan) -> list[Probe]:
    """The probes that have a page: each target on its best layer first, then the others."""
    first = choices.short(found, plan, 0) if len(found.probes) > plan.pages else []
    rest = [probe for probe in found.probes if probe not in first]
    return [*first, *rest][: plan.pages]


def narrowed(found: Findings, probe: Probe) -> Findings:
    """The findings as if the probe were alone."""
    lanes = found.lanes
    here = (lanes["layer"] == probe.layer) & (lanes["target"] == probe.target)
    return Findings([probe], lanes[here], probe)


def _of_probe(plan: Plan, found: Findings, model: saved.Model | None) -> list[Markup | None]:
    """The sections that look at the lead."""
    return [
        _curve(plan, found),
        weights.section(model) if model else None,
        _coefficients(plan, found),
        _certificates(plan, found),
        *sections.tested(found.lead.problem, found.lead.test),
    ]


def _header(title: str, ran, plan: Plan, found: Findings, notes: list[str]) -> Markup:
    """The first screen: what was asked, the answer beside its baseline, and what to mind."""
    lead = found.lead
    name = "Nothing to use" if lead.test is None else "Use"
    use = card(name, sentences.which(found), sentences.why(plan, found), "wide")
    cards = [card(*sentences.exact(plan, found))]
    if lead.test is not None:
        tested = sections.test_cards(lead.problem, lead.test)[:2]
        cards = [card(*text) for text in (sentences.held_out(plan, found), *tested)] + cards
    return element(
        "header",
        element("p", "jaxlr path", class_="over"),
        element("h1", title),
        element("p", ran, class_="lead"),
        use,
        element("div", *cards, class_="cards"),
        element("ul", *(element("li", note) for note in notes), class_="notes") if notes else None,
    )


def _choices(plan: Plan, found: Findings, links: dict[Probe, str]) -> Markup:
    shown = choices.short(found, plan, MOST_ROWS)
    few = len(shown) < len(found.probes)
    parts = [_table(found, plan, shown, links, sentences.choices(plan, found, few))]
    if few:
        name = f"All {len(found.probes):,} probes"
        whole = _table(found, plan, found.probes, links, "Every probe.")
        parts.append(element("details", element("summary", name), whole))
    return sections.section("choices", "Choices", *parts)


def _table(found, plan: Plan, shown: list[Probe], links: dict[Probe, str], caption: str) -> Markup:
    """The choices; each probe's layer leads to its page, if it has one."""
    head, rows, marked, texts = choices.cells(found, plan, shown)
    if links:
        rows = [
            [element("a", row[0], href=links[probe]) if probe in links else row[0], *row[1:]]
            for probe, row in zip(shown, rows, strict=True)
        ]
    return table(head, rows, caption, texts=texts, marked=marked)


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
