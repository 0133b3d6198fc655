"""Whether exercise A11 is done."""

import numpy as np
import pytest

from jaxlr import metrics


@pytest.mark.parametrize("share", [[1, 1, 1, 1], [20, 5, 1, 0]])
def test_classes_of_equal_and_of_unequal_size(turn, share):
    """The last class of the second case occurs nowhere."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        labels, wrong = rng.choice(4, (2, 60), p=np.array(share) / sum(share))
        predicted = np.where(rng.random(60) < 0.7, labels, wrong)
        expected = [
            float(metrics.f1_score(labels, predicted, labels=np.arange(4), average=average))
            for average in ("micro", "macro")
        ]
        assert turn.averages(labels, predicted, 4) == pytest.approx(expected, rel=1e-5)
