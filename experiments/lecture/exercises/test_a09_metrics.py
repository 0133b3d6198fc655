"""Whether exercise A9 is done."""

import numpy as np
import pytest

from jaxlr import metrics


def test_a_rare_disease(turn):
    assert turn.precision_at(0.99, 0.99, 1 / 1000) == pytest.approx(0.0902, abs=1e-4)


def test_counted_one_by_one(turn):
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, flagged = rng.permutation([0, 0, 1, 1, *rng.integers(0, 2, 60)]), np.zeros(64, int)
        flagged[rng.permutation(64)[:30]] = 1
        recall = metrics.recall_score(truth, flagged)
        specificity = metrics.specificity_score(truth, flagged)
        expected = float(metrics.precision_score(truth, flagged))
        found = turn.precision_at(float(recall), float(specificity), truth.mean())
        assert found == pytest.approx(expected, rel=1e-5)
