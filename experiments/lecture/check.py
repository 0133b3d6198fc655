"""Opens every page of the lectures' site in a browser, and says what is wrong, a line each.

Example: python -m experiments.lecture.check --site out/lecture
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from experiments.kit import commands
from experiments.kit.clock import Clock
from experiments.kit.mistakes import SettingError
from experiments.lecture import browser, files

LOOKS = (("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360))
ONCE = (("light", 1280), ("dark", 360))  # between them each width and each theme
HEIGHT = {1280: 800, 360: 740}
AXE = "axe-core@4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
SLOWEST = 30  # redraws a second

SLIDES = 'a[href^="?slides"]'
ASKED = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Settings:
    """What the command may be told."""

    NAME: ClassVar[str] = "experiments.lecture.check"

    site: str = "out/lecture"
    """folder of the website"""
    cache: str = "out/npm"
    """where axe-core is kept"""


def faults(
    folder: Path,
    axe: Path | None = None,
    *,
    looks: Sequence[tuple[str, int]] = LOOKS,
    told: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Everything that is wrong with the site.

    Args:
      folder: of the site.
      axe: the file axe.min.js, whose rules are asked too; None: they aren't.
      looks: (colour scheme, width) in which each page is opened.
      told: hears of each fault as it is found.
    """
    folder = folder.resolve()
    found = []

    def add(lines):
        for line in lines:
            found.append(line)
            told(line)

    add(files.faults(folder))
    with browser.browser() as opened:
        page = opened.new_page()
        said = _listen(page)
        for file in sorted(folder.rglob("*.html")):
            for look in looks:
                place = f"{file.relative_to(folder)} ({look[0]}, {look[1]})"
                seen = _look(
                    page, file, look, axe if look in ONCE else None, first=look == looks[0]
                )
                add(f"{place}: {fault}" for fault in seen + said)
                said.clear()
    return found


def _listen(page) -> list[str]:
    """What the page will say, and ask of others, from now on."""
    said = []
    page.on("console", lambda message: said.append(f"says {message.text!r}"))
    page.on("pageerror", lambda error: said.append(f"fails with {error}"))
    page.on("requestfailed", lambda request: said.append(f"does not get {request.url[:200]}"))
    page.on("request", lambda request: said.extend(_asked(request.url)))
    return said


def _asked(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [f"asks for {url[:200]}"]


def _look(page, file: Path, look: tuple[str, int], axe: Path | None, *, first: bool) -> list[str]:
    """Faults of one page in one look.

    A page with slides is loaded anew in each; the others have nothing that asks how wide they are.
    """
    scheme, width = look
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": HEIGHT[width]})
    if first or page.query_selector(SLIDES) or "?slides" in page.url:
        page.goto(file.as_uri())
        page.wait_for_load_state()
    found = _open(page, axe)
    if look == LOOKS[0] and page.query_selector("#play"):
        found += _redraws(page)
    if look in ONCE and page.query_selector(SLIDES):
        found += _slides(page, file, axe)
    return found


def _open(page, axe: Path | None) -> list[str]:
    """Faults of the page as it stands."""
    page.evaluate(ASKED)
    wide = page.evaluate("checks.wide()")
    found = [f"is wider than the screen: {wide}"] if wide else []
    found += [f"shows no {source}" for source in page.evaluate("checks.blank()")]
    if axe:
        page.evaluate(axe.read_text(encoding="utf-8"))
        found += page.evaluate("(rules) => checks.ruled(rules)", RULES)
    return found


def _redraws(page, seconds: float = 1.0, tries: int = 3) -> list[str]:
    """Whether the picture follows the hand: the best of some tries, since machines are shared."""
    slow = {}
    for _ in range(tries):
        rates = page.evaluate("(seconds) => checks.redraws(seconds)", seconds)
        slow = {name: rate for name, rate in rates.items() if rate < SLOWEST}
        if not slow:
            break
    return [
        f"{name}: {rate:.0f} redraws a second, fewer than {SLOWEST}" for name, rate in slow.items()
    ]


def _slides(page, file: Path, axe: Path | None) -> list[str]:
    """Faults of the part's slides and their films' frames, gone through by the keyboard."""
    found = []
    page.goto(f"{file.as_uri()}?slides=1")
    page.wait_for_load_state()
    page.evaluate(ASKED)
    count = int(page.text_content(".counter").split("/")[1])
    for number in range(1, count + 1):
        for frame in range(1, page.evaluate("checks.frames()") + 1):
            place = f"slide {number}" + (f", frame {frame}" if frame > 1 else "")
            address = page.evaluate("location.search")
            if address != f"?slides={number}":
                found.append(f"{place}: the address says {address}")
            page.wait_for_timeout(60)  # a picture draws itself anew in its new width
            seen = _open(page, axe if number == frame == 1 else None)
            if page.viewport_size["width"] > 1000:
                over = page.evaluate("document.documentElement.scrollHeight - innerHeight")
                seen += [f"is {over} pixels taller than the screen"] if over > 0 else []
                seen += [f"cuts {code!r}" for code in page.evaluate("checks.cut()")]
            found += [f"{place}: {fault}" for fault in seen]
            page.keyboard.press("PageDown")
    return found


def fetch_axe(cache: Path) -> Path | None:
    """The file of axe-core, by npm; None where there is none, with the reason said."""
    file = cache / "node_modules" / "axe-core" / "axe.min.js"
    kept = cache / "version.txt"
    if file.exists() and kept.exists() and kept.read_text() == AXE:
        return file
    if not shutil.which("npm"):
        print(f"accessibility is not checked: {AXE} comes with npm, which is not here")
        return None
    command = ["npm", "install", "--prefix", str(cache), "--no-audit", "--no-fund"]
    ran = subprocess.run([*command, "--ignore-scripts", AXE], capture_output=True, text=True)
    if ran.returncode:
        print(f"accessibility is not checked: npm gave no {AXE}: {ran.stderr.strip()[:300]}")
        return None
    kept.write_text(AXE)
    return file


def run(settings: Settings, clock: Clock) -> int:
    """Checks the site; 1 if anything is wrong with it."""
    folder = Path(settings.site)
    if not (folder / "index.html").exists():
        raise SettingError(f"{folder} has no index.html: make the site first, by make lecture")
    if not browser.CHROMIUM:
        raise SettingError("there is no chromium on the PATH to open the pages with")
    found = faults(
        folder, fetch_axe(Path(settings.cache)), told=lambda line: print(line, flush=True)
    )
    pages = len(list(folder.rglob("*.html")))
    print(
        f"{pages} pages in {len(LOOKS)} looks, {sum(clock.parts().values()):.0f} s:"
        f" {len(found) or 'no'} fault{'s' if len(found) != 1 else ''}"
    )
    return 1 if found else 0


def main(args=None) -> int:
    """The command."""
    return commands.main(Settings, __doc__, args, module=__name__)


if __name__ == "__main__":
    sys.exit(main())
