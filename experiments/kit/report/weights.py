"""The chosen model, feature by feature: the page's table of coefficients."""

import numpy as np
import pandas as pd

from experiments.kit import saved, words
from experiments.kit.markup import Markup, element, table
from experiments.kit.report import sections

MOST_ROWS = 20  # heaviest features shown at once; the others on demand
MOST_CLASSES = 6  # a column for each; of more, a row for each class and feature
MOST_LISTED = 2_000  # rows of the whole table; a file has the others


def section(model: saved.Model) -> Markup | None:
    """The coefficients of a linear model; nothing for an mlp, or where there is no feature."""
    found = parts(model)
    return sections.section("coefficients", "The model's weights", *found) if found else None


def parts(model: saved.Model, file: str = "model.npz") -> list[Markup]:
    """The section's content; `file` of the result folder has the model."""
    if not model.is_linear:
        return []
    found = saved.coefficients(model)
    intercepts, found = found[found["kind"] == "intercept"], found[found["kind"] != "intercept"]
    if found.empty:
        return []
    wide = model.task == "multiclass" and len(model.class_names) <= MOST_CLASSES
    head, rows = _by_class(found, intercepts) if wide else _listed(found, intercepts, model)
    caption = _caption(model, len(rows) - 1 if wide else len(rows) - len(intercepts), file)
    few = rows[: MOST_ROWS + 1]
    texts = 2 if model.task == "multiclass" and not wide else 1
    told = [table(head, few, caption, texts=texts)]
    if len(rows) > len(few):
        whole = table(head, rows[:MOST_LISTED], "The heaviest first.", texts=texts)
        name = f"All {len(rows):,} rows" if len(rows) <= MOST_LISTED else f"{MOST_LISTED:,} rows"
        told.append(element("details", element("summary", name), whole))
    return told + [element("p", note) for note in _notes(model)]


def _listed(found: pd.DataFrame, intercepts: pd.DataFrame, model: saved.Model):
    """Head and rows of one weight each."""
    ordered = found.iloc[np.argsort(-found["weight"].abs().to_numpy(), kind="stable")]
    named = ["class"] * (model.task == "multiclass")
    both = [ordered, intercepts] if named else [intercepts, ordered]
    rows = [
        [*(words.clipped(row[name], 24) for name in named), words.clipped(row["feature"], 40)]
        + [words.number(row["weight"], 4), words.number(row["own"], 4)]
        for row in pd.concat(both).to_dict("records")
    ]
    return [*named, "feature", "weight per deviation", "weight in own units"], rows


def _by_class(found: pd.DataFrame, intercepts: pd.DataFrame):
    """Head and rows of a feature's weights for every class."""
    whole = pd.concat([intercepts, found])
    cells = whole.pivot(index="feature", columns="class", values="weight")
    cells = cells.loc[whole["feature"].unique(), whole["class"].unique()]
    order = np.argsort(-cells.iloc[1:].abs().max(axis=1).to_numpy(), kind="stable")
    rows = [
        [words.clipped(name, 40), *(words.number(weight, 4) for weight in weights)]
        for name, weights in zip(cells.index, cells.to_numpy(), strict=True)
    ]
    head = ["feature", *(words.clipped(name, 24) for name in cells.columns)]
    return head, [rows[0], *(rows[1 + i] for i in order)]


def _caption(model: saved.Model, number: int, file: str) -> str:
    of = {
        "binary": f"the log odds of “{words.clipped(model.class_names[-1], 24)}”"
        if model.class_names
        else "",
        "multiclass": "a class's logit",
        "regression": f"the predicted “{words.clipped(model.target, 24)}”",
    }[model.task]
    units = "coefficients.csv has all, in the table's own units too; "
    return (
        f"What one standard deviation of a feature adds to {of}, the heaviest of"
        f" {words.count(number, 'weight')} first. {units if file == 'model.npz' else ''}{file} is"
        " the model itself, for python -m experiments.predict."
    )


def _notes(model: saved.Model) -> tuple[str, ...]:
    notes = saved.own_units(model).notes
    return tuple(f"{note[0].upper()}{note[1:]}." for note in notes)
