"""The page's sections, each a heading, pictures or tables, and the finding in words."""

import numpy as np

from experiments.kit import style, words
from experiments.kit.markup import Markup, element
from experiments.kit.problems import Problem
from experiments.kit.report import (
    classes,
    examine,
    headline,
    ranking,
    regression,
    tables,
    uncertainty,
)

LARGE = 6.5  # inches; a wider figure takes the page's whole width


def tested(problem: Problem, test: examine.Test | None) -> list[Markup]:
    """What the chosen setting, refitted on all training rows, does on the test rows."""
    if test is None:
        return []
    if problem.table.task == "regression":
        return [_numbers_section(problem, examine.regressed(problem, test))]
    rows = examine.classified(problem, test)
    parts = [_confusion_section(problem, rows), _reliability_section(problem, rows)]
    seen = ranking.one_class(rows, problem.table.class_names)
    return parts if seen is None else [*parts, _ranking_section(seen)]


def test_cards(problem: Problem, test: examine.Test) -> list[tuple[str, str, str]]:
    """Title, value and remark of each figure on the test rows."""
    if problem.table.task == "regression":
        rows = examine.regressed(problem, test)
        return headline.of_numbers(rows, problem.table.target)
    return headline.of_classes(problem, examine.classified(problem, test))


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
