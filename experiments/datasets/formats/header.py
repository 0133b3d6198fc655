"""Whether a first row holds names, and which: of columns, and of an index that a writer added."""

import itertools
import re

from experiments.datasets.formats.numerals import is_whole, looks_numeric
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
    if _counts(rows):
        return True
    votes = _votes(rows)
    if votes:
        return sum(votes) > 0
    numeric, past = numeric_columns(body), _past_index(first, body)
    if len(numeric) == len(first):
        return len(first) > 2
    others = [i for i in range(len(first)) if i not in numeric]
    below = [{row[i] for row in body if i < len(row)} for i in range(len(first))]
    differ = len(set(first[past:])) == len(first) - past
    return differ and not any(first[i] in below[i] for i in others)


def surely_header(rows: list[list[str]]) -> bool:
    """Whether columns of numbers say that the first row holds names."""
    return sum(_votes(rows)) > 0


def completed(rows: list[list[str]]) -> list[list[str]]:
    """The rows with a cell more in the first, where it is names and one short of all others.

    R names no column for the names of the rows, which differ; and where every other row ends with
    an empty cell, it is the last that has no name.
    """
    first, body = rows[0], rows[1:]
    if not body or {len(row) for row in body} != {len(first) + 1}:
        return rows
    if not any(row[-1] for row in body):
        return [[*first, ""], *body]
    row_names = [row[0] for row in body]
    full = [["", *first], *body]
    are_names = len(set(row_names)) == len(row_names) and not surely_header(body)
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


def _counts(rows: list[list[str]]) -> bool:
    """Whether below an empty cell the first column counts the rows."""
    column = [row[0] for row in rows[1:]]
    return not rows[0][0] and any(
        column == [str(i + base) for i in range(len(column))] for base in (0, 1)
    )


def _past_index(first: list[str], body: list[list[str]]) -> int:
    """How many columns of row names stand in front of the columns that pandas numbered from 0."""
    front = sum(1 for _ in itertools.takewhile(lambda cell: not cell, first))
    numbered = (cell == str(i) or not looks_numeric(cell) for i, cell in enumerate(first[front:]))
    index = [tuple(row[:front]) for row in body]
    tells_apart = 2 * len(set(index)) >= len(index)
    is_real = any(looks_numeric(cell) and not is_whole(cell) for cells in index for cell in cells)
    is_index = len(first) - front > 1 and all(numbered) and tells_apart and not is_real
    return front if is_index else 0


def _votes(rows: list[list[str]]) -> list[int]:
    """What columns of numbers say for names on their top (1) or against them (-1)."""
    first, body = rows[0], rows[1:]
    past = _past_index(first, body)
    numeric = numeric_columns([row[: len(first)] for row in body])
    says_nothing = (*MISSING_TEXTS, "")
    told = [first[i] for i in numeric if first[i] not in (*says_nothing, str(i - past))]
    return [-1 if looks_numeric(cell) else 1 for cell in told]
