"""What exact paths found: probes, each a target on a layer, and all lanes."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.kit import words
from experiments.kit.problems import Problem
from experiments.kit.report.examine import Test
from experiments.path.settings import Plan


@dataclass(frozen=True, eq=False)
class Probe:
    """One target on one layer: its lanes, what they were worth on held-out rows, and the choice.

    Attributes:
      layer: its name.
      problem: rows and task.
      lambdas: [K], descending.
      l1_ratios: [A].
      coefficients: [F, A, K, D] or [F, A, K, D, C], the weights of every lane; NaN where a lane
        is separable, whose weights are a direction.
      scores: [F, A, K], the metric on the rows that each fold holds out.
      mean: [A, K] over folds.
      error: [A, K], the standard error of the mean; NaN for a single validation split.
      left_out: the folds that no mean knows of, having no figure at any setting, with the classes
        that they train without or hold out no row of.
      best: (a, k) of the best mean.
      one_standard_error: (a, k) of the strongest penalty within a standard error of it.
      chosen: the one of the two that the rule takes.
      refit: how the chosen setting ended on all training rows, a row of `results.parquet`.
      test: the refit on the test rows; None where no mean is finite.
    """

    layer: str
    problem: Problem
    lambdas: np.ndarray
    l1_ratios: np.ndarray
    coefficients: np.ndarray
    scores: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    left_out: list[dict]
    best: tuple[int, int]
    one_standard_error: tuple[int, int]
    chosen: tuple[int, int]
    refit: dict
    test: Test | None

    @property
    def target(self) -> str:
        """The target's name."""
        return self.problem.table.target

    @property
    def task(self) -> str:
        """The target's task."""
        return self.problem.table.task

    @property
    def differs(self) -> bool:
        """Whether the two rules take different settings."""
        return self.best != self.one_standard_error

    @property
    def edge(self) -> str | None:
        """Whether the choice is the strongest or the weakest penalty; 0 is no end."""
        return edge(self.lambdas, self.mean, self.chosen)

    @property
    def largest(self) -> tuple[int, ...] | None:
        """Where the largest mean weight of the choice is: (d,) or (d, c); None if separable."""
        w = self.coefficients[:, self.chosen[0], self.chosen[1]].mean(axis=0)
        return np.unravel_index(np.abs(w).argmax(), w.shape) if np.isfinite(w).all() else None

    @property
    def is_separable(self) -> bool:
        """Whether any lane is."""
        return bool(np.isnan(self.coefficients).any())

    @property
    def merit(self) -> tuple[str, float]:
        """What probes are compared by on test rows: accuracy, or R² of a regression."""
        key, name = ("r2", "R²") if self.task == "regression" else ("accuracy", "accuracy")
        return name, self.test.figures[key] if self.test else float("nan")

    @property
    def merit_said(self) -> str:
        """The merit as a person reads it."""
        name, value = self.merit
        is_share = name == "accuracy" and np.isfinite(value)
        return words.percent(value) if is_share else words.number(value)

    @property
    def base_rate(self) -> float:
        """What always saying the training rows' commonest class has of the merit; 0 of R²."""
        if self.task == "regression":
            return 0.0
        test = self.problem.test
        return float(np.average(test.labels == self.problem.commonest, weights=test.weights))

    def used(self, place: tuple[int, int]) -> str:
        """How many weights are not zero in the folds' lanes of a setting."""
        w = self.coefficients[:, place[0], place[1]]
        used = np.count_nonzero(w.reshape(len(w), -1), axis=1)
        ends = dict.fromkeys([used.min(), used.max()])
        return " to ".join(f"{end:,}" for end in ends)


@dataclass(frozen=True)
class Findings:
    """All probes, layer by layer, and all lanes.

    Attributes:
      probes: layers × targets.
      lanes: a row per lane; `held_out` is the metric on the rows that its fold holds out.
      lead: the probe to look at closely, the first target on the layer that serves it best.
    """

    probes: list[Probe]
    lanes: pd.DataFrame
    lead: Probe

    @property
    def layers(self) -> list[str]:
        """Their names."""
        return list(dict.fromkeys(probe.layer for probe in self.probes))

    @property
    def targets(self) -> list[str]:
        """Their names."""
        return list(dict.fromkeys(probe.target for probe in self.probes))

    @property
    def widths(self) -> list[int]:
        """How many features each probe has."""
        return [probe.problem.train.x.shape[1] for probe in self.probes]

    @property
    def statuses(self) -> Counter:
        """How many lanes ended how."""
        return Counter(self.lanes["status"])

    @property
    def refits(self) -> Counter:
        """How many refits ended how."""
        return Counter(probe.refit["status"] for probe in self.probes)


def edge(lambdas: np.ndarray, mean: np.ndarray, chosen: tuple[int, int]) -> str | None:
    """Whether a choice lies at an end of its penalties; 0 is no end, none being weaker."""
    last, k = len(lambdas) - 1, chosen[1]
    if last < 2 or k not in (0, last) or lambdas[k] == 0:
        return None
    if np.nanmax(mean) - np.nanmin(mean) <= 1e-9 * np.nanmax(np.abs(mean)):
        return None  # every setting is as good
    return "strongest" if k == 0 else "weakest"


def leading(probes: list[Probe], plan: Plan) -> Probe:
    """The probe whose choice is worth most on held-out rows."""
    sign = 1 if plan.maximise else -1
    worth = [sign * probe.mean[probe.chosen] for probe in probes]
    return probes[int(np.argmax(np.nan_to_num(worth, nan=-np.inf)))]
