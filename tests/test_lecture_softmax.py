"""A7's picture to play with, in a browser, beside the library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import activations, losses
from tests.lecture_browser import BUNDLED, ends, needs_chromium, played

pytestmark = pytest.mark.once  # the float64 that it asks for is its own

DATA = {"scores": [2, 1, -1], "label": 2, "temperature": 1, "shift": 0}
EXTREMES = [
    [1000, -1000, 0], [1000, 1000, 1000], [-1000, -1000, -1000], [0, 0, 0], [30, 0, 0],
    [710, 709, -745], [-1000, 1000, 1000], [1e4, -1e4, 1e4],
]  # fmt: skip
NAMES = "softmax", "logSoftmax", "entropy", "loss", "gradient"


def cases():
    """Scores, labels and temperatures: random ones of many sizes, and the extremes."""
    rng = np.random.default_rng(0)
    sizes = np.repeat([0.1, 1, 10, 300], 40)[:, None]
    scores = np.concatenate([rng.normal(size=(160, 3)) * sizes, np.array(EXTREMES, float)])
    count = len(scores)
    temperatures = np.where(np.arange(count) % 3, np.exp(rng.uniform(-3, 3, count)), 1)
    return scores, rng.integers(0, 3, count), temperatures


@jax.jit
@jax.vmap
def library(scores, label, temperature):
    logits = scores / temperature
    p, log_p = activations.softmax(logits), activations.log_softmax(logits)

    def loss(scores):
        return losses.softmax_cross_entropy(scores / temperature, label)

    value, slope = jax.value_and_grad(loss)(scores)
    return p, log_p, -(p * log_p).sum(), value, slope


def asked(page, scores, labels, temperatures):
    """What the page says of every case, {name: [N] or [N, C]}."""
    script = """(cases) => cases.map(([scores, label, temperature]) => {
      const u = play.logits({ scores, temperature, shift: 0 });
      return [play.softmax(u), play.logSoftmax(u), play.entropy(u), play.loss(u, label),
        play.gradient(u, label, temperature)];
    })"""
    rows = zip(scores.tolist(), labels.tolist(), temperatures.tolist(), strict=True)
    return [np.array(column, float) for column in zip(*page.evaluate(script, [*rows]), strict=True)]


@needs_chromium
def test_the_picture_says_what_the_library_says(tmp_path):
    scores, labels, temperatures = cases()
    with played("softmax", DATA, tmp_path) as page:
        found = asked(page, scores, labels, temperatures)
    with jax.enable_x64(True):
        expected = library(jnp.asarray(scores), jnp.asarray(labels), jnp.asarray(temperatures))
    for name, one, other in zip(NAMES, found, expected, strict=True):
        # The library flushes to zero what is below the smallest normal number.
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-300, err_msg=name)


@needs_chromium
def test_float32_dies_where_numpys_does_and_the_shift_keeps_it(tmp_path):
    rng = np.random.default_rng(1)
    logits = (rng.normal(size=(100, 4)) * np.repeat([1, 30, 90, 300], 25)[:, None]).astype("f4")
    labels = rng.integers(0, 4, 100)
    script = "(cases) => cases.map(([u, y]) => [play.written32(u, y), play.stable32(u, y)]\
        .map(({ e, p, loss }) => [...e, ...p, loss].map(String)))"
    with played("softmax", DATA, tmp_path) as page:
        rows = zip(logits.tolist(), labels.tolist(), strict=True)
        written, stable = np.moveaxis(np.array(page.evaluate(script, [*rows]), float), 1, 0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        e = np.exp(logits)
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(100), labels])
    tiny = float(np.finfo(np.float32).tiny)
    expected = np.column_stack([e, p, loss])
    np.testing.assert_allclose(written, expected, rtol=1e-6, atol=tiny)
    assert np.isnan(written).any()
    assert np.isinf(written[:, -1]).any()
    p, _, _, loss, _ = library(jnp.asarray(logits), jnp.asarray(labels), jnp.ones(100))
    np.testing.assert_allclose(stable[:, 4:-1], p, rtol=2e-4, atol=tiny)  # u - max is rounded
    np.testing.assert_allclose(stable[:, -1], loss, rtol=1e-6, atol=1e-6)


def scores_of(page):
    """Those that the address holds, once it has been written."""
    page.wait_for_timeout(BUNDLED)
    return page.evaluate("new URLSearchParams(location.hash.slice(6)).get('scores').split(',')")


@needs_chromium
def test_the_hand_moves_scores_and_the_address_remembers(tmp_path):
    with played("softmax", DATA, tmp_path, language="ru") as page:
        said = page.locator("#play p").first
        first = said.inner_text()
        page.locator("circle[role=slider]").first.focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("PageDown")
        assert scores_of(page) == ["1.1", "1", "-1"]
        assert said.inner_text() != first
        box = page.locator("circle[role=slider]").nth(1).bounding_box()
        page.mouse.move(box["x"] + 8, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + 8, box["y"] + 60)
        page.mouse.up()
        assert float(scores_of(page)[1]) < 1
        page.locator("select").first.select_option("6")
        assert page.locator("circle[role=slider]").count() == 6
        page.locator("select").first.select_option("2")
        assert page.evaluate("document.querySelectorAll('#play select')[1].value") == "2"
        page.get_by_role("button").click()
        page.wait_for_function("location.hash === ''")
        assert said.inner_text() == first


@needs_chromium
def test_a_constant_moves_nothing_until_float32_overflows(tmp_path):
    with played("softmax", DATA, tmp_path) as page:
        said, note = page.locator("#play p").first, page.locator("#play .note")
        first, holds = said.inner_text(), note.inner_text()
        shift = page.locator("input[type=range]").nth(1)
        for value, word in (("80", holds), ("120", "overflows"), ("-150", "every e^u is 0")):
            shift.fill(value)
            assert said.inner_text() == first
            assert word in note.inner_text()


@needs_chromium
def test_what_is_no_score_is_refused(tmp_path):
    wrong = "#play:scores=inf,1,2&temperature=-1&shift=1e9&label=2.5"
    with played("softmax", DATA, tmp_path, address=wrong) as page:
        said = page.locator("#play p").first.inner_text()
        assert said.startswith("Loss 1.349")
        assert page.evaluate("location.hash") == ""
        score = page.locator("input[type=number]").first
        for text in ("", "1e5", "-10000.5"):
            score.fill(text)
            assert "finite number" in page.locator("#play .note").inner_text()
            assert page.locator("#play p").first.inner_text() == said
        score.press("Control+a")
        page.keyboard.type("-1e999")  # the browser's own infinity, on the way past -1
        assert "finite number" in page.locator("#play .note").inner_text()
        score.blur()
        assert (score.input_value(), scores_of(page)[0]) == ("-1", "-1")
        assert "finite number" not in page.locator("#play .note").inner_text()
        assert (
            page.evaluate(
                "['', '1', '1,x', '1,inf', '1,,2', '1e5,0', '1,2,3,4,5,6,7']\
            .map(play.scoresOf)"
            )
            == [None] * 7
        )
        score.fill("-1000")
        assert scores_of(page) == ["-1000", "1", "-1"]


@needs_chromium
def test_sliders_reach_their_ends_and_a_blank_is_no_number(tmp_path):
    address = "#play:shift=%20&temperature=2"
    with played("softmax", DATA, tmp_path, address=address) as page:
        assert page.evaluate("location.hash") == "#play:temperature=2"
        assert ends(page) == [["0.05", "20"], ["−200", "200"]]
