"""The page of a protocol: scores beside the published ones, choices, and how exact they are."""

import inspect
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd

from experiments.kit import pages, style, words
from experiments.kit.clock import Clock
from experiments.path import certificates
from experiments.protocols import figures
from experiments.protocols.found import Found
from experiments.protocols.reading import Entry

MOST_OPEN, MOST_CURVES, MOST_ROWS = 3, 12, 100
SHARES = ("accuracy", "f1", "precision", "auc", "recall", "top", "published", "per class")
SHARES += ("validation", "test", "C = ")
BOUNDS = "Proved bound and estimate of every fit's distance from its optimum"
Findings = list[tuple[Entry, Found]]


def write(folder: Path, settings, rule, findings: Findings, summary: dict, clock: Clock) -> None:
    """Writes report.html, which is self-contained.

    Args:
      folder: where to.
      settings: what was asked.
      rule: the protocol's module, whose docstring says the rule.
      findings: every model on every task.
      summary: what summary.json holds.
      clock: what the page says of the time.
    """
    pivot, ended = board(findings), lanes(findings)
    asked = inspect.signature(rule.run).parameters.get("tol")
    tol = settings.tol or (asked.default if asked else None)
    exact = len(ended) > 0 and tol is not None
    with matplotlib.rc_context(style.RC):
        pages.write(
            folder / "report.html",
            "protocols/page.html",
            title=title(settings.protocol, findings),
            protocol=settings.protocol,
            rule=rule.__doc__.strip().split("\n\n"),
            lead=said(*best(findings, pivot), 0),
            several=len(findings) > 1,
            scores=scores(findings),
            ends=ends(findings),
            pivot=cells(pivot) if min(pivot.shape) > 1 else None,
            board=figures.board(pivot, leading(findings[0][1])),
            evaluations=[said(*each, at) for at, each in enumerate(findings)],
            most_open=MOST_OPEN,
            statuses=statuses(findings),
            worst=worst(findings),
            tol=tol,
            bounds=[("bounds", certificates.draw(ended, tol), BOUNDS)] if exact else [],
            lanes=certificates.relative(ended) if exact else None,
            endings=certificates.endings(ended) if exact else [],
            crowded=len(ended) > certificates.MOST_LANES,
            notes=[*summary["data"]["remarks"], *noted(findings)],
            summary=summary,
            clock=clock,
            problem=None,
        )


def title(protocol: str, findings: Findings) -> str:
    """What the page is of, and the score of a single evaluation."""
    entry, found = findings[0]
    if len(findings) > 1:
        return f"{protocol}: {words.count(len(findings), 'evaluation')}"
    name = leading(found)
    return f"{entry.splits.name}: {words.name(name)} {shown(name, found.scores[name])}"


def leading(found: Found) -> str:
    """The name of the published figure."""
    return next(iter(found.scores))


def best(findings: Findings, pivot: pd.DataFrame) -> tuple[Entry, Found]:
    """The first task of the model with the best mean."""
    model = pivot.mean(axis=1).idxmax()
    return next(of for of in findings if of[0].model == model)


def board(findings: Findings) -> pd.DataFrame:
    """The published figure of every model (rows) on every task (columns), in the order given."""
    cells = {(e.model, e.splits.name): next(iter(f.scores.values())) for e, f in findings}
    table = pd.Series(cells).unstack(sort=False)
    return table.loc[list(dict.fromkeys(e.model for e, _ in findings))]


def cells(scores: pd.DataFrame) -> SimpleNamespace:
    """The board as text, each task's best row in front of the mean, and the best mean marked."""
    shown = scores.copy()
    if scores.shape[1] > 1:
        shown["mean"] = scores.mean(axis=1, skipna=False)
    rows = [[str(model), *map(words.percent, row)] for model, row in shown.iterrows()]
    rows = [[cell.replace("nan%", "") for cell in row] for row in rows]
    last = shown.iloc[:, -1].to_numpy()
    marked = [int(np.nanargmax(last))] if len(rows) > 1 and np.isfinite(last).any() else []
    return SimpleNamespace(head=["model", *map(str, shown)], rows=rows, marked=marked)


def scores(findings: Findings) -> SimpleNamespace:
    """A row per evaluation as text: its scores, the published one, the choice, its rows."""
    names = list(dict.fromkeys(name for _, found in findings for name in found.scores))
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


def as_text(findings: Findings) -> str:
    """Scores beside the published ones, and how exact the fits are: for a terminal."""
    told, ended = scores(findings), statuses(findings)
    lines = ["", *words.lines(told.head, told.rows, 2), ""]
    if ended:
        off = f"; at most {worst(findings):.1e} of the risk above the optimum"
        lines.append(f"fits: {words.tally(ended)}{off}")
    return "\n".join([*lines, *noted(findings)])


def said(entry: Entry, found: Found, at: int) -> SimpleNamespace:
    """One evaluation as the template has it."""
    name, table = leading(found), found.table.head(MOST_ROWS)
    draws = found.curve is not None and at < MOST_CURVES
    same = [c for c in figures.ENDING if c in table and table[c].nunique() == 1]
    table = table.drop(columns=[*same, *(c for c in ("gap", "decrement") if c in table)])
    return SimpleNamespace(
        name=f"{entry.splits.name} by {entry.model}",
        task=entry.splits.name,
        model=entry.model,
        about=words.name(name),
        value=shown(name, found.scores[name]),
        published=(found.published or {}).get(name),
        of=(found.published or {}).get("of"),
        others={
            words.name(k): shown(k, v) for k, v in found.scores.items() if k != name and v == v
        },
        chosen=choice(found),
        curve=figures.curve(str(at), found.curve) if draws else [],
        head=[words.name(column) for column in table],
        rows=[[shown(k, row[k]) for k in table] for row in table.to_dict("records")],
        more=len(found.table) - len(table),
    )


def shown(name: str, value) -> str:
    """A share as a percentage, any other number to three digits, nothing as nothing."""
    if value is None or value != value or isinstance(value, str | bool):
        return str(value) if value == value and value is not None else ""
    if any(share in name for share in SHARES) and -1 <= value <= 1:
        return words.percent(value, 2)
    return words.amount(value) if float(value).is_integer() else words.tidy(value)


def _tidy(value) -> str:
    return words.tidy(value) if isinstance(value, float) else str(value)


def statuses(findings: Findings) -> Counter:
    """How many fits ended how."""
    return sum((found.statuses for _, found in findings if found.statuses), start=Counter())


def worst(findings: Findings) -> float:
    """The widest relative bound."""
    return max((f.worst_gap for _, f in findings if f.statuses), default=float("nan"))


def lanes(findings: Findings) -> pd.DataFrame:
    """The fits whose bounds are known one by one."""
    tables = [t for _, f in findings for t in (f.curve, f.table) if t is not None and "gap" in t]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def noted(findings: Findings) -> list[str]:
    """What each evaluation says of itself, once."""
    return list(dict.fromkeys(note for _, found in findings for note in found.notes))
