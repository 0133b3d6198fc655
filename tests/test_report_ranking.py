"""The page's ROC, precision-recall and threshold figures beside scikit-learn and the lecture."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from experiments.kit import pages
from experiments.kit.report import examine, ranking
from experiments.kit.report.ranking import OneClass
from tests.report_cases import case

pytestmark = pytest.mark.once

LECTURE = OneClass(
    "one",
    np.array([0, 0, 0, 1, 1, 1, 0]),
    np.array([0.5, 0.1, 0.2, 0.6, 0.2, 0.3, 0.0]),
    np.ones(7),
)


SAID = pages.macros("tested.html", plain=True)


def caption(one):
    return SAID.ranking(ranking.areas(one))


def seen(name):
    problem, _, findings = case(name)
    rows = examine.classified(problem, findings.test)
    return rows, ranking.one_class(rows, problem.table.class_names)


def test_the_hardest_class_is_looked_at():
    rows, hardest = seen("ten classes")
    areas = [
        theirs.roc_auc_score(rows.labels == c, rows.probabilities[:, c], sample_weight=rows.weights)
        for c in range(10)
    ]
    assert hardest.name == f"class {np.argmin(areas)}"
    rows, second = seen("binary")
    assert second.name == "class 1"
    np.testing.assert_array_equal(second.positive, rows.labels)
    assert ranking.one_class(rows._replace(labels=np.zeros_like(rows.labels)), ("a", "b")) is None


def test_what_a_threshold_does_is_what_scikit_learn_says():
    _, one = seen("ten classes")
    found = ranking.thresholds(one)
    assert (np.diff(found.index) > 0).all()
    for t in (0.0, 0.2, 0.5, found.index[3]):
        flagged = one.stated >= t
        precision, recall, f1, _ = theirs.precision_recall_fscore_support(
            one.positive, flagged, sample_weight=one.weights, average="binary"
        )
        cost = theirs.zero_one_loss(one.positive, flagged, sample_weight=one.weights)
        np.testing.assert_allclose(
            ranking.flagged_at(found, t), (precision, recall, f1, cost), rtol=1e-6
        )
    nothing = ranking.flagged_at(found, 1.1)
    positives = np.average(one.positive, weights=one.weights)
    np.testing.assert_allclose(nothing, (np.nan, 0, 0, positives), rtol=1e-6)
    assert ranking.table_rows(one)[-1][0] == "0.95"


def test_the_bands_hold_the_curves_and_narrow_with_rows():
    _, one = seen("binary")
    bands = ranking._bands(one)
    fpr, tpr, _ = theirs.roc_curve(one.positive, one.stated)
    on_grid = np.interp(ranking.GRID, fpr, tpr)
    low, high = bands.low["roc"], bands.high["roc"]
    assert np.mean((low - 1e-6 <= on_grid) & (on_grid <= high + 1e-6)) > 0.95
    # The spread of a share p of m rows is about sqrt(p (1 - p) / m): m = 60 positives here.
    middle = np.abs(on_grid - 0.8).argmin()
    expected = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 60)
    assert 0.5 * expected < high[middle] - low[middle] < 2.5 * expected
    assert bands.high["precision_recall"][0] == 1
    assert (bands.low["precision_recall"] >= 0.4).all(), "half of the rows are positive"


def test_the_lectures_staircase_has_nine_and_a_half_cells_of_twelve():
    figure = ranking.staircase(LECTURE)
    (line,) = figure.axes[0].lines
    right, up = line.get_data()
    assert sorted(zip(right, up, strict=True)) == [
        (0, 0), (0, 1), (1, 1), (1, 2), (2, 3), (3, 3), (4, 3),
    ]  # fmt: skip
    assert "9.5 of 12 cells" in SAID.staircase("one", *ranking.pairs(LECTURE))


def test_a_staircase_needs_equal_weights_and_cells_that_can_be_seen():
    assert ranking.staircase(LECTURE._replace(weights=np.arange(1, 8))) is None
    assert ranking.staircase(seen("binary")[1]) is None  # 60 x 60 pairs


def test_the_caption_states_the_areas():
    _, one = seen("binary")
    said = caption(one)
    assert f"AUC {theirs.roc_auc_score(one.positive, one.stated):.3f}" in said
    precision = theirs.average_precision_score(one.positive, one.stated)
    assert f"Average precision {precision:.3f}" in said


@pytest.mark.parametrize("scale", [1 / 7, 100.0, 1e-30, 1e30])
def test_the_interval_of_an_area_does_not_depend_on_the_scale_of_weights(scale):
    weights = np.array([1, 1, 2, 1, 2, 2, 1.0])
    of_either = LECTURE.positive + 1.0  # a class's own scale tells nothing either
    plain = caption(LECTURE._replace(weights=weights))
    assert caption(LECTURE._replace(weights=scale * weights)) == plain
    assert (
        plain.split(": the")[0]
        == (caption(LECTURE._replace(weights=weights * of_either)).split(": the")[0])
    )
    ones = caption(LECTURE._replace(weights=np.full(7, scale)))
    assert ones == caption(LECTURE)


def test_a_class_of_one_row_has_no_interval():
    one = LECTURE._replace(positive=np.array([0, 0, 0, 1, 0, 0, 0]))
    assert "AUC 1.000, without an interval, which takes two rows of the class" in caption(one)
