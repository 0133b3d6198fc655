"""What cross-validation found, and the refit that it chose."""

from typing import Any, NamedTuple

import numpy as np

from jaxlr.results import files, tables
from jaxlr.results.path import Path


@files.kept
class CrossValidation(NamedTuple):
    """What the folds said: leading axes T of targets and S of data sets, where there are any.

    Attributes:
      path: every lane, [T?, S?, F, A, K].
      lambdas: [K], in the order that was given.
      l1_ratios: [A].
      scores: [T?, S?, F, A, K] the metric on the rows that the fold holds out; NaN where separable,
        unless all that is missing are classes that no row at all is of.
      mean, standard_error: [T?, S?, A, K] over the folds that are not `left_out`, the same for
        every setting; NaN where one of these has no score, and such a setting is not chosen. Of a
        single fold the error is NaN.
      best_mean: [T?, S?, 2] indices (a, k) of the best mean.
      one_standard_error: [T?, S?, 2] the largest λ, at the best l1_ratio, whose mean is within one
        standard error of the best.
      chosen: [T?, S?, 2] that of the rule.
      refit: Path of the chosen setting on all rows, [T?, S?], whose `lambdas` are its own.
      predictions: [T?, S?, N] or [T?, S?, N, C] held-out logits of every row at the chosen setting,
        the mean where several folds hold it out, NaN where none does that could have a score.
    """

    path: Path
    lambdas: np.ndarray
    l1_ratios: np.ndarray
    scores: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray
    best_mean: np.ndarray
    one_standard_error: np.ndarray
    chosen: np.ndarray
    refit: Path
    predictions: np.ndarray

    @property
    def left_out(self) -> np.ndarray:
        """[T?, S?, F] folds without a finite score at any setting: no mean knows of them."""
        return ~np.isfinite(self.scores).any(axis=(-2, -1))

    @property
    def best(self) -> Path:
        """The chosen setting, refitted on all rows."""
        return self.refit

    def at(self, **where: Any) -> Path:
        """Lanes of `path`, as `Path.at` takes them."""
        return self.path.at(**where)

    def frame(self):
        """The table of `path`, with the score of every lane."""
        return tables.table(self.path.columns() | {"score": np.ravel(self.scores)})

    def predict(self, x: Any) -> np.ndarray:
        """Logits of the refit, as `Path.predict`."""
        return self.refit.predict(x)

    def probabilities(self, x: Any) -> np.ndarray:
        """Of the refit, as `Path.probabilities`."""
        return self.refit.probabilities(x)

    def save(self, path: str) -> None:
        """Into one file, for `results.load`."""
        files.save(path, self)
