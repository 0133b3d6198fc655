"""The site of one part, opened in a browser; and that what opens it sees what is wrong."""

import pytest

from experiments.lecture import browser, check, website
from experiments.lecture.parts import PARTS
from tests.lecture_browser import needs_chromium

pytestmark = [needs_chromium, pytest.mark.float32_pass]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    part = next(part for part in PARTS if part.number == "A10")
    website.build(folder, None, (part,), modules=("metrics",))
    return folder


def test_every_page_is_well_in_both_languages_themes_and_widths(site):
    pages = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
    for page in ("a10_roc_auc", "index", "search"):
        assert {f"en/{page}.html", f"ru/{page}.html"} <= pages
    assert check.faults(site) == []


PLANTED = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>planted</title>
<link rel="icon" href="data:,"/><link rel="stylesheet" href="gone.css"/></head><body>
<script>console.error("planted words")</script><script>throw Error("planted error")</script>
<img src="gone.png" alt=""/> <img src="http://127.0.0.1:9/far.png" alt=""/>
<a href="nowhere.html">x</a> <a href="#nothing">x</a> <a href="https://example.org/">x</a>
<div style="width: 3000px">much too wide</div> <div style="overflow-x: auto"><pre>FINE</pre></div>
<svg><path d="FIGURE"/></svg><!-- MUCH -->
<div id="play"><label>slow <input type="range"/><output></output></label></div><script>
document.querySelector("input").addEventListener("input", (event) => {
  for (const end = performance.now() + 80; performance.now() < end;);
  document.querySelector("output").textContent = event.target.value;
});</script></body></html>"""
SEEN = (
    "says 'planted words'",
    "fails with planted error",
    "loads gone.png, which is missing",
    "loads gone.css, which is missing",
    "shows no",
    "does not get file:",
    "loads http://127.0.0.1:9/far.png, an address outside",
    "asks for http://127.0.0.1:9/far.png",
    "leads to nowhere.html, which is missing",
    "leads to #nothing, which has no #nothing",
    "leads to https://example.org/, which is outside",
    "is wider than the screen: div. “much too wide”",
    "a figure of 300,",
    "bytes on first load, more than 1,500,000",
    "slow: ",
)


def test_whatever_is_wrong_with_a_page_is_said(tmp_path):
    text = PLANTED.replace("FIGURE", "M0 0" + "L1 1" * 75_000).replace("MUCH", "x" * 1_300_000)
    (tmp_path / "planted.html").write_text(text.replace("FINE", "fine " * 300))
    found = check.faults(tmp_path, looks=check.LOOKS[:1])
    for words in SEEN:
        assert [fault for fault in found if words in fault], f"{words} in {found}"


SLIDES = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>slides</title>
<link rel="icon" href="data:,"/><script src="LECTURE"></script></head><body>
<button id="theme">theme</button><a href="?slides">slides</a><main><section><h1>A part</h1>
<section id="short"><h2>Short</h2><input type="range"/></section>
<section id="tall"><h2>Tall</h2>TALL</section></section></main></body></html>"""


@pytest.fixture
def slides(tmp_path):
    script = website.HERE / "theme" / "static" / "lecture.js"
    text = SLIDES.replace("LECTURE", script.as_uri()).replace("TALL", "<p>line</p>" * 90)
    file = tmp_path / "slides.html"
    file.write_text(text)
    return file


def test_a_slide_that_is_taller_than_the_screen_is_said(slides):
    found = check.faults(slides.parent, looks=check.LOOKS[:1])
    tall = [fault for fault in found if "taller than the screen" in fault]
    assert len(tall) == 1
    assert "slide 3: is" in tall[0]


SWIPE = """([from, to]) => {
  const at = (x) => [new Touch({identifier: 1, target: document.body, clientX: x, clientY: 300})];
  const told = (name, x) => document.body.dispatchEvent(new TouchEvent(name, {
    bubbles: true, touches: name === "touchstart" ? at(x) : [], changedTouches: at(x)}));
  told("touchstart", from); told("touchend", to);
}"""


def test_slides_go_by_keys_buttons_and_fingers_and_the_address_keeps_the_number(slides):
    with browser.browser() as opened:
        page = opened.new_page()

        def at():
            (shown,) = page.evaluate(
                "[...document.querySelectorAll('h1, h2')].filter("
                "(h) => h.checkVisibility()).map((h) => h.textContent)"
            )
            return page.evaluate("location.search"), shown

        page.goto(f"{slides.as_uri()}?slides=2")
        assert at() == ("?slides=2", "Short")
        for key, place in (
            ("ArrowRight", ("?slides=3", "Tall")),
            ("ArrowRight", ("?slides=3", "Tall")),
            ("Home", ("?slides=1", "A part")),
            (" ", ("?slides=2", "Short")),
            ("PageUp", ("?slides=1", "A part")),
            ("ArrowLeft", ("?slides=1", "A part")),
            ("End", ("?slides=3", "Tall")),
        ):
            page.keyboard.press(key)
            assert at() == place, key
        page.click("button[aria-label=Back]")
        assert at() == ("?slides=2", "Short")
        page.keyboard.press("ArrowLeft")  # the button has the focus, and needs no arrows
        assert at() == ("?slides=1", "A part")
        page.evaluate(SWIPE, [300, 100])
        assert at() == ("?slides=2", "Short")
        page.evaluate(SWIPE, [300, 280])
        assert at() == ("?slides=2", "Short")
        page.focus("input")
        page.keyboard.press("ArrowRight")  # the slider's own
        assert at() == ("?slides=2", "Short")
        page.keyboard.press("PageDown")  # a clicker's
        assert at() == ("?slides=3", "Tall")
        page.keyboard.press("Escape")
        page.wait_for_url(f"{slides.as_uri()}#tall")
