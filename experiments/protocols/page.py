"""The page of a protocol: scores beside the published ones, choices, and how exact they are."""

import inspect
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import pandas as pd

from experiments.kit import pages, style, words
from experiments.kit.clock import Clock
from experiments.path import certificates
from experiments.protocols import figures, scores
from experiments.protocols.found import Found
from experiments.protocols.reading import Entry
from experiments.protocols.scores import Findings, leading, shown

MOST_OPEN, MOST_CURVES, MOST_ROWS = 3, 12, 100
BOUNDS = "Proved bound and estimate of every fit's distance from its optimum"


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
    pivot, ended = scores.pivot(findings), lanes(findings)
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
            lead=said(*scores.best(findings), 0),
            several=len(findings) > 1,
            scores=scores.each(findings),
            ends=scores.ends(findings),
            pivot=scores.cells(pivot) if min(pivot.shape) > 1 else None,
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
        chosen=scores.choice(found),
        curve=figures.curve(str(at), found.curve) if draws else [],
        head=[words.name(column) for column in table],
        rows=[[shown(k, row[k]) for k in table] for row in table.to_dict("records")],
        more=len(found.table) - len(table),
    )


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
    """What each evaluation says of itself, once, and whose it is where others don't say it."""
    whose = {}
    for entry, found in findings:
        for note in found.notes:
            whose.setdefault(note, []).append(f"{entry.splits.name} by {entry.model}")
    return [
        note if len(of) == len(findings) else f"{words.listed(of)}: {note}"
        for note, of in whose.items()
    ]


def as_text(findings: Findings) -> str:
    """Scores beside the published ones, and how exact the fits are: for a terminal."""
    told, ended = scores.each(findings), statuses(findings)
    lines = ["", *words.lines(told.head, told.rows, 2), ""]
    if ended:
        off = f"; at most {worst(findings):.1e} of the risk above the optimum"
        lines.append(f"fits: {words.tally(ended)}{off}")
    return "\n".join([*lines, *noted(findings)])
