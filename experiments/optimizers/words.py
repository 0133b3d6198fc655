"""What the comparison found, in sentences made from its numbers."""

import itertools
from functools import partial

import numpy as np
import pandas as pd

from experiments.kit import pages
from experiments.optimizers.ranking import FEW

Rankings = dict[str, pd.DataFrame]
sentence = partial(pages.said, "optimizers.html")


def rows(ranked: pd.DataFrame) -> list[dict]:
    """A ranking as the templates take it."""
    return ranked.to_dict("records")


def findings(rankings: Rankings, num_points: int) -> list[str]:
    """The sentences of the first screen; only what the numbers can carry."""
    found, costs = [], []
    for name, ranked in rankings.items():
        useful = ranked[ranked["useless"] < 1]
        if ranked["useless"].iloc[0] < 1 and len(ranked) > 1:
            found.append(sentence("apart", name, rows(ranked)))
            if num_points >= 2 * FEW:
                found.append(sentence("gamble", name, rows(ranked), FEW))
        if len(useful) > 1:
            untuned = float(np.median(useful["median"] / useful["mean"])) - 1
            costs.append((name, untuned, useful["mean"].iloc[-1] / useful["mean"].iloc[0] - 1))
    if costs:
        wins = sum(untuned > last for _, untuned, last in costs)
        found.append(sentence("choice_or_tuning", costs, wins))
    ranks = [ranked.set_index("optimizer")["rank"] for ranked in rankings.values()]
    if len(ranks) > 1 and len(ranks[0]) > 2:
        pairs = [one.corr(other) for one, other in itertools.combinations(ranks, 2)]
        found.append(sentence("agreement", float(np.mean(pairs))))
    return found


def cautions(rankings: Rankings) -> list[str]:
    """What a reader should not conclude."""
    notes = []
    for name, ranked in rankings.items():
        tied, optimizers = int(ranked["tied"].sum()) - 1, ranked["optimizer"]
        if tied > (len(ranked) - 1) / 2:
            notes.append(sentence("mostly_luck", name, tied))
        for end in ("lower", "upper"):
            at = optimizers[ranked["at_edge"] == end]
            if len(at):
                notes.append(sentence("at_an_edge", name, at, end))
        lost = optimizers[ranked["useless"] == 1]
        if len(lost):
            notes.append(sentence("hopeless", name, lost))
    return notes
