"""How a text is cut into cells: what separates them, and what quotes them."""

import csv
import io
import itertools
import re
from collections import Counter
from typing import NamedTuple

from experiments.datasets.formats import header

SEPARATORS = ";\t, "
ALONE = "\x1f"  # separates nothing: no text holds a control character
_SAMPLE = 1 << 16  # bytes that decide
_ROWS = 100  # rows that decide
csv.field_size_limit(1 << 24)  # bytes, as many as a block of Arrow's


class Cut(NamedTuple):
    """A text in which one character separates cells, and `quote` does nothing but quote."""

    text: bytes
    separator: str
    quote: str | None  # None: quote signs are letters

    def rows(self):
        """Python's reader of the cells, row by row."""
        lines = io.TextIOWrapper(io.BytesIO(self.text), "utf-8", "replace", newline="")
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.separator, quotechar=self.quote, quoting=quoting)

    def first_rows(self) -> list[list[str]]:
        """The cells of the first rows, without outer blanks; of a single column, all."""
        rows = ([cell.strip() for cell in row] for row in self.rows())
        rows = (row for row in rows if len(row) > 1 or any(row))
        return list(itertools.islice(rows, None if self.separator == ALONE else _ROWS))

    def lines_of_first_row(self) -> int:
        """How many lines the first row takes."""
        rows = self.rows()
        next(row for row in rows if len(row) > 1 or "".join(row).strip())
        return rows.line_num


def sniff(text: bytes, separator: str | None = None, *, one_column: bool = False) -> str:
    """The separator by which most of the first rows have as many cells as the very first.

    Where several do, it is one that makes all of them so; of these the one with the most columns
    of numbers; among equals the first of semicolon, tab, comma and blanks. The first row may be a
    cell short, if no separator does without.

    Args:
      text: UTF-8.
      separator: the one to try before all others.
      one_column: what nothing separates is one column. Labels may be several words, so blanks
        separate only quoted cells, and numbers from each other, from names or under a header.
    """
    sample = _sample(text)
    for separators, is_short in itertools.product((separator or "", SEPARATORS), (False, True)):
        merits = {}
        for tried in separators:
            rows = cut(sample, tried).first_rows()
            rows = header.completed(rows) if is_short else rows
            if _agree(rows) and not (one_column and tried == " " and _are_words(sample, rows)):
                is_exact = len(set(map(len, rows))) == 1
                merits[tried] = is_exact, len(header.numeric_columns(rows[1:]))
        if merits:
            return max(merits, key=merits.get)
    if one_column:
        return ALONE
    return "," if b"," in text.splitlines()[0] else " "


def cut(text: bytes, separator: str) -> Cut:
    """The text as CSV's standard has it, cells quoted as a whole and quotes in them doubled.

    It may have blanks around quotes, or quotes escaped as R does. Where quotes make no sense in
    every row, they are letters in every row. A run of blanks and tabs is one separator " ".
    """
    for quote in (b"'", b'"') if text.startswith(b"'") else (b'"',):
        for mend in (_as_it_is, _without_blanks, _doubled):
            mended = mend(text, separator, quote)
            if _is_standard(mended, separator, quote):
                return Cut(_single(mended, separator, quote), separator, quote.decode())
    return Cut(_single(text, separator, b""), separator, None)


def _as_it_is(text: bytes, separator: str, quote: bytes) -> bytes:
    return text


def _without_blanks(text: bytes, separator: str, quote: bytes) -> bytes:
    ends = _ends(separator)
    outer = rb"(?<![^%b\r\n]) +(?=%b)|(?<=%b) +(?![^%b\r\n])" % (ends, quote, quote, ends)
    return re.sub(outer, b"", text)


def _doubled(text: bytes, separator: str, quote: bytes) -> bytes:
    def instead(found: re.Match) -> bytes:
        return found[1].replace(quote, 2 * quote)

    return re.sub(rb"\\([\\%b])" % quote, instead, text)


def _is_standard(text: bytes, separator: str, quote: bytes) -> bool:
    """Whether a cell that begins with a quote is quoted as a whole, its own quotes doubled.

    A cell may hold line breaks, unless every line is as good a row as any.
    """
    if quote not in text:
        return True
    ends = _ends(separator)
    widths = {line.count(separator.encode()) for line in text.splitlines() if line.strip()}
    inner = quote + rb"\r\n" * (len(widths) == 1)
    quoted = rb"%b[^%b]*+(?:%b[^%b]*+)*+%b" % (quote, inner, 2 * quote, inner, quote)
    cell = rb"(?:%b|(?! *%b)[^%b\r\n]*+)(?:[%b\r\n]|\Z)" % (quoted, quote, ends, ends)
    return bool(re.fullmatch(rb"(?:%b)*+" % cell, text))


def _single(text: bytes, separator: str, quote: bytes) -> bytes:
    """The text with one blank where many separate, and none at the ends of lines."""
    if separator != " ":
        return text
    edge = rb"(?<![^\r\n])[ \t]+|[ \t]+(?![^\r\n])"
    if not quote or quote not in text:
        return re.sub(rb"[ \t]+", b" ", re.sub(edge, b"", text))
    quoted = rb"%b[^%b]*%b" % (quote, quote, quote)
    found = rb"(%b)|(%b)|[ \t]+" % (quoted, edge)
    return re.sub(found, lambda at: at[1] or (b" " if at[2] is None else b""), text)


def _ends(separator: str) -> bytes:
    """What ends a cell besides line breaks, for use in a set of characters."""
    return b" \t" if separator == " " else re.escape(separator.encode())


def _agree(rows: list[list[str]]) -> bool:
    counts = [len(row) for row in rows]
    usual, times = Counter(counts).most_common(1)[0]
    return usual > 1 and 2 * times >= len(counts) and counts[0] == usual


def _are_words(sample: bytes, rows: list[list[str]]) -> bool:
    """Whether blanks are those between the words of labels, as in red fox or type 2."""
    numeric = header.numeric_columns(rows[1:])
    if b'"' in sample or 0 in numeric or (numeric and header.looks_like_header(rows)):
        return False
    return not numeric or len({row[0] for row in rows}) < len(rows)


def _sample(text: bytes) -> bytes:
    """The first lines, the last of them whole."""
    head = text[:_SAMPLE]
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head if len(text) <= _SAMPLE or end < 0 else head[:end]
