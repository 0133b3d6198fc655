"""What may stand around the rows of a table: blank lines, comments, Excel's first line `sep=;`."""

import re
from typing import NamedTuple

from experiments.datasets.formats import header, layout

_SEP = re.compile(rb'"?sep=([!-~\t ])"?[ \t]*(?:\r\n|\r|\n)', re.I)
_TOP = re.compile(rb"(?:#[^\r\n]*[\r\n]+)+")


class Body(NamedTuple):
    """A table's own text, the separator that it says it has, and what was left out above it."""

    text: bytes
    separator: str | None
    lines_above: int
    notes: tuple[str, ...]


def without(text: bytes, comment: str | None, *, one_column: bool = False) -> Body:
    """The text from its first row on.

    Lines that begin with `comment` are emptied wherever they are. So are, above the table, those
    that begin with # and are not cut into as many cells as its rows: a column may be called #, and
    numpy.savetxt writes names so.
    """
    if comment:
        begin = re.escape(comment.encode())
        text = re.sub(rb"(?<![^\r\n])[ \t]*%b[^\r\n]*" % begin, b"", text)
    below = text.lstrip(b"\r\n")
    sep = _SEP.match(below)
    below = below[sep.end() :].lstrip(b"\r\n") if sep else below
    separator = sep[1].decode() if sep else None
    kept, notes = [], ()
    top = _TOP.match(below)
    if top and below[top.end() :].strip():
        lines, below = list(filter(None, top[0].splitlines())), below[top.end() :]
        kept = _rows(lines, below, layout.sniff(below, separator, one_column=one_column))
        if len(kept) < len(lines):
            notes = (f"left out: {len(lines) - len(kept)} lines above the table that begin with #",)
    lines_above = len(text[: len(text) - len(below)].splitlines()) - len(kept)
    return Body(b"\n".join([*kept, below]), separator, lines_above, notes)


def _rows(lines: list[bytes], below: bytes, separator: str) -> list[bytes]:
    """Those of the lines with # that are rows of the table below them, or its names."""
    table = header.completed(layout.cut(below, separator).first_rows())
    width = len(table[0])
    has_names = sum(header.votes(table)) > 0 or (width == 1 and header.looks_like_header(table))
    rows = [line for line in lines if width > 1 and not line.startswith(b"# ")]
    if lines[-1].startswith(b"# ") and not has_names:
        rows.append(lines[-1].removeprefix(b"# "))
    return [r for r in rows if [*map(len, layout.cut(r, separator).first_rows())] == [width]]
