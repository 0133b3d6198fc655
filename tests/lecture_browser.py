"""Headless Chromium for the lectures' pages: what it says, and what it asks of the network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from experiments.lecture import browser, website

needs_chromium = pytest.mark.skipif(not browser.CHROMIUM, reason="there is no chromium on the PATH")

BUNDLED = 400  # milliseconds after which the address holds what was done last


@contextmanager
def played(
    name: str, data: dict, folder: Path, *, language: str = "en", address: str = ""
) -> Iterator:
    """The page of play/NAME.js alone, mounted on `data`; ends with an error if the page had one.

    Its module is `play` there: page.evaluate("play.trajectory(…)").

    Args:
      name: of the module.
      data: what it starts from, as the part's facts give it under "play".
      folder: where a file may be written.
      language: of the page.
      address: the state, "#play:rate=0.1".
    """
    file = folder / f"{name}.html"
    file.write_text(
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"/><title>{name}</title>'
        f'<script type="importmap">{website.import_map()}</script></head><body>'
        f'<div class="play" id="play"></div><script type="module">'
        f'import * as play from "lecture/{name}"; window.play = play;'
        f'play.mount(document.getElementById("play"), {json.dumps(data)});</script></body></html>'
    )
    with browser.browser() as opened:
        page = opened.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"file://{file}{address}")
        page.wait_for_function("window.play !== undefined")
        yield page
        assert not said, said


def ends(page) -> list[list[str]]:
    """What every slider that is shown says at its beginning and at its end."""
    found = []
    for slider in page.locator("label:has(input[type=range]):visible").all():
        shown = []
        for key in ("Home", "End"):
            slider.locator("input").press(key)
            shown.append(slider.locator("output").inner_text())
        found.append(shown)
    return found
