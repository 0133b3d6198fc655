"""The page's sections, each a heading, pictures or tables, and the finding in words."""

import numpy as np

from experiments.kit import style, words
from experiments.kit.markup import Markup, card, element
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.kit.report import (
    classes,
    examine,
    headline,
    ranking,
    regression,
    tables,
    uncertainty,
)
from experiments.sweep import curves, landscape
from experiments.sweep.study import Findings, Plan

LARGE = 6.5  # inches; a wider figure takes the page's whole width


def result(problem: Problem, plan: Plan, findings: Findings, summary: dict) -> Markup:
    """The first screen: the setting to use, how good it is, and what was run."""
    title = "Nothing to use" if findings.chosen is None else "Use"
    use = card(title, headline.which(findings), headline.why(problem, findings), "wide")
    cards = [card(*text) for text in _test_cards(problem, findings)] if findings.test else []
    notes = [*summary["data"].get("remarks", ()), *headline.cautions(problem, findings, summary)]
    return element(
        "header",
        element("p", "jaxlr sweep", class_="over"),
        element("h1", f"{problem.table.name}: {plan.num_lanes:,} lanes compared"),
        element("p", headline.what_ran(problem, plan, summary), class_="lead"),
        use,
        element("div", *cards, class_="cards") if cards else None,
        element("ul", *(element("li", note) for note in notes), class_="notes") if notes else None,
    )


def leading(problem: Problem, findings: Findings) -> Markup | None:
    """The leaderboard, with the chosen row marked."""
    if findings.chosen is None:
        return None
    return section(
        "leaderboard", "Leaderboard", tables.board(findings, LOSS_NAMES[problem.table.task])
    )


def terrain(problem: Problem, findings: Findings) -> Markup | None:
    """The landscape; nothing where no number varies."""
    loss_name = LOSS_NAMES[problem.table.task]
    chosen = findings.chosen and findings.chosen["config"]
    guessing = examine.guessing_loss(problem)
    drawn = landscape.panels(findings.configs, loss_name, guessing, chosen)
    if not drawn:
        return None
    caption = landscape.caption(findings.configs, loss_name, guessing)
    return section("landscape", "Landscape", pictures(drawn, caption))


def learning(problem: Problem, findings: Findings) -> Markup:
    """The loss curves."""
    loss_name = LOSS_NAMES[problem.table.task]
    guessing = examine.guessing_loss(problem)
    caption = curves.caption(findings, loss_name, guessing)
    if not np.isfinite(findings.curves["risk"]).any():
        return section("curves", "Loss curves", element("p", caption))
    drawn = curves.panels(findings, loss_name, guessing)
    return section("curves", "Loss curves", pictures(drawn, caption))


def tested(problem: Problem, findings: Findings) -> list[Markup]:
    """What the chosen setting, refitted on all training rows, does on the test rows."""
    if findings.test is None:
        return []
    if problem.table.task == "regression":
        return [_numbers_section(problem, examine.regressed(problem, findings.test))]
    rows = examine.classified(problem, findings.test)
    parts = [_confusion_section(problem, rows), _reliability_section(problem, rows)]
    seen = ranking.one_class(rows, problem.table.class_names)
    return parts if seen is None else [*parts, _ranking_section(seen)]


def section(name: str, title: str, *content) -> Markup:
    """A titled part of the page."""
    heading = element("h2", title, id=f"{name}-heading")
    return element("section", heading, *content, id=name, aria_labelledby=f"{name}-heading")


def pictures(drawn, caption: str, *beside) -> Markup:
    """Figures side by side where there is room; one caption, in the empty place if there is one."""
    large = any(figure.get_figwidth() > LARGE for _, figure, _ in drawn)
    kind = "pane large" if large else "pane"
    panes = [
        element("div", style.picture(name, figure, alt), class_=kind) for name, figure, alt in drawn
    ]
    place = "odd" if len(drawn) % 2 and not large else None
    return element(
        "figure", *panes, element("figcaption", element("p", caption), *beside, class_=place)
    )


def _confusion_section(problem: Problem, rows: examine.Classified) -> Markup:
    names = problem.table.class_names
    figure = classes.confusion(rows, names)
    caption = classes.confusion_caption(rows, names)
    drawn = [("confusion", figure, f"Confusion matrix of {len(names)} classes on test rows")]
    mistakes = classes.mistakes(rows, names) if len(names) > 2 else []
    return section(
        "test",
        "Test rows: which classes",
        _untouched(problem),
        pictures(drawn, caption, tables.mistakes(mistakes) if mistakes else None),
        tables.per_class(rows, names),
    )


def _reliability_section(problem: Problem, rows: examine.Classified) -> Markup:
    found = examine.reliability(rows)
    if len(problem.table.class_names) == 2:
        name = problem.table.class_names[1]
        stated, true = f"stated probability of “{name}”", f"share that is “{name}”"
    else:
        stated, true = "confidence in the predicted class", "share predicted rightly"
    figure = classes.reliability(found, stated, true)
    alt = "Reliability diagram: stated probability against what came true"
    caption = classes.reliability_caption(found, rows)
    return section(
        "reliability",
        "Test rows: are the probabilities true?",
        pictures([("reliable", figure, alt)], caption),
    )


def _ranking_section(seen: ranking.OneClass) -> Markup:
    steps = ranking.staircase(seen)
    alt = f"The ROC staircase of “{seen.name}” on its grid of pairs"
    return section(
        "ranking",
        f"Test rows: “{seen.name}” against the rest",
        pictures(ranking.panels(seen), ranking.caption(seen)),
        pictures([("staircase", steps, alt)], ranking.staircase_caption(seen)) if steps else None,
        tables.thresholds(ranking.table_rows(seen)),
    )


def _numbers_section(problem: Problem, rows: examine.Regressed) -> Markup:
    target = problem.table.target
    drawn = regression.panels(rows, target)
    return section(
        "test",
        "Test rows: predicted and true",
        _untouched(problem),
        pictures(drawn, regression.caption(rows, target)),
        tables.figures(regression.figures(rows), target),
    )


def _untouched(problem: Problem) -> Markup:
    text = (
        f"The chosen setting, refitted on all {len(problem.train.x):,} training rows, meets "
        f"{len(problem.test.x):,} test rows that no choice before had touched."
    )
    weights = np.asarray(problem.test.weights)
    if np.ptp(weights) > 0:
        rows = words.number(uncertainty.effective_rows(weights))
        text += (
            f" By their weights they are worth {rows} rows of equal weight (Kish's effective "
            "number), by which shares, means and areas have their intervals."
        )
    return element("p", text)


def _test_cards(problem: Problem, findings: Findings):
    if problem.table.task == "regression":
        rows = examine.regressed(problem, findings.test)
        return headline.of_numbers(rows, problem.table.target)
    return headline.of_classes(problem, examine.classified(problem, findings.test))
