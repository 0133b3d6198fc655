"""The font of the formulas: the glyphs that the pages have, of STIX Two Math."""

import io
import re
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

# Found, not imported: the package warns of its own imports.
FONT = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
PRINTABLE = "".join(map(chr, range(0x20, 0x7F))) + "√"  # a root has no letter of its own


def write(folder: Path) -> None:
    """Writes math.woff where the styles of each language look for it."""
    pages = list(folder.rglob("*.html"))
    used = {c for page in pages for math in _formulas(page) for c in math} | set(PRINTABLE)
    options = subset.Options(layout_features=["*"])
    with TTFont(FONT) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=sorted(set(map(ord, used)) | set(map(ord, _italic(used)))))
        cutter.subset(font)
        font.flavor = "woff"
        out = io.BytesIO()
        font.save(out)
    for static in folder.glob("*/_static"):
        (static / "math.woff").write_bytes(out.getvalue())


def _formulas(page: Path) -> list[str]:
    return re.findall(r"<math.*?</math>", page.read_text(encoding="utf-8"), re.DOTALL)


def _italic(letters: set[str]) -> str:
    """MathML's single letters are set in italics, which are other glyphs."""
    italics = ""
    for letter in letters:
        for first, italic in (("a", 0x1D44E), ("A", 0x1D434), ("α", 0x1D6FC), ("Α", 0x1D6E2)):
            offset = ord(letter) - ord(first)
            if 0 <= offset < 26:
                italics += chr(italic + offset)
    return italics + "ℎ"
