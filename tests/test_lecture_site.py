"""The site of one part, opened in a browser; and that what opens it sees what is wrong."""

import pytest

from experiments.lecture import browser, check, website
from experiments.lecture.parts import PARTS
from tests.lecture_browser import needs_chromium

pytestmark = [needs_chromium, pytest.mark.once]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    parts = tuple(part for part in PARTS if part.number in ("A9", "A10"))  # a picture and a film
    website.build(folder, None, parts, modules=("metrics",))
    return folder


def test_every_page_is_well_in_both_languages_themes_and_widths(site):
    pages = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
    for page in ("a09_metrics", "a10_roc_auc", "index", "search"):
        assert {f"en/{page}.html", f"ru/{page}.html"} <= pages
    assert check.faults(site) == []


STATE = "#play:alarm=3&miss=7"
SEEN_PLAY = """(() => {
  const box = document.getElementById("play")?.getBoundingClientRect();
  return box && box.top < innerHeight / 2 && box.bottom > innerHeight / 2; })()"""
MISS = 'Number(document.querySelectorAll("#play input[type=number]")[1]?.value)'


@pytest.fixture
def opened():
    """The page of the part, in a window of a projector."""
    with browser.browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(5000)
        yield page


def go(page, site, address):
    page.goto("about:blank")
    page.goto((site / "en").as_uri() + "/" + address)


def test_a_link_to_a_picture_leads_to_it_and_a_second_one_too(site, opened):
    go(opened, site, f"a09_metrics.html{STATE}")
    opened.wait_for_function(SEEN_PLAY)
    assert opened.evaluate(MISS) == 7
    opened.evaluate("scrollTo(0, 0); location.hash = '#play:miss=3'")
    opened.wait_for_function(f"{MISS} === 3")
    opened.wait_for_function(SEEN_PLAY)
    assert opened.url.endswith("#play:miss=3")
    go(opened, site, f"a09_metrics.html?slides{STATE}")
    assert opened.evaluate("document.getElementById('play').checkVisibility()")
    go(opened, site, f"a09_metrics.html?slides=2{STATE}")
    assert opened.text_content(".counter").startswith("2 ")


def test_the_pictures_state_goes_along_into_the_other_language_and_through_the_slides(site, opened):
    go(opened, site, f"a09_metrics.html{STATE}")
    opened.click("a.language")
    opened.wait_for_url(f"**/ru/a09_metrics.html{STATE}")
    assert opened.evaluate(MISS) == 7
    opened.locator("#play input[type=number]").nth(1).fill("8")
    opened.wait_for_function("location.hash.includes('miss=8')")
    state = opened.evaluate("location.hash").replace("miss=8", "miss=9")
    opened.locator("#play input[type=number]").nth(1).fill("9")
    opened.click("a.start")  # before what waits to be written has been
    opened.wait_for_url(f"**/ru/a09_metrics.html?slides=1{state}")
    opened.keyboard.press("PageDown")
    opened.wait_for_url(f"**/ru/a09_metrics.html?slides=2{state}")
    for leave in (
        lambda: opened.keyboard.press("Escape"),
        lambda: opened.click(".keys button >> nth=2"),
    ):
        go(opened, site, f"a09_metrics.html?slides=2{state}")
        title = opened.text_content("main > section > :not([hidden]) h2")
        leave()
        opened.wait_for_url(f"**/en/a09_metrics.html{state}")
        assert opened.evaluate(MISS) == 9
        top = opened.evaluate(
            "(title) => [...document.querySelectorAll('h2')].find("
            "(one) => one.textContent === title).getBoundingClientRect().top",
            title,
        )
        assert 0 <= top < 100  # at the section that was the slide


