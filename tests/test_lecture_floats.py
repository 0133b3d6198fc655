"""The floating-point picture and the table of first failures, beside NumPy and the library."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.lecture import b03_trick, ulps
from jaxlr import losses
from tests.lecture_browser import ends, needs_chromium, played

pytestmark = pytest.mark.once
GRID = np.concatenate(
    [[0.0, -800.0, 800.0, 1e-300, -1e-12, 0.5, 37.5, -37.5], np.linspace(-760, 700, 293)]
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with played(
        "floats", {"z": -20, "format": "float32"}, tmp_path_factory.mktemp("play")
    ) as opened:
        yield opened


def ran(page, code, values):
    """The JavaScript `code` of every x in `values`."""
    return page.evaluate(f"values => values.map(x => {code})", [float(x) for x in values])


def results(page, formula, format, values, key):
    code = f"play.{formula}(x, '{format}').find(step => step.key === '{key}').value"
    return np.array(ran(page, code, values), float)


@needs_chromium
def test_the_trick_in_float64_is_the_librarys(page):
    with jax.enable_x64(True):
        loss, slope = jax.jit(jax.vmap(jax.value_and_grad(losses.log_loss), (0, None)))(GRID, 1)
    found = results(page, "stable", "float64", GRID, "loss")
    np.testing.assert_allclose(found, loss, rtol=1e-14, atol=1e-307)  # XLA flushes subnormals
    found = results(page, "stable", "float64", GRID, "slope")
    np.testing.assert_allclose(found, slope, rtol=1e-14, atol=1e-307)


@needs_chromium
def test_the_trick_in_float32_is_the_librarys_to_a_few_ulps(page):
    z = GRID.astype(np.float32)
    loss, slope = jax.jit(jax.vmap(jax.value_and_grad(losses.log_loss), (0, None)))(z, 1)
    for key, ours in (("loss", loss), ("slope", slope)):
        found = results(page, "stable", "float32", z, key)
        assert np.array_equal(found, found.astype(np.float32))
        np.testing.assert_allclose(found, ours, rtol=4 * 2.0**-23, atol=2e-38)


@needs_chromium
@pytest.mark.parametrize("format", ["float16", "float32", "float64"])
def test_the_naive_formula_is_numpys_in_every_format(page, format):
    z = GRID.astype(format)
    z = z[abs(z) < 1e4]
    found, eps = results(page, "naive", format, z, "loss"), np.finfo(format).eps
    # e is off by an ulp or so, and near σ = 1 the logarithm keeps nothing but its rounding
    np.testing.assert_allclose(found, b03_trick.naive(z).astype(float), rtol=4 * eps, atol=4 * eps)


@needs_chromium
def test_float16_is_numpys_with_its_subnormals_and_ties(page):
    rng = np.random.default_rng(0)
    every = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(float)[::7]
    ties = (every[:-1] + every[1:]) / 2  # halfway between two numbers, or near it
    beside = np.nextafter(ties, rng.choice([-np.inf, np.inf], len(ties)))
    wide = rng.normal(size=3_000) * 10.0 ** rng.uniform(-330, 330, 3_000).clip(-320, 300)
    near = rng.normal(size=3_000) * 10.0 ** rng.uniform(-9, 6, 3_000)
    neighbours = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(float)[1::11]
    halves = neighbours[:-1] + np.diff(neighbours) / 22
    edge = [65519.99, 65520, 65535, 2.0**-25, 2.0**-24 * 1.5, 0.0, -0.0]
    x = np.concatenate([every, ties, beside, wide, near, neighbours, halves, edge, [-1e-5, -7e4]])
    found = ran(page, "play.round(x, 'float16')", x)
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(found, x.astype(np.float16).astype(float))


@needs_chromium
@pytest.mark.parametrize("format", ["float16", "float32", "float64"])
def test_bits_and_digits_are_those_that_are_stored(page, format):
    kind = np.dtype(format)
    tiny = float(np.finfo(kind).smallest_subnormal)
    x = np.array([0.1, -20, 1, 0, tiny, 3 * tiny, float(np.finfo(kind).max), np.inf, -1e-3], kind)
    stored = ran(page, f"play.bits(x, '{format}').join('')", x)
    assert stored == [f"{n:0{8 * kind.itemsize}b}" for n in x.view(f"u{kind.itemsize}").tolist()]
    assert page.evaluate("[2 ** -24, 2 ** 70, -0.375].map(play.decimal)") == [
        "5.9604644775390625·10⁻⁸", "1.180591620717411303424·10²¹", "−0.375",
    ]  # fmt: skip
    finite = x[np.isfinite(x)].tolist()
    for value, (sign, digits, power) in zip(
        finite, ran(page, "play.digits(x)", finite), strict=True
    ):
        exact = ulps.Decimal(value).as_tuple()
        assert (sign == "−") == bool(exact.sign)
        assert digits == "".join(map(str, exact.digits)).rstrip("0") or value == 0
        assert power == ulps.Decimal(value).adjusted() or value == 0


@needs_chromium
def test_errors_in_ulps_are_those_of_decimal_arithmetic(page):
    for format in ("float32", "float64"):
        z = np.linspace(-80, 80, 41).astype(format)
        loss = results(page, "naive", format, z, "loss")
        code = f"play.ulps(play.naive(x, '{format}').find(s => s.key === 'loss').value, "
        found = ran(page, code + f"play.exact(x).loss, '{format}')", z)
        exact = [ulps.log_loss(float(one)) for one in z]
        np.testing.assert_allclose(found, ulps.errors(loss, exact, np.dtype(format)), atol=1e-5)


@needs_chromium
def test_what_is_marked_is_what_fails(page):
    marks = {
        -100: ("overflow", "", "underflow", "died", ""),
        20: ("", "absorbed", "", "zero", "cancelled"),
        -20: ("", "swallowed", "", "", ""),
        1: ("",) * 5,
    }
    for z in (-800, *marks, 800):
        faults = page.evaluate(f"play.stable({z}, 'float32').map(s => s.fault)")
        assert set(faults) <= {"", "subnormal", "below"}
    for z, expected in marks.items():
        faults = page.evaluate(f"play.naive({z}, 'float32').slice(1).map(s => s.fault)")
        assert tuple(faults) == expected


@needs_chromium
def test_only_finite_numbers_are_read_and_the_last_one_stays(page):
    typed = [
        "−20",
        " 1e-3 ",
        "0,5",
        "+7.",
        "inf",
        "-Infinity",
        "NaN",
        "",
        "1e999",
        "0x10",
        "2 3",
        "z",
    ]
    found = page.evaluate("texts => texts.map(play.read)", typed)
    assert found == [-20, 1e-3, 0.5, 7, *[None] * 8]
    box = page.locator("#play input[type=text]")
    box.fill("12.5")
    assert page.evaluate("location.hash") == "#play:z=12.5"
    box.fill("twelve")
    assert "finite number" in page.locator("#play .note").inner_text()
    box.blur()
    assert (box.input_value(), page.evaluate("location.hash")) == ("12.5", "#play:z=12.5")


@needs_chromium
def test_the_address_brings_the_picture_back_and_is_ignored_where_it_is_wrong(page):
    file = page.url.split("#")[0]
    for address, z, format in (
        ("#play:z=9&format=float16", "9", "float16"),
        ("#play:z=many&format=decimal", "−20", "float32"),
        ("#play:z=1e6&format=constructor", "1000000", "float32"),
        ("#play:z=0", "0", "float32"),
        ("#play:z=%20", "−20", "float32"),
        ("#why", "−20", "float32"),
    ):
        page.goto("about:blank")
        page.goto(f"{file}{address}")
        page.wait_for_function("window.play !== undefined")
        assert page.locator("#play input[type=text]").input_value() == z
        assert page.locator("#play select").input_value() == format
        assert page.locator("#play tbody td").count() == 12
        if address == "#why":
            assert page.evaluate("location.hash") == address


@needs_chromium
def test_what_isnt_compared_is_said_in_words_and_the_slider_reaches_its_ends(page):
    box, note = page.locator("#play input[type=text]"), page.locator("#play .note")
    box.fill("1e6")
    assert "Beyond |z| = 900 errors in ulps aren't computed" in note.inner_text()
    assert page.locator("#play td", has_text="not computed").count() == 6
    assert page.locator("#play td", has_text="—").count() == 0
    page.locator("#play select").select_option("float16")
    assert "z itself overflows in float16" in note.inner_text()
    page.locator("#play select").select_option("float32")
    ends(page)
    assert box.input_value() == "800"
    page.locator("#play input[type=range]").press("Home")
    assert box.input_value() == "−800"


def test_the_table_of_first_failures():
    with jax.enable_x64(True):
        rows = {name: b03_trick._failures(dtype) for name, dtype in b03_trick.FORMATS.items()}
    for name, row in rows.items():
        dtype = b03_trick.FORMATS[name]
        info = jnp.finfo(dtype)
        # The exact borders, and the spacing of the format there.
        overflow, one = -math.log(float(info.max)), math.log(2 / float(info.eps))
        for found, border in ((row["overflow"], overflow), (row["one"], one)):
            assert found == pytest.approx(border, rel=2 * float(info.eps) + 1e-4 * (info.bits > 16))
        assert row["dead"] == row["overflow"]
        assert row["slope"] == pytest.approx(overflow / 2, rel=0.03)
        assert json.dumps(row)
