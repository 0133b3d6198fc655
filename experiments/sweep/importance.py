"""Which settings matter: the share of the variation of validation loss that goes with each.

A random forest learns from the settings how configurations rank. Shuffling a setting adds to its
squared error twice the variance that the setting has a part in, alone or with others: its total
effect. Every configuration is judged by the trees that haven't seen it. Settings are taken to be
independent, as designs draw them; of a search the shares are of where it looked.

Reference:
  Breiman, Random forests (2001), section 10; Jansen, Analysis of variance designs for model output
  (1999); for pairs Liu and Owen, Estimating mean dimensionality of analysis of variance
  decompositions (2006).
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestRegressor

from experiments.kit import pages, style, words
from experiments.kit.report.uncertainty import mean_and_error
from experiments.sweep.leaderboard import numbers, varying_static

FEWEST, MOST = 20, 2_000  # configurations: of fewer a forest says nothing, of more it takes long
LEAST = 0.1  # of R², below which the forest has learned nothing to speak of
TREES, SHUFFLED = 100, 2_000  # rows, in one shuffle or several
PAIRED = 3  # of so many settings pairs are looked at
BEYOND = 3  # standard errors


class Together(NamedTuple):
    """Two settings and the share that goes with both at once, neither alone."""

    names: tuple[str, str]
    share: float


class Importance(NamedTuple):
    """What the forest tells.

    Attributes:
      explained: R² of the ranks of configurations that trees haven't seen.
      shares: {setting: (share of the variance of ranks, its standard error over configurations)},
        the greatest first; empty if too little is explained.
      together: the pair that acts together most, where any does beyond three standard errors.
    """

    explained: float
    shares: dict[str, tuple[float, float]]
    together: Together | None


def of(configs: pd.DataFrame) -> Importance | None:
    """Of configurations as in `Findings`; None of too few, or where there is nothing to tell."""
    configs = configs[evenly(configs, MOST)]
    names, rank = varying(configs), ranks(configs)
    if len(configs) < FEWEST or len(names) < 2 or not rank.std():
        return None
    forest = Forest(features(configs, names), rank)
    if forest.explained < LEAST:
        return Importance(forest.explained, {}, None)
    rises = forest.rises([(at,) for at in range(len(names))])
    first = sorted(rises, key=lambda group: -rises[group].mean())
    pairs = list(combinations([at for (at,) in first[:PAIRED]], 2))
    both = {(a, b): rises[a,] + rises[b,] - rise for (a, b), rise in forest.rises(pairs).items()}
    a, b = max(both, key=lambda pair: both[pair].mean())
    even = np.ones(len(configs))
    share, error = mean_and_error(both[a, b], even)
    together = Together((names[a], names[b]), share) if share > BEYOND * error else None
    shares = {names[group[0]]: mean_and_error(rises[group], even) for group in first}
    return Importance(forest.explained, shares, together)


def evenly(configs: pd.DataFrame, most: int) -> np.ndarray:
    """[K] whether a configuration is one of at most so many, evenly by rank."""
    places = np.linspace(0, len(configs) - 1, min(most, len(configs))).astype(int)
    return np.isin(np.arange(len(configs)), places)


def varying(configs: pd.DataFrame) -> list[str]:
    """The settings that differ between configurations: numbers, then static ones."""
    return [n for n in numbers(configs) if configs[n].nunique() > 1] + varying_static(configs)


def ranks(configs: pd.DataFrame) -> np.ndarray:
    """[K] places by validation loss, from 0; those that diverged share the last."""
    alive = configs["mean"].notna().to_numpy()
    return np.where(alive, np.cumsum(alive) - 1.0, (alive.sum() + len(alive) - 1) / 2)


def features(configs: pd.DataFrame, names: list[str]) -> np.ndarray:
    """[K, D] settings as numbers, static ones by the order of their names; NaN where there is none.

    Trees only ask which is greater, so a logarithm would change nothing.
    """
    static = varying_static(configs)
    columns = [
        pd.factorize(configs[name], sort=True)[0] if name in static else configs[name]
        for name in names
    ]
    return np.column_stack(columns).astype(np.float32)


class Forest:
    """A forest of x [K, D] and y [K], and what its trees say of rows that they haven't seen."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x, self.y, self._random = x, y, np.random.default_rng(0)
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(x, y)
        rows = np.arange(len(x))
        self._trees = [
            (tree, np.setdiff1d(rows, seen))
            for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True)
        ]
        self._errors = np.square(y - self.predicted(x[None])[0])
        self.explained = float(1 - self._errors.mean() / y.var())

    def predicted(self, versions: np.ndarray) -> np.ndarray:
        """[V, K] of versions [V, K, D] of the rows, each by the trees that haven't seen it."""
        total, votes = np.zeros(versions.shape[:2]), np.zeros(versions.shape[1])
        for tree, rows in self._trees:
            asked = versions[:, rows].reshape(-1, versions.shape[2])
            total[:, rows] += tree.predict(asked, check_input=False).reshape(len(versions), -1)
            votes[rows] += 1
        return total / votes

    def rises(self, groups: list[tuple[int, ...]]) -> dict[tuple[int, ...], np.ndarray]:
        """{columns: [K]} half of what shuffling them together adds to each row's squared error.

        In units of the variance of y; a row without such a number keeps out of the shuffle.
        """
        times = max(1, SHUFFLED // len(self.x))
        versions = np.concatenate([self._shuffled(group, times) for group in groups])
        errors = np.square(self.y - self.predicted(versions)).reshape(len(groups), times, -1)
        rises = (errors.mean(axis=1) - self._errors) / (2 * self.y.var())
        return dict(zip(groups, rises, strict=True))

    def _shuffled(self, columns: tuple[int, ...], times: int) -> np.ndarray:
        versions = np.repeat(self.x[None], times, axis=0)
        whole = np.flatnonzero(~np.isnan(self.x[:, columns]).any(axis=1))
        for version in versions:
            given = self._random.permutation(whole)
            version[np.ix_(whole, columns)] = self.x[np.ix_(given, columns)]
        return versions


def panels(found: Importance | None):
    """(name, figure, alt text) of the shares as bars; none where there are none."""
    if found is None or not found.shares:
        return []
    return [("importance", draw(found), "The share of the variation that goes with each setting")]


def draw(found: Importance) -> Figure:
    """A bar per setting, the greatest on top, its standard error as a line."""
    names, (shares, errors) = list(found.shares), np.transpose(list(found.shares.values()))
    shares = np.maximum(shares, 0)
    figure, axes = style.panel(height=1.0 + 0.36 * len(names))
    places = np.arange(len(names))
    axes.barh(places, shares, 0.6, color=style.ACCENT)
    axes.errorbar(shares, places, xerr=errors, fmt="none", ecolor=style.INK, elinewidth=1.2)
    for place, share, end in zip(places, shares, shares + errors, strict=True):
        axes.annotate(
            words.percent(share, 0), (end, place), (5, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(places, [words.name(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 1.15 * max(shares + errors))
    axes.xaxis.set_major_formatter(lambda share, _: words.percent(share, 0))
    axes.set_xlabel("share of the variation")
    return figure


def caption(found: Importance | None, configs: pd.DataFrame, loss_name: str) -> str:
    """The bars in words, or why there are none; nothing where nothing was compared."""
    sentences = pages.macros("sweep/words.html")
    if found is not None:
        number = min(len(configs), MOST)
        return sentences.importance(words.name(loss_name), found, number)
    compared = len(varying(configs)) > 1 and configs["mean"].notna().any()
    return sentences.few(len(configs), FEWEST) if compared and len(configs) < FEWEST else ""