def test_a_film_opens_at_its_first_frame_and_goes_by_before_the_next_slide(site, opened):
    go(opened, site, "a10_roc_auc.html")
    frames = opened.locator("figure.film .frame")
    assert opened.text_content(".frames").startswith("Frame")
    assert frames.first.is_visible()
    assert not frames.last.is_visible()
    opened.emulate_media(media="print")
    assert frames.last.is_visible()
    assert not frames.first.is_visible()
    opened.emulate_media(media="screen")
    slide = opened.evaluate(
        "[...document.querySelectorAll('main > section > section')].findIndex("
        "(one) => one.querySelector('.film')) + 2"
    )
    go(opened, site, f"a10_roc_auc.html?slides={slide - 1}")

    def at():
        return opened.text_content(".counter"), opened.text_content("figure.film output")

    count = opened.text_content(".counter").split("/")[1]
    for keys in (("ArrowRight", "ArrowLeft"), ("PageDown", "PageUp")):
        opened.keyboard.press(keys[0])
        for frame in range(1, 7):
            assert at() == (f"{slide} /{count}", f"{frame} / 6")
            opened.keyboard.press(keys[0])
        assert at()[0] == f"{slide + 1} /{count}"
        for frame in range(6, 0, -1):
            opened.keyboard.press(keys[1])
            assert at() == (f"{slide} /{count}", f"{frame} / 6")
        opened.keyboard.press(keys[1])
        assert at()[0] == f"{slide - 1} /{count}"
    go(opened, site, f"a10_roc_auc.html?slides={slide}")
    opened.focus("figure.film input")
    opened.keyboard.press("ArrowRight")
    assert at() == (f"{slide} /{count}", "2 / 6")


def test_a_title_is_as_large_as_the_screen(site, opened):
    sizes = []
    for width, height in ((1280, 800), (1920, 1080)):
        opened.set_viewport_size({"width": width, "height": height})
        go(opened, site, "a10_roc_auc.html?slides=1")
        sizes.append(
            opened.evaluate(
                "parseFloat(getComputedStyle("
                "document.querySelector('.question p:last-child')).fontSize)"
            )
        )
        assert sizes[-1] >= height / 30


def test_on_a_telephone_nothing_is_under_the_buttons_of_the_slides(site, opened):
    opened.set_viewport_size({"width": 390, "height": 844})
    go(opened, site, "a10_roc_auc.html?slides=1")
    for _ in range(int(opened.text_content(".counter").split("/")[1])):
        opened.evaluate("scrollTo({top: 1e6, behavior: 'instant'})")
        under = opened.evaluate(
            "Math.max(...[...document.querySelectorAll('main > section > * *')].filter("
            "(one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().bottom))"
            " - document.querySelector('.keys').getBoundingClientRect().top"
        )
        assert under <= 1, opened.url
        opened.click(".keys button[aria-label=Next]")


def test_the_search_counts_what_it_found_and_knows_other_words(site, opened):
    for language, words, told in (
        ("en", "curve", "found"),
        ("ru", "кривая", "Найдено страниц: 3"),
        ("ru", "ранжирования", "Найдено страниц: 1"),
    ):
        opened.goto(f"{(site / language / 'search.html').as_uri()}?q={words}")
        opened.wait_for_selector("#search-results li a[href^=a10]")
        opened.wait_for_function(
            "(told) => document.querySelector('#search-results').textContent.includes(told)",
            arg=told,
        )


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
<button id="theme">theme</button><a href="?slides=1">slides</a><main><section><h1>A part</h1>
<section id="short"><h2>Short</h2><input type="range"/>CODE</section>
<section id="tall"><h2>Tall</h2>TALL</section></section></main></body></html>"""


@pytest.fixture
def slides(tmp_path):
    script = website.HERE / "theme" / "static" / "lecture.js"
    text = SLIDES.replace("LECTURE", script.as_uri()).replace("TALL", "<p>line</p>" * 90)
    file = tmp_path / "slides.html"
    file.write_text(text)
    return file


def test_a_slide_that_is_taller_than_the_screen_or_cuts_its_code_is_said(slides):
    code = f'<pre style="overflow-x: auto">{"code " * 300}</pre>'
    slides.write_text(slides.read_text().replace("CODE", code))
    found = check.faults(slides.parent, looks=check.LOOKS[:1])
    tall = [fault for fault in found if "taller than the screen" in fault]
    assert len(tall) == 1
    assert "slide 3: is" in tall[0]
    (cut,) = [fault for fault in found if "cuts" in fault]
    assert "slide 2: cuts 'code code" in cut


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
