"""How right predictions are, where the file of new rows has the target."""

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.datasets import DataError
from experiments.datasets.arrays import as_column
from experiments.datasets.cells import typed
from experiments.datasets.errors import shown
from experiments.datasets.formats.embeddings import Column
from experiments.datasets.target import class_name
from experiments.kit import pages, problems
from experiments.kit.saved import Model
from jaxlr import metrics

SAID = pages.macros("predict/words.html", plain=True)


def sentence(column: Column, model: Model, scores: np.ndarray) -> str:
    """The metrics on the rows whose label the model knows, and what became of the others.

    Args:
      column: [N] the target as it was read.
      model: what predicted.
      scores: [N] or [N, C], as of `saved.scores`.
    """
    try:
        values = _values(column, model)
    except DataError as fault:
        return f"no metrics: {fault}"
    if len(values) != len(scores):
        return f"no metrics: {len(values)} labels of {shown(model.target)} for {len(scores)} rows"
    is_gap = pd.isna(values)
    if model.task == "regression":
        labels, is_known, unknown = values, ~is_gap, []
    else:
        codes = {known: code for code, known in enumerate(model.class_names)}
        labels = np.array([codes.get(value, -1) for value in values])
        is_known = labels >= 0
        unknown = list(dict.fromkeys(values[~is_known & ~is_gap]))
    figures = figures_of(model, labels[is_known], scores[is_known]) if is_known.any() else {}
    return SAID.judged(model.target, figures, is_known.sum(), (~is_known).sum(), unknown)


def figures_of(model: Model, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Metrics by name: of labels in 0..C-1, or of a regression's values."""
    if model.task == "regression":
        return {
            "R²": metrics.r2_score(labels, scores),
            "root mean squared error": metrics.root_mean_squared_error(labels, scores),
        }
    shares = problems.probabilities(model.task, scores)
    classes = np.arange(len(model.class_names))
    chosen = scores > 0 if model.task == "binary" else scores.argmax(axis=-1)
    figures = {
        "accuracy": metrics.accuracy_score(labels, chosen.astype(int)),
        "log loss": metrics.log_loss(labels, shares, labels=classes),
    }
    if model.task == "binary" and len(np.unique(labels)) == 2:
        figures["AUC"] = metrics.roc_auc_score(labels, scores)
    return figures


def _values(column: Column, model: Model) -> np.ndarray:
    """[N] numbers for a regression, else names of classes; NaN or None for a gap."""
    column = column if isinstance(column, pa.ChunkedArray) else as_column(column, model.target)
    values = typed(column, model.target, False, is_target=True)
    if isinstance(values, pd.Categorical):
        values = np.array([*values.categories, None], dtype=object)[values.codes]
    if model.task != "regression":
        return np.array([None if pd.isna(v) else class_name(v) for v in values], dtype=object)
    if values.dtype.kind not in "biuf":
        raise DataError(f"{shown(model.target)} holds texts, and the model predicts a number")
    return values.astype(np.float64)
