"""The numbers that the lectures themselves state, as the pages have them."""

import numpy as np
import pytest

from experiments.lecture import a03_momentum, a06_logistic, a09_metrics, a10_roc_auc, texts
from experiments.lecture.parts import PARTS
from experiments.lecture.texts import sayer

pytestmark = pytest.mark.once


def told(script, facts):
    """The Markdown of the script's page in English."""
    (part,) = (part for part in PARTS if script.__name__.endswith(part.name))
    figures = script.figures(facts, sayer("en"))
    return texts.page(part, "en", facts, figures)


def test_the_staircase_has_the_lectures_seven_points_and_area():
    facts = a10_roc_auc.facts()
    points = [(0, 0), (0, 1 / 3), (1 / 4, 1 / 3), (1 / 4, 2 / 3), (1 / 2, 1), (3 / 4, 1), (1, 1)]
    np.testing.assert_allclose(facts["points"], points, rtol=1e-6)
    assert facts["area"] == pytest.approx(9.5 / 12)
    assert (facts["won"], facts["pairs"]) == (9.5, 12)
    assert facts["ends"] == {"ideal": 1, "random": 0.5, "worst": 0}
    points = "(0, 0), (0, 1/3), (1/4, 1/3), (1/4, 2/3), (1/2, 1), (3/4, 1), (1, 1)"
    assert points in told(a10_roc_auc, facts)
    assert "AUC = 9.5/12 = **0.7917**" in told(a10_roc_auc, facts)


def test_the_mailbox_the_corners_and_the_memory():
    facts = a09_metrics.facts()
    letters = facts["lecture"]
    assert (letters["letters"], letters["spam"], letters["honest"]) == (1000, 900, 100)
    assert letters["accuracy"] == pytest.approx(0.9)
    assert "**0.9**" in told(a09_metrics, facts)
    corners = {(row["y"], row["p"]): row for row in a06_logistic.facts()["corners"]}
    right, wrong = [corners[0, 0], corners[1, 1]], [corners[1, 0], corners[0, 1]]
    assert np.isnan([row["sum"] for row in right]).all()  # 0 · (−∞), as it is computed
    assert [row["loss"] for row in right] == [0, 0]  # as it is meant
    assert [row["loss"] for row in wrong] == [np.inf, np.inf]
    assert a03_momentum.BETA == 0.9
