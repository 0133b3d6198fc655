"""The picture of the threshold: every number that it shows is jaxlr's."""

import numpy as np
import pytest

from jaxlr import metrics
from jaxlr.metrics import figures
from tests.lecture_browser import BUNDLED, needs_chromium, played

pytestmark = [pytest.mark.float32_pass, needs_chromium]

CURVES = "rows => rows.map(([labels, scores]) => play.curve(labels, scores))"
AREAS = """rows => rows.map(([labels, scores]) => {
  const c = play.curve(labels, scores);
  return [play.area(c.fpr, c.recall), play.averagePrecision(c.precision, c.recall)];
})"""


def mailboxes():
    """Labels and scores: distinct, with ties, all tied, outside of [0, 1], and one positive."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1], [120, 40]))
    scores = rng.normal(labels, 1.0)
    return {
        "distinct": (labels, scores.round(4)),
        "ties": (labels, (1 / (1 + np.exp(-scores))).round(1)),
        "all tied": (labels, np.full(160, 0.25)),
        "one positive": (np.arange(9) == 4, np.array([3, 1, 4, 1, 5, 9, 2, 6, 5.0])),
    }


@pytest.fixture(scope="module")
def boxes():
    """The rows as JSON."""
    return [[np.asarray(y, int).tolist(), s.tolist()] for y, s in mailboxes().values()]


@pytest.fixture(scope="module")
def data(boxes):
    """What the page starts from: the rows with ties."""
    return dict(zip(("labels", "scores"), boxes[1], strict=True))


def test_every_threshold_is_jaxlrs(boxes, data, tmp_path):
    with played("threshold", data, tmp_path) as page:
        found, areas = page.evaluate(CURVES, boxes), page.evaluate(AREAS, boxes)
    for (labels, scores), curve, (area, average) in zip(boxes, found, areas, strict=True):
        labels, scores = np.array(labels), np.array(scores, np.float32)
        counts = metrics.confusion_matrix_at_thresholds(labels, scores)
        tables = np.stack(counts[:4], axis=-1).reshape(-1, 1, 2, 2)
        expected = counts._asdict() | {
            "accuracy": figures.accuracy(tables[:, 0]),
            "precision": figures.precision(tables)[:, 0],
            "recall": figures.recall(tables)[:, 0],
            "specificity": figures.specificity(tables)[:, 0],
            "f1": figures.f_beta(tables)[:, 0],
        }
        for name, values in expected.items():
            np.testing.assert_allclose(curve[name][1:], values, rtol=1e-6, err_msg=name)
        roc = metrics.roc_curve(labels, scores, drop_intermediate=False)
        np.testing.assert_allclose([curve["fpr"], curve["recall"]], roc[:2], rtol=1e-6)
        vertices = metrics.precision_recall_curve(labels, scores)
        np.testing.assert_allclose(curve["precision"][::-1], vertices.precision, rtol=1e-6)
        assert area == pytest.approx(float(metrics.roc_auc_score(labels, scores)), rel=1e-6)
        expected = float(metrics.average_precision_score(labels, scores))
        assert average == pytest.approx(expected, rel=1e-6)


def test_the_cheapest_threshold_is_the_least_of_all_costs(data, tmp_path):
    with played("threshold", data, tmp_path) as page:
        labels, scores = map(np.array, data.values())
        for alarm, miss in ((10, 1), (1, 10), (1, 1), (0, 0)):
            asked = "([y, s, a, m]) => play.costs(play.curve(y, s), a, m)"
            found = page.evaluate(asked, [*data.values(), alarm, miss])
            flagged = scores >= np.array([np.inf, *np.unique(scores)[::-1]])[:, None]
            alarms, misses = (flagged & (labels == 0)).sum(1), (~flagged & (labels == 1)).sum(1)
            costs = alarm * alarms + miss * misses
            np.testing.assert_allclose(found["all"], costs)
            assert found["best"] == costs.argmin()


def test_keys_move_the_threshold_and_the_address_brings_it_back(data, tmp_path):
    labels, scores = map(np.array, data.values())
    with played("threshold", data, tmp_path) as page:
        assert page.evaluate("location.hash") == ""
        page.focus("input[type=range]")
        page.keyboard.press("ArrowRight")
        threshold = float(page.inner_text("output"))
        assert threshold == scores[scores > 0.5].min()
        page.fill("label:has-text('miss costs') input", "30")
        page.click("button")
        page.wait_for_timeout(BUNDLED)
        told, address = page.inner_text("p[aria-live]"), page.evaluate("location.hash")
        page.fill("label:has-text('alarm costs') input", "-1")
        assert "between 0 and" in page.inner_text(".note")
        assert page.evaluate("location.hash") == address
    with played("threshold", data, tmp_path, address=address) as page:
        assert page.inner_text("p[aria-live]") == told
        threshold = float(page.inner_text("output"))
    table = metrics.confusion_matrix(labels, (scores >= threshold).astype(int))
    cost = int(10 * table[0, 1] + 30 * table[1, 0])
    assert f"{int(table[:, 1].sum())} of 160 flagged" in told
    assert f"cost {cost}." in told


@pytest.mark.parametrize("address", ["#play:threshold=spam&alarm=-3&miss=1e99", "#play:threshold="])
def test_a_wrong_address_is_ignored(data, tmp_path, address):
    with played("threshold", data, tmp_path, language="ru", address=address) as page:
        assert page.inner_text("output") == "0.5"
        assert page.input_value("input[type=number] >> nth=0") == "10"
        assert page.input_value("input[type=number] >> nth=1") == "1"


TABLES = {
    "label,score\n1,0.9\n0,0.2\n0,0.4\n": ([1, 0, 0], [0.9, 0.2, 0.4], ["0", "1"]),
    "0,5;ham\n\n0,75;spam\n-1;ham": ([0, 1, 0], [0.5, 0.75, -1], ["ham", "spam"]),
    "10\t-1\r\n9\t-2\r\n9\t3\r\n": ([1, 0, 0], [-1, -2, 3], ["9", "10"]),
}
REFUSED = {
    "": "no rows",
    "label,score\n": "no rows",
    "1,0.5\n1,0.7\n": "one class",
    "yes,no\nmaybe,so\nyes,9\n": "Two columns",
    "0.1,0.2\n0.3,0.4\n0.5,0.6\n": "Two columns",
    "a,1\nb,x\na,2\na,4": "one class",
}


def test_ones_own_file(data, tmp_path):
    """Read or refused, in a sentence; what was there stays where it is refused."""
    with played("threshold", data, tmp_path) as page:
        for text, (labels, scores, classes) in TABLES.items():
            found = page.evaluate("text => play.scored(text)", text)
            assert (found["labels"], found["scores"]) == (labels, scores)
            assert (found["classes"], found["notes"]) == (classes, [])
        for text, said in REFUSED.items():
            assert said in page.evaluate("text => play.scored(text).refused", text)
        found = page.evaluate("text => play.scored(text)", "l,s\n1,2\n0,x\n0,\n0,3\n1,4\n")
        assert found["labels"] == [1, 0, 1]
        assert ["line 4" in found["notes"][0], "line 3 (x)" in found["notes"][1]] == [True, True]

        told = page.inner_text("p[aria-live]")
        rows = [f"{i % 2},{i % 977 / 977 + i % 2}" for i in range(100_000)]
        for name, text in {"one.csv": "1,1\n1,2", "many.csv": "\n".join(rows)}.items():
            file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
            page.set_input_files("input[type=file]", [file])
            page.wait_for_function(
                f"document.querySelector('.note').textContent.includes('{name}')"
            )
            if name == "one.csv":
                assert page.inner_text("p[aria-live]") == told
        assert "of 100000 flagged" in page.inner_text("p[aria-live]")
        page.click("text=The letters again")
        assert page.inner_text("p[aria-live]") == told


def test_thirty_redraws_a_second(tmp_path):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 600)
    data = {"labels": labels.tolist(), "scores": rng.normal(labels).round(4).tolist()}
    with played("threshold", data, tmp_path) as page:
        took = page.evaluate("""() => {
          const slider = document.querySelector("input[type=range]"), began = performance.now();
          for (let value = 0; value < 60; value += 1) {
            slider.value = 10 * value;
            slider.dispatchEvent(new Event("input"));
            document.body.getBoundingClientRect();
          }
          return performance.now() - began;
        }""")
    assert took < 2000
