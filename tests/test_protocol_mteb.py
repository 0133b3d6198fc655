"""MTEB's rule beside its own words: the rows that it draws, its figures, what it published."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from experiments.path.settings import Settings
from experiments.protocols import mteb, published, reading
from experiments.protocols.found import Rows, Splits

pytestmark = pytest.mark.once

SHARED = Path(__file__).parents[2] / "shared" / "data" / "embeddings"
RNG = np.random.default_rng(5)


def rows_of(labels):
    centres = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]])[: labels.max() + 1]
    x = centres[labels] + 0.7 * RNG.normal(size=(len(labels), 4))
    return Rows(x.astype(np.float32), labels.astype(np.int32))


RARE = rows_of(np.repeat([0, 1], [40, 5]))  # the second class has fewer rows than a draw
SPLITS = Splits("rare", RARE, None, rows_of(np.arange(70) % 2), ("no", "yes"))


def published_draws(labels, per_label):
    """The ten experiments in the words of the original: lists, a counter, a fresh generator."""
    order = list(range(len(labels)))
    for _ in range(10):
        np.random.RandomState(42).shuffle(order)
        counter, taken = dict.fromkeys(set(labels), 0), []
        for row in order:
            if counter[labels[row]] < per_label:
                counter[labels[row]] += 1
                taken.append(row)
        yield taken


@pytest.mark.parametrize("per_label", [8, 16])
def test_rows_are_drawn_by_the_published_rule(per_label):
    labels = RNG.permutation(np.repeat(np.arange(5), 20))
    rows = mteb.draws(labels, per_label)
    assert rows.shape == (10, 5 * per_label)
    assert rows.tolist() == list(published_draws(labels.tolist(), per_label))
    assert len({tuple(draw) for draw in rows}) == 10


def test_a_label_with_fewer_rows_than_a_draw_gives_all():
    rows = mteb.draws(RARE.labels)
    assert rows.tolist() == list(published_draws(RARE.labels.tolist(), 8))
    assert (np.bincount(RARE.labels[rows[0]]) == [8, 5]).all()


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_exact_scores_are_those_of_scikit_learn_run_to_its_end(class_weight):
    found = mteb.run(SPLITS, class_weight=class_weight)
    assert found.statuses == {"certified": 10}
    assert found.worst_gap <= 1e-8
    assert found.notes == (mteb.FEW.format(1, 2, 8),)
    test, figures = SPLITS.test, []
    for rows in published_draws(RARE.labels.tolist(), 8):
        options = {"solver": "newton-cholesky", "tol": 1e-10, "class_weight": class_weight}
        fit = LogisticRegression(**options).fit(RARE.x[rows].astype(float), RARE.labels[rows])
        said = fit.predict(test.x)
        f1 = f1_score(test.labels, said, average="macro")
        figures.append([fit.score(test.x, test.labels), f1])
        figures[-1].append(average_precision_score(test.labels, said))
    names = ["accuracy", "f1", "average precision"]
    np.testing.assert_allclose(found.table[names], figures, rtol=1e-12)
    assert found.scores == pytest.approx(dict(zip(names, np.mean(figures, axis=0), strict=True)))


def test_figures_are_scikit_learns_where_classes_never_occur_or_are_never_said():
    rows, said = Rows(None, RNG.integers(0, 3, 50)), RNG.integers(1, 5, 50)
    found = mteb.figures(rows, said, 6)
    assert found["accuracy"] == accuracy_score(rows.labels, said)
    assert found["f1"] == pytest.approx(f1_score(rows.labels, said, average="macro"), rel=1e-14)


@pytest.fixture(scope="module")
def poem():
    file = SHARED / "poem_sentiment_minilm.npz"
    if not file.exists():
        pytest.skip("PoemSentiment's embeddings lie beside the checkout, in ../shared")
    ((entry,), _) = reading.entries(Settings(data=(str(file),), protocol="mteb"))
    assert entry.model == "minilm"
    assert entry.splits.name == "poem_sentiment"
    return entry.splits


def test_twenty_published_accuracies_come_back_to_the_last_row(poem):
    found = mteb.run(poem, solver="scikit-learn")
    for of, role in (("", "test"), ("validation ", "validation")):
        right = published.accuracies(poem, role)
        np.testing.assert_allclose(found.table[f"{of}accuracy"], right, rtol=0, atol=1e-12)
        assert found.published[f"{of}accuracy"] == pytest.approx(right.mean())
        assert found.scores[f"{of}accuracy"] == pytest.approx(right.mean())
    assert found.statuses == {"stopped": 10}
    assert 1e-9 < found.worst_gap < 1e-5
    assert "stop early" in found.notes[0]


def test_scores_are_known_by_rows_and_labels_alone(poem):
    assert published.accuracies(poem, "test").mean() == pytest.approx(0.47211538461)
    fewer = Splits("poem", Rows(poem.train.x[1:], poem.train.labels[1:]), *[poem.test] * 2, "abcd")
    assert published.accuracies(fewer, "test") is None
    banking = next(task for task in published.KNOWN["tasks"] if task["labels"] == 77)
    right = banking["right"]["test"]
    assert np.mean(right["right"]) / right["rows"] == pytest.approx(0.8004220779)
