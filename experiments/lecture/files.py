"""What a website's files tell without a browser: where links lead, and what a page weighs."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

MOST_BYTES = 1_500_000  # of a page's first load
MOST_FIGURE = 300_000


class Page(NamedTuple):
    """What stands in one file.

    Attributes:
      text: its HTML.
      ids: what a link's fragment may name.
      links: where it leads.
      parts: the files that a browser loads with it.
    """

    text: str
    ids: set[str]
    links: list[str]
    parts: list[str]


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.parts = set(), [], []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.ids |= {told[name] for name in ("id", "name") if told.get(name)}
        if tag == "a" and told.get("href") is not None:
            self.links.append(told["href"])
        if tag in ("img", "script", "source", "iframe") and told.get("src"):
            self.parts.append(told["src"])
        if tag == "link" and told.get("rel") in ("stylesheet", "icon"):
            self.parts.append(told["href"])


def read(folder: Path) -> dict[Path, Page]:
    """Every page under the folder."""
    pages = {}
    for file in sorted(folder.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        reader = _Reader()
        reader.feed(text)
        pages[file.resolve()] = Page(text, reader.ids, reader.links, reader.parts)
    return pages


def faults(folder: Path) -> list[str]:
    """What is wrong with the files: a line each, none if all is well."""
    pages = read(folder)
    found = []
    for file, page in pages.items():
        name = file.relative_to(folder.resolve())
        found += [f"{name}: {fault}" for fault in _faults(file, page, pages)]
    return found


def _faults(file: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    found = [
        f"leads to {link}, which {why}" for link in page.links if (why := _lost(link, file, pages))
    ]
    loaded = [target for part in page.parts if (target := _target(part, file))]
    found += [f"loads {part}, an address outside" for part in page.parts if _is_outside(part)]
    found += [f"loads {part.name}, which is missing" for part in loaded if not part.exists()]
    styles = [part for part in loaded if part.suffix == ".css" and part.exists()]
    for style in styles:
        for address in re.findall(r'url\("?([^")]+)"?\)', style.read_text(encoding="utf-8")):
            loaded += [target] if (target := _target(address, style)) else []
    present = {part for part in loaded if part.exists()}
    weight = len(page.text.encode()) + sum(part.stat().st_size for part in present)
    if weight > MOST_BYTES:
        found.append(f"{weight:,} bytes on first load, more than {MOST_BYTES:,}")
    drawn = [
        len(drawing.encode()) for drawing in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)
    ]
    drawn += [part.stat().st_size for part in present if part.suffix in (".svg", ".png")]
    found += [f"a figure of {size:,} bytes" for size in drawn if size > MOST_FIGURE]
    return found


def _lost(link: str, file: Path, pages: dict[Path, Page]) -> str:
    """Why the link leads nowhere, or nothing."""
    if _is_outside(link):
        return "is outside"
    target = _target(link, file) or file
    if target not in pages:
        return "" if target.is_file() else "is missing"
    fragment = unquote(urlsplit(link).fragment)
    return f"has no #{fragment}" if fragment and fragment not in pages[target].ids else ""


def _target(link: str, file: Path) -> Path | None:
    """The file that an address on the page means; None: the page itself, or what it holds."""
    parts = urlsplit(link)
    return (
        (file.parent / unquote(parts.path)).resolve() if not parts.scheme and parts.path else None
    )


def _is_outside(link: str) -> bool:
    return urlsplit(link).scheme not in ("", "data") or bool(urlsplit(link).netloc)
