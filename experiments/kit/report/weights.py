"""The chosen model, feature by feature: the page's table of coefficients."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from experiments.kit import saved, words

MOST_ROWS = 20  # heaviest features shown at once; the others on demand
MOST_CLASSES = 6  # a column for each; of more, a row for each class and feature
MOST_LISTED = 2_000  # rows of the whole table; a file has the others


def told(model: saved.Model, file: str = "model.npz") -> SimpleNamespace | None:
    """What `weights.html` asks for; None for an mlp, and where there is no feature.

    Args:
      model: a saved model.
      file: what has it in the result folder.
    """
    if not model.is_linear:
        return None
    found = saved.coefficients(model)
    intercepts, found = found[found["kind"] == "intercept"], found[found["kind"] != "intercept"]
    if found.empty:
        return None
    wide = model.task == "multiclass" and len(model.class_names) <= MOST_CLASSES
    head, rows = _by_class(found, intercepts) if wide else _listed(found, intercepts, model)
    return SimpleNamespace(
        model=model,
        file=file,
        head=head,
        texts=2 if model.task == "multiclass" and not wide else 1,
        few=rows[: MOST_ROWS + 1],
        rows=rows[:MOST_LISTED],
        number_of_rows=len(rows),
        number=len(rows) - (1 if wide else len(intercepts)),
        notes=saved.own_units(model).notes,
    )


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
