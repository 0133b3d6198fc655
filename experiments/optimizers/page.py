"""The comparison's page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import pandas as pd

from experiments.kit import pages, style, words
from experiments.kit.clock import Clock
from experiments.kit.optimizers import RULES
from experiments.optimizers import figures, ravine, ravine_figures
from experiments.optimizers.ranking import FEW
from experiments.optimizers.ravine import Walk
from experiments.optimizers.study import MOMENTUM, Bench, Trial
from experiments.optimizers.words import cautions, findings, rows

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
            title=f"Optimizers on {words.listed(rankings)}",
            summary=summary,
            points=points,
            few=FEW,
            findings=findings(rankings, points),
            notes=[*summary.get("remarks", ()), *cautions(rankings)],
            overview=figures.overview(rankings, mean_ranks(rankings).index.tolist()),
            sets=[_data_set(*part, weighed.get(part[0].name)) for part in studied],
            ravine=ravine,
            lesson=lesson,
            walks=walks,
            down=ravine_figures,
            rules={name: rule for name, rule in RULES.items() if name in set(names)},
            most=MOMENTUM.high,
            clock=clock,
            problem=None,
        )


def mean_ranks(rankings: dict[str, pd.DataFrame]) -> pd.Series:
    """The mean rank of each optimizer over data sets, the best first."""
    ranks = [ranked.set_index("optimizer")["rank"] for ranked in rankings.values()]
    return pd.concat(ranks, axis=1).mean(axis=1).sort_values(kind="stable")


def _data_set(on: Bench, trials: list[Trial], ranked: pd.DataFrame, weighed) -> dict:
    errors = ranked["behind_se"][ranked["behind_se"] > 0]
    return {
        "on": on,
        "slug": "".join(c if c.isalnum() and c.isascii() else "-" for c in on.name),
        "rows": rows(ranked),
        "weights": weighed,
        "decimals": words.places(errors.min()) if len(errors) else 4,
        "budgets": figures.budgets(on, trials),
        "rates": figures.sensitivity(on, trials),
        "curves": figures.learning(on, trials),
    }
