"""Scores as tables of text: every evaluation, and models by tasks."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from experiments.kit import words
from experiments.protocols.found import Found
from experiments.protocols.reading import Entry

# What a share is called, in part.
SHARES = ("accuracy", "f1", "precision", "auc", "recall", "top", "published", "per class")
SHARES += ("validation", "test", "C = ")
Findings = list[tuple[Entry, Found]]


def leading(found: Found) -> str:
    """The name of the published figure."""
    return next(iter(found.scores))


def best(findings: Findings) -> tuple[Entry, Found]:
    """The first task of the model with the best mean, of those that have every task if any has."""
    means = pivot(findings).mean(axis=1, skipna=False)
    means = means if means.notna().any() else pivot(findings).mean(axis=1)
    model = means.idxmax()
    return next(of for of in findings if of[0].model == model)


def pivot(findings: Findings) -> pd.DataFrame:
    """The published figure of every model (rows) on every task (columns), in the order given."""
    cells = {(e.model, e.splits.name): next(iter(f.scores.values())) for e, f in findings}
    table = pd.Series(cells).unstack(sort=False)
    return table.loc[list(dict.fromkeys(e.model for e, _ in findings))]


def cells(table: pd.DataFrame) -> SimpleNamespace:
    """The pivot as text, of several tasks with their mean, and the best row marked."""
    whole = table.copy()
    if table.shape[1] > 1:
        whole["mean"] = table.mean(axis=1, skipna=False)
    rows = [[str(model), *map(words.percent, row)] for model, row in whole.iterrows()]
    rows = [[cell.replace("nan%", "") for cell in row] for row in rows]
    last = whole.iloc[:, -1].to_numpy()
    marked = [int(np.nanargmax(last))] if len(rows) > 1 and np.isfinite(last).any() else []
    return SimpleNamespace(head=["model", *map(str, whole)], rows=rows, marked=marked)


def each(findings: Findings) -> SimpleNamespace:
    """A row per evaluation as text: its scores, the published one, the choice, its rows."""
    finite = [name for _, f in findings for name, value in f.scores.items() if value == value]
    names = list(dict.fromkeys([leading(findings[0][1]), *finite]))
    lead, *others = names
    known = any((found.published or {}).get(lead) for _, found in findings)
    chosen = any(found.chosen for _, found in findings)
    head = ["model", "task", words.name(lead), *["published"] * known, *map(words.name, others)]
    head += [*["chosen"] * chosen, "classes", "train", "test"]
    rows = []
    for entry, found in findings:
        right = (found.published or {}).get(lead)
        row = [entry.model, entry.splits.name, shown(lead, found.scores.get(lead))]
        row += [shown(lead, right)] * known
        row += [shown(name, found.scores.get(name)) for name in others]
        row += [choice(found)] * chosen
        splits = entry.splits
        row += [f"{len(splits.class_names):,}", f"{len(splits.train.x):,}"]
        rows.append([*row, "" if splits.test is None else f"{len(splits.test.x):,}"])
    return SimpleNamespace(head=head, rows=rows)


def ends(findings: Findings) -> list[str]:
    """The lowest and the highest published figure, and whose they are."""
    said = []
    for extreme in (min, max):
        entry, found = extreme(findings, key=lambda of: next(iter(of[1].scores.values())))
        value = shown(leading(found), found.scores[leading(found)])
        said.append(f"{value} ({entry.splits.name} by {entry.model})")
    return said


def choice(found: Found) -> str:
    """What was chosen, as text: C 0.1."""
    return ", ".join(f"{words.name(k)} {_tidy(v)}" for k, v in (found.chosen or {}).items())


def shown(name: str, value) -> str:
    """A share as a percentage, any other number to three digits, nothing as nothing."""
    if value is None or value != value or isinstance(value, str | bool):
        return str(value) if value == value and value is not None else ""
    if any(share in name for share in SHARES) and -1 <= value <= 1:
        return words.percent(value, 2)
    if float(value).is_integer():
        return words.amount(value)
    return words.number(value, 4) if name == "risk" else words.tidy(value)


def _tidy(value) -> str:
    return words.tidy(value) if isinstance(value, float) else str(value)
