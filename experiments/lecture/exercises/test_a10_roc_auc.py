"""Whether exercise A10 is done."""

import numpy as np
import pytest

from jaxlr import metrics


def test_the_lectures_seven_objects(turn):
    scores = [0.5, 0.1, 0.2, 0.6, 0.2, 0.3, 0.0]
    assert turn.pairs_won([0, 0, 0, 1, 1, 1, 0], scores) == pytest.approx(9.5 / 12)


def test_random_scores_with_ties(turn):
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels, scores = rng.permutation([0, 1, *rng.integers(0, 2, 30)]), rng.integers(0, 8, 32)
        expected = metrics.roc_auc_score(labels, scores)
        assert turn.pairs_won(labels, scores) == pytest.approx(float(expected), rel=1e-6)
