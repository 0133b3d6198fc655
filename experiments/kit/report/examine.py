"""The test rows looked at closely, and what guessing without features would give."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import problems
from experiments.kit.problems import Problem
from experiments.kit.report import uncertainty
from jaxlr import metrics


@dataclass(frozen=True)
class Test:
    """The chosen setting, refitted on all training rows, on the test rows: used once."""

    figures: dict[str, float]
    scores: np.ndarray  # [N] or [N, C], logits or (standardised) predictions
    weights: np.ndarray
    labels: np.ndarray
    params: dict | list


class Classified(NamedTuple):
    """Test rows with weight, of a classification."""

    labels: np.ndarray  # [N]
    predicted: np.ndarray  # [N]
    weights: np.ndarray  # [N] > 0
    probabilities: np.ndarray  # [N, C]
    losses: np.ndarray  # [N] nats
    confusion: np.ndarray  # [C, C] weight of (truth, prediction)


class Regressed(NamedTuple):
    """Test rows with weight, of a regression; original units."""

    true: np.ndarray  # [N]
    predicted: np.ndarray  # [N]
    weights: np.ndarray  # [N] > 0


def classified(problem: Problem, test: Test) -> Classified:
    """Probabilities, losses and the confusion of the test rows."""
    seen = test.weights > 0
    scores, labels, weights = (part[seen] for part in (test.scores, test.labels, test.weights))
    probabilities = problems.probabilities(problem.table.task, scores)
    losses = np.asarray(jax.vmap(problem.loss)(jnp.asarray(scores), jnp.asarray(labels)))
    predicted = np.asarray(problems.predictions(problem.table.task, scores))
    confusion = metrics.confusion_matrix(
        labels, predicted, sample_weight=weights, num_classes=len(problem.table.class_names)
    )
    confusion = np.asarray(confusion, np.float64)
    return Classified(labels, predicted, weights, probabilities, losses, confusion)


def regressed(problem: Problem, test: Test) -> Regressed:
    """Truth and prediction of the test rows in the target's own units."""
    seen = test.weights > 0
    mean, std = problem.target_scale
    return Regressed(
        test.labels[seen].astype(np.float64) * std + mean,
        test.scores[seen].astype(np.float64) * std + mean,
        test.weights[seen].astype(np.float64),
    )


def reliability(rows: Classified) -> uncertainty.Reliability:
    """Two classes: P(second class) against its share. More: confidence against being right."""
    if rows.probabilities.shape[1] == 2:
        stated, came_true = rows.probabilities[:, 1], rows.labels == 1
    else:
        stated, came_true = rows.probabilities.max(axis=1), rows.labels == rows.predicted
    return uncertainty.reliability(stated, came_true.astype(np.float64), rows.weights)


def guessing_loss(problem: Problem) -> float:
    """The loss on training rows of one constant answer: class frequencies, or the mean."""
    labels = np.asarray(problem.train.labels)
    weights = np.asarray(problem.train.weights, np.float64)
    if problem.table.task == "regression":
        mean = np.average(labels, weights=weights)
        return float(np.average((labels - mean) ** 2, weights=weights))
    shares = np.bincount(labels, weights, len(problem.table.class_names)) / weights.sum()
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))


def majority(problem: Problem, rows: Classified) -> tuple[str, float]:
    """The class most frequent in training, and the accuracy of always saying it."""
    most = problem.commonest
    share = np.average(rows.labels == most, weights=rows.weights)
    return problem.table.class_names[most], float(share)
