"""How a text is cut into cells: what separates and quotes them, and whether they hold line breaks.

A quote sign is one only where it opens a cell and another closes it; anywhere else it is a letter.
"""

import csv
import io
import itertools
import re
from collections import Counter
from typing import NamedTuple

from experiments.datasets import header

SEPARATORS = ";\t, "
ALONE = "\x1f"  # separates nothing: no text holds a control character
MARK = "\x02"  # stands for the quote signs around cells, once found: no text holds it either
_SAMPLE = 1 << 16  # bytes that decide
_ROWS = 100  # rows that decide


class Layout(NamedTuple):
    """How a text is cut; the separator " " is a run of blanks and tabs."""

    separator: str
    quote: str = '"'
    multiline: bool = False  # whether quoted cells may hold line breaks


def sniff(text: bytes, separator: str | None = None, *, one_column: bool = False) -> Layout:
    """The layout in which most of the first rows have as many cells as the very first.

    Where several separators do, it is the one that makes the most columns of numbers; among equals
    the first of semicolon, tab, comma and blanks. Line breaks lie within cells only where lines
    alone make no table. The first row may be a cell short, if no layout does without.

    Args:
      text: UTF-8.
      separator: the only one to try; None: all.
      one_column: what nothing separates is one column; and as labels may be several words, blanks
        separate only where a column is numbers or a cell is quoted.
    """
    for completed in (False, True):
        found = []
        for cut, multiline in itertools.product(separator or SEPARATORS, (False, True)):
            layout = Layout(cut, _quote(text, cut), multiline)
            rows = first_rows(text, layout)
            rows = header.completed(rows) if completed else rows
            if _agree(rows) and not (one_column and cut == " " and _are_words(text, rows)):
                found.append((layout, len(header.numeric_columns(rows[1:]))))
        if found:
            return max(found, key=lambda pair: pair[1])[0]
    if one_column and separator is None:
        return Layout(ALONE, _quote(text, ALONE))
    return Layout(separator or ("," if b"," in text.splitlines()[0] else " "))


def first_rows(text: bytes, layout: Layout) -> list[list[str]]:
    """The cells of the first rows, without outer blanks; of a single column, all."""
    is_alone = layout.separator == ALONE
    marked, _ = mark(text if is_alone else _sample(text), layout)
    rows = ([cell.strip() for cell in row] for row in reader(marked, layout))
    rows = (row for row in rows if len(row) > 1 or any(row))
    return list(itertools.islice(rows, None if is_alone else _ROWS))


def lines_of_first_row(text: bytes, layout: Layout) -> int:
    """How many lines the first row takes."""
    rows = reader(mark(_sample(text), layout)[0], layout)
    next(row for row in rows if len(row) > 1 or "".join(row).strip())
    return rows.line_num


def reader(marked: bytes, layout: Layout):
    """Python's reader of a marked text, row by row."""
    lines = io.StringIO(marked.decode("utf-8", errors="replace"), newline="")
    return csv.reader(lines, delimiter=layout.separator, quotechar=MARK)


def mark(text: bytes, layout: Layout) -> tuple[bytes, int]:
    """The text with MARK for the signs that quote, and how many line breaks these enclose.

    Doubled or escaped quotes within a cell become single, and runs of blanks that separate one.
    A quote that the last line never closes is marked too: the file may have been cut there.
    """
    breaks = 0

    def replaced(found: re.Match) -> bytes:
        nonlocal breaks
        if found.lastgroup == "doubled":
            inner = found["doubled"].replace(2 * quote, quote)
        elif found.lastgroup == "escaped":
            inner = re.sub(rb"\\(.)", rb"\1", found["escaped"], flags=re.S)
        else:
            return {"edge": b"", "run": b" "}.get(found.lastgroup, MARK.encode())
        breaks += len((inner + b".").splitlines()) - 1
        return MARK.encode() + inner + MARK.encode()

    quote = layout.quote.encode()
    if quote in text or layout.separator == " ":
        text = _cells(text, layout).sub(replaced, text)
    return text, breaks


def _cells(text: bytes, layout: Layout) -> re.Pattern[bytes]:
    """What matches quoted cells, and where blanks separate, their runs."""
    by_blanks = layout.separator == " "
    quote, ends = layout.quote.encode(), _ends(layout.separator)
    blanks = b"" if by_blanks else b" *+" if layout.separator == "\t" else b"[ \t]*+"
    start, end = rb"(?<![^%b\r\n])" % ends + blanks, blanks + rb"(?![^%b\r\n])" % ends
    inner = quote if layout.multiline else quote + rb"\r\n"
    doubled = rb"%b(?P<doubled>[^%b]*+(?:%b[^%b]*+)*+)%b" % (quote, inner, 2 * quote, inner, quote)
    escaped = rb"%b(?P<escaped>(?:[^%b\\]|\\.)*+)%b" % (quote, inner, quote)
    has_escapes = re.search(rb"\\%b[^%b%b\r\n]" % (quote, quote, ends), text)  # C:\ may end a cell
    kinds = [escaped, doubled] if has_escapes else [doubled]
    found = [start + kind + end for kind in kinds]
    found.append(start + rb"%b(?=[^%b\r\n]*[\r\n]*\Z)" % (quote, quote))
    if by_blanks:
        found += [rb"(?P<edge>(?<![^\r\n])[ \t]++|[ \t]++(?![^\r\n]))", rb"(?P<run>[ \t]++)"]
    return re.compile(b"|".join(found), re.S)


def _quote(text: bytes, separator: str) -> str:
    """The sign that quotes: a single one if a cell of the first line is so quoted, none doubly.

    And only if no cell begins with one that is a letter, as in 't Hooft.
    """
    marked, _ = mark(_sample(text), Layout(separator, "'"))
    first = marked.splitlines()[0]
    letter = rb"(?<![^%b\r\n])[ \t]*'" % _ends(separator)
    is_single = MARK.encode() in first and b'"' not in first and not re.search(letter, marked)
    return "'" if is_single else '"'


def _ends(separator: str) -> bytes:
    """What ends a cell besides line breaks, for use in a set of characters."""
    return b" \t" if separator == " " else re.escape(separator.encode())


def _agree(rows: list[list[str]]) -> bool:
    counts = [len(row) for row in rows]
    usual, times = Counter(counts).most_common(1)[0]
    return usual > 1 and 2 * times >= len(counts) and counts[0] == usual


def _are_words(text: bytes, rows: list[list[str]]) -> bool:
    return not header.numeric_columns(rows[1:]) and b'"' not in _sample(text)


def _sample(text: bytes) -> bytes:
    """The first lines, the last of them whole."""
    head = text[:_SAMPLE]
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head if len(text) <= _SAMPLE or end < 0 else head[:end]
