"""The page's tables."""

import numpy as np

from experiments.kit import words
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, element, table
from experiments.kit.problems import Problem
from experiments.kit.report.examine import Classified
from experiments.kit.report.uncertainty import effective_rows, wilson
from jaxlr import metrics

MOST_CLASSES = 30  # more than this: the weakest first, the others on demand
WEAKEST = 15


def mistakes(rows: list[list[str]]) -> Markup:
    """The commonest confusions."""
    head = ["true", "predicted", "count", "share of the true class"]
    return table(head, rows, "The commonest mistakes.", texts=2)


def per_class(rows: Classified, names: tuple[str, ...]) -> list[Markup]:
    """Precision, recall, F1 and support of each class, and their averages."""
    scores = metrics.precision_recall_fscore_support(
        rows.labels, rows.predicted, sample_weight=rows.weights, num_classes=len(names)
    )
    *each, support = (np.asarray(part, np.float64) for part in scores)
    averages = {
        "macro": [part.mean() for part in each],
        "weighted": [np.average(part, weights=support) for part in each],
    }
    shares = wilson(each[1], _rows_of_class(rows, len(names)))
    lines = [
        [
            names[c],
            *(words.percent(part[c]) for part in each),
            words.interval(shares[0][c], shares[1][c], words.percent) if support[c] else "no row",
            words.number(support[c], 6) if support[c] % 1 else f"{support[c]:,.0f}",
        ]
        for c in range(len(names))
    ]
    ends = [
        [f"{name} average", *(words.percent(part) for part in average), "", ""]
        for name, average in averages.items()
    ]
    head = ["class", "precision", "recall", "F1", "recall, 95% interval", "support"]
    if len(names) <= MOST_CLASSES:
        return [table(head, lines + ends, "Each class on the test rows.")]
    weakest = [lines[c] for c in np.argsort(each[2], kind="stable")[:WEAKEST]]
    caption = f"The {WEAKEST} classes of lowest F1, out of {len(names)}, on the test rows."
    whole = table(head, lines, "Each class on the test rows.")
    return [
        table(head, weakest + ends, caption),
        element("details", element("summary", f"All {len(names)} classes"), whole),
    ]


def thresholds(rows: list[list[str]]) -> Markup:
    """What flagging from a threshold on does."""
    head = ["flagged from", "flagged", "precision", "recall", "F1", "cost"]
    caption = "Shares of the test rows; cost counts a miss and a false alarm alike."
    return table(head, rows, caption)


def figures(rows, target: str) -> Markup:
    """Figures of a regression with their intervals."""
    cells = [
        [name, words.number(value, 4), words.interval(*ends, words.number)]
        for name, value, ends in rows
    ]
    caption = f"On the test rows, in the units of “{target}” (R² has none)."
    return table(["figure", "value", "95% interval"], cells, caption)


def again(summary: dict, files: str, clock: Clock) -> Markup:
    """The command that does it again, and where its time went; `files` says what lies beside."""
    text = "The same command, seed and versions on the same kind of device give the same numbers."
    return _section(
        "reproduce",
        "Do it again",
        element("pre", element("code", summary["command"]), tabindex="0"),
        element("p", f"{text} {files}"),
        element("p", f"It took {clock}."),
    )


def about(problem: Problem, summary: dict, clock: Clock) -> list[Markup]:
    """Data, settings, versions, and the command that does it again."""
    data = summary["data"]
    names = data["features"]
    facts = {
        "name": data["name"],
        "task": data["task"],
        "target": data["target"],
        "classes": ", ".join(data["classes"]) or None,
        "training rows": f"{data['num_train']:,}",
        "test rows": f"{data['num_test']:,}",
        "features": f"{len(names):,}: {words.clipped(', '.join(names), 400)}",
        "weights": "none"
        if problem.table.weights is None
        else "as given; weight 2 = the row twice",
        "notes": " ".join(data["notes"]) or None,
    }
    files = "results.parquet has a row per lane, summary.json the settings."
    return [again(summary, files, clock), settings(summary, facts)]


def settings(summary: dict, facts: dict | None = None) -> Markup:
    """What was asked, what is known of the data, and the machine."""
    asked = {words.name(key): _setting(value) for key, value in summary["settings"].items()}
    machine = {"device": summary["device"], **summary["versions"]}
    pairs = [_pairs("Settings", asked), _pairs("Machine and versions", machine)]
    if facts:
        pairs.insert(1, _pairs("Data", facts))
    title = "Settings, data and versions" if facts else "Settings and versions"
    return _section("settings", title, element("div", *pairs, class_="facts"))


def _rows_of_class(rows: Classified, num_classes: int) -> np.ndarray:
    """[C] how many equally weighted rows each class is worth."""
    return np.array([effective_rows(rows.weights[rows.labels == c]) for c in range(num_classes)])


def _pairs(title: str, facts: dict) -> Markup:
    kept = {key: value for key, value in facts.items() if value is not None}
    rows = [element("tr", element("th", k, scope="row"), element("td", v)) for k, v in kept.items()]
    return element("table", element("caption", title), element("tbody", *rows), class_="pairs")


def _setting(value) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_setting(part) for part in value)
    return words.tidy(value) if isinstance(value, float) else str(value)


def _section(name: str, title: str, *content) -> Markup:
    return element("section", element("h2", title), *content, id=name)
