"""The picture of gradient descent: its numbers are the library's, its file door, its controls."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.lecture import a08_descent
from jaxlr import Batch, losses, metrics, models, optimizers
from tests.lecture_browser import ends, needs_chromium, played

pytestmark = [pytest.mark.once, needs_chromium]
SETS = a08_descent.play_sets()
STEPS = 120
MAKE = {
    "sgd": lambda rate: optimizers.sgd(rate),
    "momentum": lambda rate: optimizers.sgd(rate, momentum=0.9),
    "nesterov": lambda rate: optimizers.sgd(rate, momentum=0.9, nesterov=True),
    "momentum_ema": optimizers.momentum_ema,
    "adagrad": optimizers.adagrad,
    "adadelta": optimizers.adadelta,
    "rmsprop": optimizers.rmsprop,
    "adam": optimizers.adam,
}
POINTS = "{x1: s.x.map(r => r[0]), x2: s.x.map(r => r[1]), labels: s.labels}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with played("descent", {"sets": SETS}, tmp_path_factory.mktemp("descent")) as page:
        yield page


@pytest.fixture
def page(opened):
    visit(opened)
    return opened


def visit(page, address="#play:seed=1"):
    """The page from its beginning, as one who follows a link meets it."""
    url = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(url + address)
    page.wait_for_function("window.play !== undefined")


def after_a_rest(page):
    """What the address has once the hand rests."""
    page.wait_for_timeout(300)
    return page.evaluate("location.hash")


def run(page):
    """Why the run stopped."""
    page.get_by_role("button", name="Run").click()
    page.wait_for_function(
        """document.querySelector('[data-told="note"]').textContent.startsWith("Stopped")"""
    )
    return told(page, "note")


def told(page, name):
    return page.text_content(f'[data-told="{name}"]')


def test_the_pictures_steps_are_those_of_the_library(page):
    theirs = page.evaluate(
        f"""([s, names, steps]) => names.map(name => play.trajectory({POINTS},
            {{optimizer: name, rate: 0.3, batch: 12, l2: 0.05, seed: 3}}, steps))""",
        [SETS["imbalanced"], list(MAKE), STEPS],
    )
    order = jnp.asarray(theirs[0]["order"])
    with jax.enable_x64(True):
        batch = Batch(*map(jnp.asarray, SETS["imbalanced"].values()))
        risk = losses.risk(models.linear, losses.log_loss, l2=0.05)
        ours = jax.jit(
            lambda: [a08_descent.trajectory(risk, f(0.3), batch, order) for f in MAKE.values()]
        )()
        whole = jax.jit(jax.vmap(risk, in_axes=(0, None)))
        for picture, (params, seen) in zip(theirs, ours, strict=True):
            path = np.column_stack([params["w"], params["b"]])
            np.testing.assert_allclose(picture["params"], path, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(picture["losses"], seen, rtol=1e-6)
            np.testing.assert_allclose(picture["risks"], whole(params, batch), rtol=1e-6)


def test_an_epoch_of_the_picture_meets_each_row_at_most_once_and_is_a_new_shuffle(page):
    order = page.evaluate(
        """() => { const it = play.batches(10, 3, 7);
        return Array.from({length: 60}, () => it.next().value); }"""
    )
    epochs = np.reshape(order, (20, 9))
    assert all(len(set(rows)) == 9 for rows in epochs)
    assert len({tuple(rows) for rows in epochs}) == 20
    assert set(epochs.ravel()) == set(range(10))


def test_a_run_stops_by_itself_says_why_and_shows_the_librarys_figures(page):
    visit(page, "#play:set=overlapping&optimizer=adam&tol=0.01&pace=100")
    assert "gradient is shorter than 0.01" in run(page)
    steps, norm = told(page, "step"), float(told(page, "norm"))
    w1, w2, b = (float(w.replace("−", "-")) for w in told(page, "weights").split(","))
    x, labels = (np.array(part) for part in SETS["overlapping"].values())
    answer = x @ [w1, w2] + b > 0
    accuracy = float(metrics.accuracy_score(labels, answer))
    error = 1 / (1 + np.exp(-(x @ [w1, w2] + b))) - labels
    slope = np.append(error @ x, error.sum()) / len(x)
    assert norm < 0.01
    assert norm == pytest.approx(np.linalg.norm(slope), rel=0.05)  # from rounded weights
    address = after_a_rest(page)
    for _ in ("where it stopped", "where a link to it leads"):
        shown = [[int(told(page, f"{t}{p}")) for p in (0, 1)] for t in (0, 1)]
        np.testing.assert_array_equal(shown, metrics.confusion_matrix(labels, answer))
        assert told(page, "accuracy") == f"{100 * accuracy:.1f}%"
        assert told(page, "step") == steps
        visit(page, address)


def test_every_other_reason_to_stop(page):
    reasons = {
        "rule=fall&tol=0.01&rate=1&pace=100": "over 100 steps the risk fell by less than 0.01",
        "rule=most&most=37": "step 37: these are all",
        "rule=most&l2=1&rate=100&pace=100": "grown past all numbers",
    }
    stopped = {}
    for address, why in reasons.items():
        visit(page, f"#play:{address}")
        assert why in run(page)
        stopped[address] = int(told(page, "step").split()[0])
    first = next(iter(reasons))
    risks = page.evaluate(
        f"([s, steps]) => play.trajectory({POINTS}, {{rate: 1}}, steps).risks",
        [SETS["blobs"], stopped[first]],
    )
    falls = np.array(risks[:-100]) - risks[100:]
    assert falls[-1] < 0.01 <= falls[-2]


def test_what_the_address_has_wrong_is_ignored(page):
    visit(
        page,
        "#play:set=no&optimizer=__proto__&rate=-1&batch=1.5&l2=%20&rule=x&tol=nan&points=1*2&step=1e9",
    )
    assert told(page, "step") == "0 (0)"
    assert after_a_rest(page) == ""


def test_points_are_added_moved_changed_and_removed_by_keyboard_and_kept_in_the_address(page):
    def focused():
        return page.evaluate("document.activeElement.getAttribute('aria-label')")

    page.get_by_role("button", name="Add a point").click()
    before = focused()
    assert "point 81 of class 1" in before
    for key in ("ArrowLeft", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert "point 81 of class 0" in focused()
    assert focused().split("at")[1] != before.split("at")[1]
    page.keyboard.press("PageUp")
    page.keyboard.press("Delete")
    listed = "marks => marks.map(mark => mark.getAttribute('aria-label'))"
    labels = page.eval_on_selector_all("[role=button]", listed)
    assert len(labels) == sum(int(told(page, cell)) for cell in ("00", "01", "10", "11")) == 80
    visit(page, after_a_rest(page))
    assert page.eval_on_selector_all("[role=button]", listed) == labels


def test_a_click_adds_a_point_and_a_drag_moves_it(page):
    corner = page.locator("svg").first.bounding_box()
    scale = corner["width"] / 380
    x, y = corner["x"] + 90 * scale, corner["y"] + 30 * scale
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80 * scale, y, steps=3)
    page.mouse.up()
    marks = page.locator("[role=button]")
    assert marks.count() == 81
    at = [float(p) for p in marks.last.get_attribute("transform")[10:].split(")")[0].split()]
    np.testing.assert_allclose(at, [170, 30], atol=0.5)


def given(page, path, content):
    """What the page says of the file."""
    path.write_bytes(content)
    page.set_input_files('[data-told="file"]', path)
    said = """() => ["note", "file-note"].map(
        name => document.querySelector(`[data-told="${name}"]`).textContent)
        .find(text => text.startsWith("%s"))"""
    return page.wait_for_function(said % path.name).json_value()


FILES = {
    "semicolons and decimal commas": ("рост;вес;класс\r\n1,5;2;да\r\n-2;3e1;нет\r\n", None),
    "no header, tabs, quotes": ('1\t"2"\t0\n3\t4\t1\n', None),
    "a byte order mark": ("\ufeffa,b,class\n1,2,0\n3,4,1", None),
    "text in a number's cell": ("a,b,c\n1,2,x\noops,2,x\n3,4,y", "text"),
    "a missing cell": ("a,b,c\n1,2,x\n,2,x\n3,4,y\n1,2\n", "missing"),
    "three classes": ("1,2,a\n3,4,b\n5,6,c", "many"),
    "more columns": ("a,b,class,d,e\n1,2,0,z,9\n3,4,1,z,9", "chosen"),
    "one class": ("1,2,a\n3,4,a", "one"),
    "one column of numbers": ("1,p,a\n2,q,b", "columns"),
    "nothing": (" \n\n", "empty"),
    "only a header": ("a,b,c\n", "empty"),
    "a measurement for a class": (
        "\n".join(f"{i},{i * i % 7},{i / 8}" for i in range(1, 60)), "measured"
    ),
    "y, a coordinate": ("x,y,class\n1,2,0\n3,4,1\n5,2,1\n7,4,0", None),
    "y, the class": ("y,a,b\n0,1.5,2\n1,3,4.5\n1,5,2\n0,7,4", "chosen"),
    "an index": ("id,a,b,класс\n1,1.5,2\n1,3,4.5,0\n2,5,2,1", "missing chosen"),
    "infinity in the class": ("1,2,0\n3,4,1\n5,6,inf\n1,2,0", "text"),
    "classes in words": ("1,2,inf\n3,4,one\n5,6,inf", None),
    "numbers too large": ("a,b,class\n1,2,0\n3,1e200,1\n4,1e300,1", "huge"),
    "a number far out": ("a,b,c\n1,2,0\n3,4,1\n4,1e20,1\n5,6,0", "far"),
    "a few measurements": ("1,2,0.5\n3,4,1.5\n5,6,2.5\n7,8,3.5\n9,1,4.5", "measured"),
    "only bad rows": ("a,b,c\n1,,x\n,2,y\n3,,y\n,4,x", "nothing"),
}  # fmt: skip


def test_a_file_is_read_whatever_its_dialect_and_its_faults_are_named(page):
    answers = page.evaluate(
        """async (texts) => { const csv = await import("lecture/csv");
        return texts.map(csv.read).map((a) => ({...a,
            said: (a.refused ? [a.refused] : a.notes).map(csv.told)})); }""",
        [text for text, _ in FILES.values()],
    )
    for (name, (_, fault)), answer in zip(FILES.items(), answers, strict=True):
        refused = fault in ("one", "columns", "empty", "measured", "nothing", "huge")
        notes = [answer["refused"]] if refused else answer["notes"]
        assert [note["what"] for note in notes] == (fault or "").split(), name
        assert all(20 < len(said) < 120 for said in answer["said"]), name
    first, _, _, text, missing, many, chosen, *_ = answers
    assert (first["x1"], first["x2"], first["labels"]) == ([1.5, -2], [2, 30], [0, 1])
    assert first["classes"] == ["да", "нет"]
    assert text["notes"][0] == {"what": "text", "count": 1, "line": 3, "cell": "oops"}
    assert (missing["notes"][0]["count"], missing["x1"]) == (2, [1, 3])
    assert many["labels"] == [0, 0, 1]
    assert chosen["x2"] == [2, 4]
    answers = dict(zip(FILES, answers, strict=True))
    assert answers["y, a coordinate"]["names"] == ["x", "y", "class"]
    assert answers["y, the class"]["names"] == ["a", "b", "y"]
    assert answers["an index"]["names"] == ["a", "b", "класс"]
    assert answers["infinity in the class"]["notes"][0]["cell"] == "inf"
    assert answers["classes in words"]["classes"] == ["inf", "one"]
    assert "Column b has 1e200 on line 3" in answers["numbers too large"]["said"][0]


def test_a_files_note_stays_beside_the_set_whatever_its_encoding(page, tmp_path):
    table = "рост;вес;класс\n1,5;2;да\n-2;3;нет\n2;2;да\n"
    visit(page, "#play:pace=100")
    for encoding, note in (("utf-8", ""), ("windows-1251", "Read as Windows-1251")):
        given(page, tmp_path / "own.csv", table.encode(encoding))
        run(page)
        assert told(page, "file-note").startswith("own.csv: 3 points")
        assert note in told(page, "file-note")
        assert "A link doesn't carry" in told(page, "link-note")
        assert page.locator("th", has_text="answer нет").count() == 1
        page.locator("select", has_text="two clouds").select_option("blobs")
        assert told(page, "file-note") == told(page, "link-note") == ""


def test_a_link_says_what_it_leaves_behind(page):
    def step():
        page.get_by_role("button", name="One step").click()

    step()
    assert told(page, "link-note") == ""
    page.get_by_role("button", name="Add a point").click()
    assert "a link brings them back at step 0" in told(page, "link-note")
    step()
    assert "step=" not in after_a_rest(page)
    page.get_by_role("button", name="Back to step 0").click()
    assert told(page, "link-note") == ""
    step()
    seen, address = [told(page, name) for name in ("step", "risk", "weights")], after_a_rest(page)
    visit(page, address)
    assert [told(page, name) for name in ("step", "risk", "weights")] == seen
    for _ in range(70):
        page.get_by_role("button", name="Add a point").click()
    assert "150 points at most" in told(page, "link-note")
    assert "points=" not in after_a_rest(page)


def test_every_slider_reaches_its_ends(page):
    visit(page, "#play:optimizer=adam")
    found = ends(page)
    assert found == [
        ["1.000e−4", "100"], ["0", "0.999"], ["0", "1"], ["1.0e−8", "0.1"], ["10", "20000"]
    ]  # fmt: skip


def test_a_refused_file_leaves_the_points_and_a_large_one_is_drawn_in_part(page, tmp_path):
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(50, 9, 100_000), rng.normal(3, 2, 100_000)])
    labels = rows[:, 0] > 50

    def give(name, lines):
        return given(page, tmp_path / name, "\n".join(lines).encode())

    page.get_by_role("button", name="One step").click()
    before = told(page, "equation")
    said = give("one.csv", ["1,2,a", "3,4,a"])
    assert (
        said
        == "one.csv: All rows are of one class, a: two are needed. The points stay as they were."
    )
    assert told(page, "equation") == before
    page.evaluate("document.documentElement.lang = 'ru'")
    said = give("one.tsv", ["1\t2\ta", "3\t4\ta"])
    assert said == "one.tsv: Все строки одного класса, a: нужны два. Точки остались прежними."
    lines = [f"{a:.4f},{b:.4f},{int(y)}" for (a, b), y in zip(rows, labels, strict=True)]
    assert "Учатся все, нарисованы 400." in give("large.csv", ["a,b,class", *lines])
    page.evaluate("document.documentElement.lang = 'en'")
    assert page.locator("[role=button]").count() == 400
    page.get_by_role("button", name="One step").click()
    x = (rows - rows.mean(0)) / rows.std(0)
    w = 0.1 * np.append((labels - 0.5) @ x, (labels - 0.5).sum()) / len(x)  # SGD's first step
    shown = [float(part.replace("−", "-")) for part in told(page, "weights").split(",")]
    np.testing.assert_allclose(shown, w, rtol=2e-3, atol=1e-6)
