"""CSV and its cousins: comma, semicolon, tab or blanks; with or without a header."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv

from experiments.datasets.errors import DataError, shown

# NaN is none of these: it is the answer of a failed computation, not an empty cell.
MISSING_TEXTS = ("", "NA", "N/A", "n/a", "<NA>", "#N/A", "?", "null", "NULL", "None")

_SAMPLE = 1 << 16  # bytes that decide separator and header
_BLOCK = 1 << 24  # bytes read at a time, more than any row has
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.I)
_NEVER = ["\0"]  # no cell reads so: truth values stay texts, hence class names


class Columns(NamedTuple):
    """A table as read, one Arrow column per column, and what had to be inferred to read it."""

    table: pa.Table
    notes: tuple[str, ...]


class Layout(NamedTuple):
    """How a text is cut into cells."""

    delimiter: str
    quote: str
    decimal: str


def read(text: bytes, path: Path, header: bool | None = None) -> Columns:
    """Cut the UTF-8 text into columns; `header` None looks whether the first line holds names."""
    text = text.lstrip(b"\r\n")
    layout = sniff(_sample(text))
    if layout.delimiter == " ":  # runs of blanks separate; the reader knows single characters
        text = b"\n".join(b" ".join(line.split()) for line in text.splitlines())
    rows = _cells(_sample(text), layout)
    has_names = looks_like_header(rows) if header is None else header
    names = _names(rows[0]) if has_names else [f"x{i}" for i in range(len(rows[0]))]
    if len(names) < 2:
        raise DataError(
            f"{shown(str(path))} has one column; separate features and target by comma, semicolon,"
            " tab or blanks"
        )
    if len(rows) == has_names:
        raise DataError(f"{shown(str(path))} has names but no rows; give a file with rows of data")
    table = _parse(text, path, layout, names, skip=int(has_names))
    notes = [] if has_names else ["no header: the columns are x0, x1, …"]
    breaks = sum(map(bool, text.splitlines())) - table.num_rows - has_names
    if breaks > 0:  # one stray quote can swallow rows
        notes.append(f"{breaks} line breaks lie inside quoted cells")
    return Columns(table, tuple(notes))


def sniff(sample: str) -> Layout:
    """The first separator that most lines agree on, the first line among them.

    Semicolons come before commas, because a comma may then be the decimal point.
    """
    lines = [line for line in sample.splitlines() if line.strip()][:100]
    single_quoted = lines[0].count("'") > 1 and '"' not in lines[0]
    quote = "'" if single_quoted else '"'
    delimiter = next((d for d in ";\t, " if _agrees(lines, d, quote)), None)
    delimiter = delimiter or ("," if "," in lines[0] else " ")
    has_decimal_comma = delimiter in ";\t " and re.search(r"\d,\d", sample)
    has_decimal_point = re.search(r"\d\.\d", sample)
    return Layout(delimiter, quote, "," if has_decimal_comma and not has_decimal_point else ".")


def _agrees(lines: list[str], delimiter: str, quote: str) -> bool:
    rows = _split(lines, Layout(delimiter, quote, "."))
    counts = [len(row) for row in rows]
    usual, times = Counter(counts).most_common(1)[0]
    return usual > 1 and 2 * times >= len(counts) and counts[0] == usual


def _sample(text: bytes) -> str:
    """The first lines, the last of them whole."""
    head = text[:_SAMPLE]
    if len(text) > _SAMPLE and b"\n" in head:
        head = head[: head.rindex(b"\n")]
    return head.decode("utf-8", errors="replace")


def _cells(sample: str, layout: Layout) -> list[list[str]]:
    lines = [line for line in sample.splitlines() if line.strip()][:100]
    return [[cell.strip() for cell in row] for row in _split(lines, layout)]


def _split(lines: list[str], layout: Layout) -> list[list[str]]:
    lines = [" ".join(line.split()) for line in lines] if layout.delimiter == " " else lines
    return list(csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote))


def looks_like_header(rows: list[list[str]]) -> bool:
    """Whether the first row holds names.

    Where a column is numbers below, a text on top speaks for names and a number against; the
    column's own index on top says nothing, because pandas names columns so. Where that leaves it
    open, names are texts that differ from each other and from all below them.
    """
    first, body = rows[0], rows[1:]
    if not body:
        return not any(_NUMBER.fullmatch(cell) for cell in first)
    columns = [[row[i] for row in body if i < len(row)] for i in range(len(first))]
    numeric = [i for i, column in enumerate(columns) if _mostly_numbers(column)]
    votes = [_vote(first[i], i) for i in numeric]
    if any(votes):
        return sum(votes) > 0
    if len(numeric) == len(first):
        return len(first) > 2
    return len(set(first)) == len(first) and not any(
        first[i] in columns[i] for i in range(len(first)) if i not in numeric
    )


def _vote(cell: str, index: int) -> int:
    if cell == str(index) or cell in MISSING_TEXTS:
        return 0
    return -1 if _NUMBER.fullmatch(cell) else 1


def _mostly_numbers(column: list[str]) -> bool:
    cells = [cell for cell in column if cell not in MISSING_TEXTS]
    return bool(cells) and 2 * sum(bool(_NUMBER.fullmatch(c)) for c in cells) > len(cells)


def _names(first: list[str]) -> list[str]:
    return [cell or f"x{i}" for i, cell in enumerate(first)]


def _parse(text: bytes, path: Path, layout: Layout, names: list[str], skip: int) -> pa.Table:
    ragged = []

    def note(row):
        ragged.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(text),
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=names, skip_rows=skip
            ),
            pyarrow.csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=layout.quote,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            _convert_options(layout),
        )
    except pa.ArrowInvalid as error:
        cure = "close any open quote, or save it as plain CSV"
        raise DataError(f"{shown(str(path))} is not a table: {error}; {cure}") from error
    if ragged:
        row = ragged[0]
        raise DataError(
            f"{shown(str(path))} is ragged: line {row.number} has {row.actual_columns} cells where"
            f" {row.expected_columns} are expected ({shown(row.text)}); mend that line"
        )
    return table


def _convert_options(layout: Layout) -> pyarrow.csv.ConvertOptions:
    return pyarrow.csv.ConvertOptions(
        null_values=list(MISSING_TEXTS),
        strings_can_be_null=True,
        true_values=_NEVER,
        false_values=_NEVER,
        decimal_point=layout.decimal,
    )
