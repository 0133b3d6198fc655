"""What a schedule did, as the page tells it: the rungs of rows, or the numbers of a population."""

import numpy as np
from matplotlib.figure import Figure

from experiments.kit import pages, style, words
from experiments.sweep import curves, lineage, schedules
from experiments.sweep.landscape import coordinate
from experiments.sweep.leaderboard import numbers, said
from experiments.sweep.plan import Plan
from experiments.sweep.study import Findings

MOST_OTHERS = 50  # more lines than this say nothing
sentences = pages.macros("sweep/steered.html")


def told(plan: Plan, findings: Findings, loss_name: str) -> dict | None:
    """Title, words, figures and table of the section; None where all ran as they were to the end.

    Args:
      plan: what was run.
      findings: what came of it.
      loss_name: by which lanes are judged.
    """
    if plan.rows:
        return _rungs(plan, findings, loss_name)
    if findings.lineage is None or findings.chosen is None:
        return None
    stretches = lineage.followed(findings.lineage, findings.chosen["config"])
    names = [name for name in numbers(findings.configs) if name in stretches]
    told = stretches.to_dict("records")
    rows = [
        [f"{of['epoch']:,}", str(of["config"]), *(said(name, of[name]) for name in names)]
        for of in told
    ]
    moves = int((findings.lineage["epoch"] > 0).sum())
    every = schedules.between(plan) * plan.per_segment
    left, whole = len(set(lineage.founders(findings.lineage).values())), len(findings.configs)
    return {
        "title": "The schedule of numbers",
        "said": sentences.population(every, len(plan.groups), moves, left, whole, told),
        "drawn": _panels(plan, findings, names) if len(told) > 1 else [],
        "head": ["from epoch", "configuration", *map(words.name, names)],
        "rows": rows,
        "caption": sentences.schedule(findings.chosen["config"]),
    }


def _rungs(plan: Plan, findings: Findings, loss_name: str) -> dict:
    """The rungs of halving over rows."""
    ends, met = np.cumsum(plan.parts), findings.configs["rows"]
    losses = curves.per_config(findings, loss_name).min().to_numpy()[ends - 1]
    rows = [
        [f"{size:,}", f"{(met >= size).sum():,}", f"{(met > size).sum():,}", words.number(loss)]
        for size, loss in zip(plan.rows, losses, strict=True)
    ]
    rows[-1][2] = ""
    return {
        "title": "Rungs of rows",
        "said": sentences.rungs(plan),
        "drawn": [],
        "head": ["rows", "configurations", "went on", f"best val. {words.name(loss_name)}"],
        "rows": rows,
        "caption": sentences.rung(words.name(loss_name)),
    }


def _panels(plan: Plan, findings: Findings, names: list[str]) -> list[tuple[str, Figure, str]]:
    """A panel for each number, along the epochs."""
    chosen, others = findings.chosen["config"], findings.configs["config"]
    shown = [*others[others != chosen][:MOST_OTHERS], chosen]
    lines = [lineage.followed(findings.lineage, config) for config in shown]
    return [
        (
            f"schedule-{name.replace('_', '-')}",
            _panel(plan, lines, name),
            f"{words.name(name)} by epoch",
        )
        for name in names
    ]


def _panel(plan: Plan, lines: list, name: str) -> Figure:
    """A number of the last of lines, with a dot where it was taken over, and of the others."""
    figure, axes = style.panel(height=3.2)
    for line in (line for line in lines if name in line):
        values, label, is_log = coordinate(name, line[name].to_numpy())
        epochs, values = [*line["epoch"], plan.epochs], [*values, values[-1]]
        look = {"color": style.MUTED, "lw": 0.6, "alpha": 0.5}
        if line is lines[-1]:
            look = {"color": style.ACCENT, "lw": 2.2}
            axes.plot(epochs[1:-1], values[1:-1], "o", color=style.ACCENT, ms=5)
        axes.step(epochs, values, where="post", **look)
    if is_log:
        style.log_axis(axes, "y", *_span(axes))
    axes.set_title(label)
    curves.epochs_along(axes)
    return figure


def _span(axes) -> tuple[float, float]:
    drawn = np.concatenate([line.get_ydata() for line in axes.lines])
    return drawn.min(), drawn.max()
