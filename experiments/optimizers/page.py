"""The comparison's page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from experiments.kit import pages, style, words
from experiments.kit.clock import Clock
from experiments.kit.optimizers import RULES
from experiments.optimizers import figures, ravine, ravine_figures
from experiments.optimizers.ranking import FEW
from experiments.optimizers.ravine import Walk
from experiments.optimizers.study import MOMENTUM, Bench, Trial
from experiments.optimizers.words import cautions, findings, rows

# Small multiples keep a readable size on a narrow screen, and scroll.
EXTRA_CSS = """
.multiples { display: block; margin: 1.6rem 0; }
.multiples .scroll { margin-bottom: 0.6rem; }
.multiples svg { display: block; width: 100%; min-width: 46rem; height: auto; }
.ranking table { font-size: 0.88rem; } .ranking th, .ranking td { padding-inline: 0.45rem; }
ul.findings { padding-left: 1.2rem; max-width: 46rem; } ul.findings li { margin: 0.35rem 0; }
"""
LATE = float("inf")  # the arrival of a walk that does not


def write(
    path: Path,
    studied,
    lesson: list[Walk],
    walks: list[Walk],
    weighed: dict,
    summary: dict,
    clock: Clock,
) -> None:
    """Writes report.html.

    Args:
      path: the file.
      studied: a list of (bench, trials in rank order, ranking).
      lesson: the lecture's walks down the ravine.
      walks: those of every optimizer, tuned.
      weighed: the tables of what was refitted, by the bench's name.
      summary: what summary.json holds.
      clock: what the page says of the time.
    """
    rankings = {on.name: ranked for on, _, ranked in studied}
    names = next(iter(rankings.values()))["optimizer"]
    points = summary["settings"]["points"]
    walks = sorted(walks, key=lambda walk: (walk.arrival or LATE, walk.values[-1]))
    with matplotlib.rc_context(style.RC):
        pages.write(
            path,
            "optimizers/page.html",
            EXTRA_CSS,
            title=f"Optimizers on {words.listed(rankings)}",
            summary=summary,
            points=points,
            few=FEW,
            findings=findings(rankings, points),
            notes=[*summary.get("remarks", ()), *cautions(rankings)],
            overview=_overview(rankings),
            sets=[_data_set(*part, weighed.get(part[0].name)) for part in studied],
            ravine=ravine,
            lesson=lesson,
            walks=walks,
            paths=_paths(lesson, walks),
            spaces=[_space(name) for name in RULES if name in set(names)],
            most=MOMENTUM.high,
            clock=clock,
            problem=None,
        )


def mean_ranks(rankings: dict[str, pd.DataFrame]) -> pd.Series:
    """The mean rank of each optimizer over data sets, the best first."""
    ranks = [ranked.set_index("optimizer")["rank"] for ranked in rankings.values()]
    return pd.concat(ranks, axis=1).mean(axis=1).sort_values(kind="stable")


def _overview(rankings: dict[str, pd.DataFrame]):
    figure = figures.overview(rankings, mean_ranks(rankings).index.tolist())
    alt = "Best, expected and median validation loss of every optimizer on every data set"
    return style.picture("overview", figure, alt)


def _data_set(on: Bench, trials: list[Trial], ranked: pd.DataFrame, weighed) -> dict:
    slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in on.name)
    errors = ranked["behind_se"][ranked["behind_se"] > 0]
    decimals = words.places(errors.min()) if len(errors) else 4
    head = ["optimizer", f"val. {words.name(on.loss_name)}", "behind the first", "learning rate"]
    head += ["memory", f"best of {FEW}", "near own best", "near best", "useless", "diverged"]
    panels = {
        "budget": (figures.budgets, "Each optimizer's best loss so far against budget"),
        "rates": (figures.sensitivity, "Each optimizer's final loss against learning rate"),
        "curves": (figures.learning, "Loss curves of each optimizer's best setting"),
    }
    return {
        "on": on,
        "slug": slug,
        "rows": rows(ranked),
        "weights": weighed,
        "head": head,
        "cells": [_row(row, decimals) for row in rows(ranked)],
        "pictures": {
            key: style.picture(f"{key}-{slug}", draw(on, trials), f"{alt} on {on.name}")
            for key, (draw, alt) in panels.items()
        },
    }


def _row(row: dict, decimals: int) -> list[str]:
    gap = words.plus_minus(row["behind"], row["behind_se"], decimals)
    return [
        f"{row['rank']}\N{NO-BREAK SPACE} {row['optimizer']}",
        words.plus_minus(row["mean"], row["se"], decimals),
        "first" if row["rank"] == 1 else f"≈ {gap}" if row["tied"] else gap,
        words.number(row["learning_rate"]),
        "" if np.isnan(row["momentum"]) else f"{row['momentum']:.3f}",
        f"{row['few']:.{decimals}f}",
        *(words.percent(row[key], 0) for key in ("near_own", "near_all", "useless", "diverged")),
    ]


def _paths(lesson: list[Walk], walks: list[Walk]) -> dict:
    alt = "Paths down a ravine at one learning rate: plain descent zig-zags"
    alts = "Paths of every optimizer down the ravine, each at its best setting"
    return {
        "lesson": style.picture("lesson", ravine_figures.lesson(lesson), alt),
        "all": style.picture("paths", ravine_figures.paths(walks), alts),
    }


def _space(name: str) -> list[str]:
    rule = RULES[name]
    return [
        name,
        rule.family,
        words.interval(rule.low, rule.high, words.tidy),
        rule.memory or "none",
    ]
