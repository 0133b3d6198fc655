"""Whether a first row holds names, and which: of columns, and of an index that a writer added."""

import itertools
import re

from experiments.datasets.formats.numerals import looks_numeric
from experiments.kit.settings import MISSING_TEXTS

_NAMELESS = re.compile(r"(Unnamed: [0-9.]+)?")  # what pandas calls a column without a name


def numeric_columns(rows: list[list[str]]) -> list[int]:
    """The columns in which most cells, gaps apart, look like numbers."""
    found = []
    for i in range(max(map(len, rows), default=0)):
        cells = [row[i] for row in rows if i < len(row) and row[i] not in (*MISSING_TEXTS, "")]
        if cells and 2 * sum(map(looks_numeric, cells)) > len(cells):
            found.append(i)
    return found


def looks_like_header(rows: list[list[str]]) -> bool:
    """Whether the first row holds names.

    Where a column is numbers below, a text on top speaks for names and a number against; the
    column's own position on top says nothing, because pandas names columns so, behind an index
    perhaps. Where that leaves it open, names are texts that differ from each other and from all
    below them.
    """
    first, body = rows[0], rows[1:]
    if not body:
        return not any(map(looks_numeric, first))
    told = votes(rows)
    if told:
        return sum(told) > 0
    numeric, front = numeric_columns(body), _front(first)
    if len(numeric) == len(first):
        return len(first) > 2
    below = [{row[i] for row in body if i < len(row)} for i in range(len(first))]
    differ = len(set(first[front:])) == len(first) - front
    return differ and not any(first[i] in below[i] for i in range(len(first)) if i not in numeric)


def votes(rows: list[list[str]]) -> list[int]:
    """What columns of numbers say for names on their top (1) or against them (-1)."""
    first, front = rows[0], _front(rows[0])
    numeric = numeric_columns([row[: len(first)] for row in rows[1:]])
    nothing = (*MISSING_TEXTS, "")
    told = [first[i] for i in numeric if first[i] not in (*nothing, str(i - front))]
    return [-1 if looks_numeric(cell) else 1 for cell in told]


def completed(rows: list[list[str]]) -> list[list[str]]:
    """The rows with a cell more in the first, where it is names and one short of all others.

    R names no column for the names of the rows, which differ; and where every other row ends with
    an empty cell, it is the last that has no name.
    """
    first, body = rows[0], rows[1:]
    if {len(row) for row in body} != {len(first) + 1}:
        return rows
    if not any(row[-1] for row in body):
        return [[*first, ""], *body]
    full = [["", *first], *body]
    are_names = len({row[0] for row in body}) == len(body) and not sum(votes(body)) > 0
    return full if are_names and looks_like_header(full) else rows


def names(first: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """A name for every column, and the names of those in front that the row leaves nameless."""
    given = []
    for i, cell in enumerate(first):
        name = cell or f"x{i}"
        while not cell and (name in first or name in given):
            name += "_"
        given.append(name)
    front = sum(1 for _ in itertools.takewhile(_NAMELESS.fullmatch, first))
    return given, tuple(given[:front]) if front < len(first) else ()


def _front(first: list[str]) -> int:
    """How many cells in front are empty."""
    return sum(1 for _ in itertools.takewhile(lambda cell: not cell, first))
