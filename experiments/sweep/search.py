"""A search: Optuna proposes a batch of configurations, hears their losses, and proposes again.

Its study is a file of SQLite, so that a search that was stopped goes on; every proposal is drawn by
a generator of its own, so that it goes on to the same points.

Reference:
  Akiba and others, Optuna: a next-generation hyperparameter optimization framework (2019); its
  sampler is that of Bergstra and others, Algorithms for hyper-parameter optimization (2011).
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.kit.mistakes import SettingError
from experiments.kit.problems import LOSS_NAMES, Problem
from experiments.sweep import choosing, tidy
from experiments.sweep.plan import of_points, space
from experiments.sweep.settings import Settings
from jaxlr import sweeps

FILE, ASK = "study.db", 32


def run(problem: Problem, settings: Settings, folder: Path, train: Callable):
    """(all that was run as one plan, then as of `study.trained`).

    Args:
      problem: whose loss is to be small.
      settings: ranges, choices, how many configurations, and how many at a time.
      folder: where the study is, and perhaps was.
      train: (plan, name of its checkpoints) -> as of `study.trained`.

    Raises:
      SettingError: Optuna is not installed.
    """
    varied, at_once, done = space(settings), settings.ask or ASK, []
    by = f"val_{LOSS_NAMES[problem.table.task]}"
    with Search(folder, list(varied), settings.seed, at_once) as search:
        for first in range(0, settings.configs, at_once):
            trials = search.asked(first, min(first + at_once, settings.configs))
            unit = np.array([[trial.params[name] for name in varied] for trial in trials])
            plan = of_points(settings, sweeps.at(varied, unit), first)
            lanes, steps, _ = train(plan, f"round-{first}")
            search.told(trials, choosing.rank(lanes, by).sort_values("config")["mean"])
            done.append((plan, lanes, steps))
    plans, lanes, steps = zip(*done, strict=True)
    made = replace(plans[0], groups=[group for plan in plans for group in plan.groups])
    whole = tidy.joined(steps, map(len, lanes))
    return made, pd.concat(lanes, ignore_index=True), whole, None


class Search:
    """An Optuna study of the unit cube, in a file."""

    def __init__(self, folder: Path, names: list[str], seed: int, num_random: int):
        try:
            import optuna
        except ModuleNotFoundError:
            raise SettingError(
                "--design optuna: optuna is not installed: pip install 'jaxlr[search]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder.mkdir(exist_ok=True)
        self._optuna, self._seed, self._num_random = optuna, seed, num_random
        self._storage = optuna.storages.RDBStorage(f"sqlite:///{folder / FILE}")
        self._study = optuna.create_study(
            storage=self._storage, study_name="search", load_if_exists=True
        )
        self._cube = {name: optuna.distributions.FloatDistribution(0, 1) for name in names}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._storage.remove_session()
        self._storage.engine.dispose()

    def asked(self, first: int, end: int) -> list:
        """The trials first to end - 1, each with a point of the cube as its params."""
        whole = [t for t in self._study.get_trials() if set(self._cube) <= set(t.params)]
        for number in range(len(whole), end):
            with warnings.catch_warnings(action="ignore"):  # what is experimental there
                self._study.sampler = self._optuna.samplers.TPESampler(
                    n_startup_trials=self._num_random,
                    constant_liar=True,  # a batch keeps away from its own points
                    seed=int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0]),
                )
            whole.append(self._study.ask(self._cube))
        return whole[first:end]

    def told(self, trials: list, worth: pd.Series) -> None:
        """The trials' mean losses, once each; one that diverged has none, and is worth least."""
        open_ones = {t.number for t in self._study.get_trials() if not t.state.is_finished()}
        for trial, mean in zip(trials, worth, strict=True):
            if trial.number in open_ones:
                self._study.tell(trial.number, mean if math.isfinite(mean) else math.inf)
