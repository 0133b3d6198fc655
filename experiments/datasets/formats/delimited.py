"""CSV and its cousins: comma, semicolon, tab or blanks; with or without a header."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from experiments.datasets.errors import DataError, shown
from experiments.datasets.formats import header, layout, preamble
from experiments.datasets.formats.layout import Layout, Marked
from experiments.datasets.formats.preamble import Body
from experiments.datasets.formats.texts import understood
from experiments.datasets.table import AS_FOUND, Columns, Reading

_BLOCK = 1 << 24  # bytes read at a time, more than any row has


class _RaggedError(DataError):
    """Rows of different lengths, which another layout may mend."""

    def __init__(self, message: str, line: int):
        super().__init__(message)
        self.line = line


def read(
    text: bytes, path: Path, reading: Reading = AS_FOUND, *, one_column: bool = False
) -> Columns:
    """Cut the UTF-8 text into columns, and read these.

    Args:
      text: UTF-8 without a byte-order mark.
      path: what messages call it.
      reading: what the caller knows of the text; the rest is looked for.
      one_column: one column will do, as in a file of labels.
    """
    body = preamble.without(text, reading.comment, one_column=one_column)
    if not body.text.strip(b"\"' \t\r\n"):
        raise DataError(f"{shown(str(path))} holds no cells beside comments; give rows of data")
    cut = layout.sniff(body.text, body.separator, one_column=one_column)
    if len(layout.first_rows(body.text, cut)[0]) < 2 and not one_column:
        raise DataError(
            f"{shown(str(path))} has one column; separate features and target by comma, semicolon,"
            " tab or blanks"
        )
    found = _best(body, path, cut, reading)
    # An index that a writer added holds whole numbers, texts or dates.
    index = (n for n in found.index if not pa.types.is_floating(found.table[n].type))
    return found._replace(index=tuple(index))


def _best(body: Body, path: Path, cut: Layout, reading: Reading) -> Columns:
    """The columns as lines alone make them, or with line breaks within quoted cells.

    Where both make a table, stray quotes in two rows would pass for a cell that holds what is
    between them. So lines win where other quotes are stray too, or where their columns are numbers
    in no fewer cases; else whoever wrote the file knew how to quote.
    """
    alone, within = (cut._replace(multiline=multiline) for multiline in (False, True))
    is_settled = cut.quote != '"' or layout.is_standard(body.text, alone)
    made, faults = [], []
    for tried in [alone] if is_settled else [alone, within]:
        try:
            columns = _columns(body, path, tried, reading)
        except _RaggedError as fault:
            faults.append(fault)
        else:
            comma = cut.separator in ";\t "
            made.append(understood(columns, reading, comma=comma, dates=True))
    if not made:
        raise max(faults, key=lambda fault: fault.line)
    if len(made) == 2 and layout.is_standard(body.text, within):
        by_lines, by_cells = map(_num_numeric, made)
        return made[0] if by_lines >= by_cells > 0 else made[1]
    return made[0]


def _num_numeric(columns: Columns) -> int:
    kinds = columns.table.schema.types
    return sum(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)


def _columns(body: Body, path: Path, cut: Layout, reading: Reading) -> Columns:
    """The texts of the columns, by name."""
    rows = layout.first_rows(body.text, cut)
    rows = rows if reading.header is False else header.completed(rows)
    has_names = header.looks_like_header(rows) if reading.header is None else reading.header
    if len(rows) == has_names:
        raise DataError(f"{shown(str(path))} has names but no rows; give a file with rows of data")
    names, index, notes = [f"x{i}" for i in range(len(rows[0]))], (), []
    if has_names:
        names, index = header.names(rows[0])
    elif len(names) == 1:
        names, notes = ["labels"], ["no header: the column is called labels"]
    else:
        notes = ["no header: the columns are x0, x1, …"]
    skip = layout.lines_of_first_row(body.text, cut) if has_names else 0
    table = _parse(layout.mark(body.text, cut), path, names, skip, body.lines_above)
    if cut.multiline:  # a stray quote can swallow rows
        lines = sum(map(bool, map(bytes.strip, body.text.splitlines())))
        notes.append(f"{lines - table.num_rows - has_names} line breaks lie inside quoted cells")
    return Columns(table, (*body.notes, *notes), index)


def _parse(marked: Marked, path: Path, names: list[str], skip: int, above: int) -> pa.Table:
    ragged, places = [], [str(i) for i in range(len(names))]

    def note(row):
        if row.text.strip():
            ragged.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(marked.text),
            pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=min(_BLOCK, len(marked.text) + 1),
                column_names=places,
                skip_rows=skip,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=marked.separator,
                quote_char=marked.quote,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string())),
        )
    except pa.ArrowInvalid as error:
        cure = "close any open quote, or save it as plain CSV"
        raise DataError(f"{shown(str(path))} is not a table: {error}", cure) from error
    if ragged:
        raise _ragged(marked, path, len(names), skip, above)
    return table.rename_columns(names)


def _ragged(marked: Marked, path: Path, width: int, skip: int, above: int) -> _RaggedError:
    """The error that names the first row that is not as wide as the table, by its line."""
    limit = csv.field_size_limit(_BLOCK)
    try:
        rows, line = marked.rows(), skip + 1
        for row in rows:
            if rows.line_num > skip and len(row) != width and "".join(row).strip():
                break
            line = rows.line_num + 1
    finally:
        csv.field_size_limit(limit)
    begin = [cells[:1] for cells in (marked.text[:1].decode("latin-1"), row[0])]
    comment = next((sign for sign in begin if sign and sign in "#%!/*"), None)
    cure = f", or leave out such lines with --comment {comment!r}" if comment else ""
    return _RaggedError(
        f"{shown(str(path))} is ragged: line {above + line} has {len(row)} cells where {width} are"
        f" expected ({shown(marked.separator.join(row))}); mend that line{cure}",
        above + line,
    )
