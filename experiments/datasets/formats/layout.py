"""How a text is cut into cells: what separates and quotes them, and whether they hold line breaks.

A quote sign is one only where it opens a cell and another closes it; anywhere else it is a letter.
"""

import csv
import io
import itertools
import re
from collections import Counter
from typing import NamedTuple

from experiments.datasets.formats import header

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

    Where several separators do, it is one that makes all of them so; of these the one with the
    most columns of numbers; among equals the first of semicolon, tab, comma and blanks. The first
    row may be a cell short, if no layout does without.

    Args:
      text: UTF-8.
      separator: the one to try before all others.
      one_column: what nothing separates is one column. Labels may be several words, so blanks
        separate only quoted cells, and numbers from each other, from names or under a header.
    """
    for cuts, completed in itertools.product((separator or "", SEPARATORS), (False, True)):
        found = {}
        for cut, multiline in itertools.product(cuts, (False, True)):
            layout = Layout(cut, _quote(text, cut), multiline)
            rows = first_rows(text, layout)
            rows = header.completed(rows) if completed else rows
            if _agree(rows) and not (one_column and cut == " " and _are_words(text, rows)):
                is_exact = len(set(map(len, rows))) == 1
                merit = is_exact, len(header.numeric_columns(rows[1:]))
                found.setdefault(cut, (merit, layout))
        if found:
            return max(found.values(), key=lambda pair: pair[0])[1]
    if one_column:
        return Layout(ALONE, _quote(text, ALONE))
    return Layout("," if b"," in text.splitlines()[0] else " ")


def first_rows(text: bytes, layout: Layout) -> list[list[str]]:
    """The cells of the first rows, without outer blanks; of a single column, all."""
    is_alone = layout.separator == ALONE
    rows = mark(text if is_alone else _sample(text), layout).rows()
    rows = ([cell.strip() for cell in row] for row in rows)
    rows = (row for row in rows if len(row) > 1 or any(row))
    return list(itertools.islice(rows, None if is_alone else _ROWS))


def lines_of_first_row(text: bytes, layout: Layout) -> int:
    """How many lines the first row takes."""
    rows = mark(_sample(text), layout).rows()
    next(row for row in rows if len(row) > 1 or "".join(row).strip())
    return rows.line_num


class Marked(NamedTuple):
    """A text in which one character separates, and `quote` does nothing but quote."""

    text: bytes
    separator: str
    quote: str

    def rows(self):
        """Python's reader of the cells, row by row."""
        lines = io.StringIO(self.text.decode("utf-8", errors="replace"), newline="")
        return csv.reader(lines, delimiter=self.separator, quotechar=self.quote)


def mark(text: bytes, layout: Layout) -> Marked:
    """The text as CSV's standard has it: quoted cells between marks, one blank where many separate.

    A quote that the last line never closes is marked too, if it is the only one of its kind: the
    file may have been cut there.
    """
    quote = layout.quote.encode()
    if layout.separator != " " and is_standard(text, layout):
        return Marked(text, layout.separator, layout.quote)

    def replaced(found: re.Match) -> bytes:
        if found.lastgroup == "doubled":
            return sign + found["doubled"][1:-1].replace(2 * quote, quote) + sign
        if found.lastgroup == "escaped":
            return sign + re.sub(rb"\\([%b\\])" % quote, rb"\1", found["escaped"][1:-1]) + sign
        return {"edge": b"", "run": b" "}.get(found.lastgroup, sign)

    sign = MARK.encode()
    return Marked(_cells(text, layout).sub(replaced, text), layout.separator, MARK)


def is_standard(text: bytes, layout: Layout) -> bool:
    """Whether every cell with a quote sign is quoted as a whole, its own quotes doubled."""
    quote, ends = layout.quote.encode(), _ends(layout.separator)
    cell = rb"(?:%b|[^%b%b\r\n]*+)(?:[%b\r\n]|\Z)" % (_quoted(layout), quote, ends, ends)
    return quote not in text or bool(re.fullmatch(rb"(?:%b)*+" % cell, text))


def _quoted(layout: Layout) -> bytes:
    """What matches a cell between quotes, its own doubled."""
    quote = layout.quote.encode()
    inner = quote if layout.multiline else quote + rb"\r\n"
    return rb"%b[^%b]*+(?:%b[^%b]*+)*+%b" % (quote, inner, 2 * quote, inner, quote)


def _cells(text: bytes, layout: Layout) -> re.Pattern[bytes]:
    """What matches quoted cells, and where blanks separate, their runs."""
    by_blanks = layout.separator == " "
    quote, ends = layout.quote.encode(), _ends(layout.separator)
    blanks = b"" if by_blanks else b" *+" if layout.separator == "\t" else rb"[ \t]*+"
    start, end = rb"(?<![^%b\r\n])" % ends + blanks, blanks + rb"(?![^%b\r\n])" % ends
    inner = quote if layout.multiline else quote + rb"\r\n"
    found = [rb"%b(?P<doubled>%b)%b" % (start, _quoted(layout), end)]
    if re.search(rb"\\%b[^%b%b\r\n]" % (quote, quote, ends), text):  # not C:\ at a cell's end
        escaped = rb"(?P<escaped>%b(?:[^%b\\]|\\.)*+%b)" % (quote, inner, quote)
        found.insert(0, start + escaped + end)
    open_at = re.search(rb"%b%b(?=[^%b\r\n]*[\r\n]*\Z)" % (start, quote, quote), text)
    if open_at and is_standard(text[: open_at.start()], layout):
        found.append(open_at.re.pattern)
    if by_blanks:
        found += [rb"(?P<edge>(?<![^\r\n])[ \t]++|[ \t]++(?![^\r\n]))", rb"(?P<run>[ \t]++)"]
    return re.compile(b"|".join(found), re.S)


def _quote(text: bytes, separator: str) -> str:
    """The sign that quotes: a single one if a cell of the first line is so quoted, none doubly.

    And only if no cell begins with one that is a letter, as in 't Hooft.
    """
    marked = mark(_sample(text), Layout(separator, "'"))
    first = marked.text.splitlines()[0]
    letter = rb"(?<![^%b\r\n])[ \t]*'" % _ends(separator)
    is_letter = marked.quote == MARK and re.search(letter, marked.text)
    return "'" if marked.quote.encode() in first and b'"' not in first and not is_letter else '"'


def _ends(separator: str) -> bytes:
    """What ends a cell besides line breaks, for use in a set of characters."""
    return b" \t" if separator == " " else re.escape(separator.encode())


def _agree(rows: list[list[str]]) -> bool:
    counts = [len(row) for row in rows]
    usual, times = Counter(counts).most_common(1)[0]
    return usual > 1 and 2 * times >= len(counts) and counts[0] == usual


def _are_words(text: bytes, rows: list[list[str]]) -> bool:
    """Whether blanks are those between the words of labels, as in red fox or type 2."""
    numeric = header.numeric_columns(rows[1:])
    if b'"' in _sample(text) or 0 in numeric or (numeric and header.looks_like_header(rows)):
        return False
    return not numeric or len({row[0] for row in rows}) < len(rows)


def _sample(text: bytes) -> bytes:
    """The first lines, the last of them whole."""
    head = text[:_SAMPLE]
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head if len(text) <= _SAMPLE or end < 0 else head[:end]
