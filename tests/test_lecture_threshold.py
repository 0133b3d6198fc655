"""The picture of the threshold: every number that it shows is jaxlr's."""

import numpy as np
import pytest

from jaxlr import metrics
from jaxlr.metrics import figures
from tests.lecture_browser import BUNDLED, ends, needs_chromium, played

pytestmark = [pytest.mark.once, needs_chromium]

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


@pytest.mark.parametrize(
    "address",
    [
        "#play:threshold=spam&alarm=-3&miss=1e99",
        "#play:threshold=",
        "#play:threshold=%20&alarm=%20",
    ],
)
def test_a_wrong_address_is_ignored(data, tmp_path, address):
    with played("threshold", data, tmp_path, language="ru", address=address) as page:
        assert page.inner_text("output") == "0.5"
        assert page.input_value("input[type=number] >> nth=0") == "10"
        assert page.input_value("input[type=number] >> nth=1") == "1"
        assert page.evaluate("location.hash") == ""


TABLES = {
    "label,score\n1,0.9\n0,0.2\n0,0.4\n": ([1, 0, 0], [0.9, 0.2, 0.4], ["0", "1"]),
    "0,5;ham\n\n0,75;spam\n-1;ham": ([0, 1, 0], [0.5, 0.75, -1], ["ham", "spam"]),
    "id,score,class\n1,0.9,1\n2,0.8,1\n3,0.3,0": ([1, 1, 0], [0.9, 0.8, 0.3], ["0", "1"]),
    "flag,age,p,метка\n0,1.5,0.7,1\n1,2.5,0.2,0": ([1, 0], [0.7, 0.2], ["0", "1"]),
    "7,0.1,a\n8,0.2,b\n9,0.3,a\n5,0.3,a": ([0, 1, 0, 0], [0.1, 0.2, 0.3, 0.3], ["a", "b"]),
    "y,probability\n0,0.5\n1.0,0.6\n1,0.7": ([0, 1, 1], [0.5, 0.6, 0.7], ["0", "1"]),
    "10\t-1\r\n9\t-2\r\n9\t3\r\n": ([1, 0, 0], [-1, -2, 3], ["9", "10"]),
}
REFUSED = {
    "": "no rows",
    "label,score\n": "no rows",
    "1,0.5\n1,0.7\n": "one class",
    "label,score\n0,1\n1,1e308\n": "Column score has 1e308 on line 3",
    "yes,no\nmaybe,so\nyes,9\n": "Two columns",
    "0.1,0.2\n0.3,0.4\n0.5,0.6\n": "Two columns",
    "a,1\nb,x\na,2\na,4": "one class",
}


READ = """async (text) => {
  const { scored, told } = await import("lecture/csv"), found = scored(text);
  if (found.refused) return { refused: told(found.refused) };
  return { ...found, notes: found.notes.map(told) };
}"""


def test_ones_own_file(data, tmp_path):
    """Read or refused, in a sentence; what was there stays where it is refused."""
    with played("threshold", data, tmp_path) as page:
        for text, (labels, scores, classes) in TABLES.items():
            found = page.evaluate(READ, text)
            assert (found["labels"], found["scores"], found["classes"]) == (labels, scores, classes)
            wide = len(text.splitlines()[0].split(",")) > 2
            assert [note.split(":")[0] for note in found["notes"]] == [
                "Taken of the columns"
            ] * wide
        for text, said in REFUSED.items():
            assert said in page.evaluate(READ, text)["refused"]
        found = page.evaluate(READ, "l,s\n1,2\n0,x\n0,\ninf,1\n0,3\n1,4\n")
        assert found["labels"] == [1, 0, 1]
        assert ["line 4" in found["notes"][0], "line 3 (x)" in found["notes"][1]] == [True, True]

        told = page.inner_text("p[aria-live]")
        rows = [f"{i % 2},{i % 977 / 977 + i % 2}" for i in range(100_000)]
        for name, text in {"one.csv": "1,1\n1,2", "many.csv": "\n".join(rows)}.items():
            file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
            page.set_input_files("input[type=file]", [file])
            page.wait_for_function(
                f"document.getElementById('play').textContent.includes('{name}')"
            )
            if name == "one.csv":
                assert page.inner_text("p[aria-live]") == told
        assert "of 100000 flagged" in page.inner_text("p[aria-live]")
        page.click("text=The letters again")
        assert page.inner_text("p[aria-live]") == told


LECTURE = "id,score,class\n1,0.5,0\n2,0.1,0\n3,0.2,0\n4,0.6,1\n5,0.2,1\n6,0.3,1\n7,0.0,0\n"


def test_a_files_note_names_its_columns_and_stays(data, tmp_path):
    with played("threshold", data, tmp_path) as page:
        said = page.locator("[data-told=file]")
        for text, expected in {
            LECTURE.encode(): ("score", "AUC 0.7917"),
            "оценка;балл;метка\n0,5;1;да\n0,7;2;нет".encode("cp1251"): ("Windows-1251", "AUC 1;"),
            b"class,score\n0,1e17\n1,1e17": ("2 rows", "AUC 0.5"),
            b"class,score\n0,-1e30\n1,1e30": ("2 rows", "AUC 1"),
            b"class,score\n0,-5e-324\n1,0": ("2 rows", "AUC 1"),
        }.items():
            file = {"name": "own.csv", "mimeType": "text/csv", "buffer": text}
            page.set_input_files("input[type=file]", [file])
            page.wait_for_function(
                "text => document.querySelector('[data-told=file]').textContent.includes(text)",
                arg=expected[0],
            )
            page.wait_for_timeout(50)
            page.fill("label:has-text('miss costs') input", "2")
            assert said.inner_text().startswith("own.csv: ")
            assert "A link doesn't carry the file's rows." in said.inner_text()
            assert expected[1] in page.locator("#play").inner_text()
            assert "NaN" not in page.locator("#play").inner_html()
            ends(page)
        page.click("text=The letters again")
        assert said.inner_text() == ""


def test_the_threshold_asked_for_is_shown_before_the_hand_moves_it(tmp_path):
    data = {"labels": [0, 1, 0, 1], "scores": [0.1, 0.4, 0.5308, 0.9]}
    with played("threshold", data, tmp_path) as page:
        shown = page.locator("output")
        assert shown.inner_text() == "0.5"
        assert page.inner_text("p[aria-live]").startswith("2 of 4 flagged")
        for key, value in {"ArrowRight": "0.9", "ArrowLeft": "0.5308"}.items():
            page.locator("input[type=range]").press(key)
            assert shown.inner_text() == value


def test_a_cost_beyond_the_frame_is_told(data, tmp_path):
    with played("threshold", data, tmp_path) as page:
        page.fill("label:has-text('alarm costs') input", "100")
        assert "up to 12000 above the frame" in page.locator("#play").inner_text()
