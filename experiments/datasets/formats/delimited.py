"""CSV and its cousins: comma, semicolon, tab or blanks; with or without a header."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from experiments.datasets.errors import DataError, shown
from experiments.datasets.formats import header, layout, preamble
from experiments.datasets.formats.layout import Cut
from experiments.datasets.formats.texts import understood
from experiments.datasets.table import AS_FOUND, Columns, Reading

_BLOCK = 1 << 24  # bytes read at a time, more than any row has


def read(
    text: bytes, path: Path, reading: Reading = AS_FOUND, *, one_column: bool = False
) -> Columns:
    """Cut the UTF-8 text into columns, and read these.

    Args:
      text: UTF-8 without a byte-order mark.
      path: what messages call it.
      reading: what the caller knows of the text; the rest is looked for.
      one_column: one column will do, as in a file of labels.

    Raises:
      DataError: no rows, one column, or rows of different lengths.
    """
    body = preamble.without(text, reading.comment, one_column=one_column)
    if not body.text.strip(b"\"' \t\r\n"):
        raise DataError(f"{shown(str(path))} holds no cells beside comments; give rows of data")
    cut = layout.cut(body.text, layout.sniff(body.text, body.separator, one_column=one_column))
    rows = cut.first_rows()
    if len(rows[0]) < 2 and not one_column:
        raise DataError(
            f"{shown(str(path))} has one column; separate features and target by comma, semicolon,"
            " tab or blanks"
        )
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
    table = _parse(cut, path, names, has_names, body.lines_above)
    if cut.quote and cut.quote.encode() in cut.text:  # a stray quote can swallow rows
        lines = sum(map(bool, map(bytes.strip, cut.text.splitlines())))
        inside = lines - table.num_rows - has_names
        notes += [f"{inside} line breaks lie inside quoted cells"] * bool(inside)
    found = Columns(table, (*body.notes, *notes))
    found = understood(found, reading, comma=cut.separator in ";\t ")
    # An index that a writer added holds whole numbers or texts.
    index = (name for name in index if not pa.types.is_floating(found.table[name].type))
    return found._replace(index=tuple(index))


def _parse(cut: Cut, path: Path, names: list[str], has_names: bool, above: int) -> pa.Table:
    """The texts of the columns, by name."""
    ragged, places = [], [str(i) for i in range(len(names))]
    skip = cut.lines_of_first_row() if has_names else 0

    def note(row):
        if row.text.strip():
            ragged.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(cut.text),
            pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=min(_BLOCK, len(cut.text) + 1),
                column_names=places,
                skip_rows=skip,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=cut.separator,
                quote_char=cut.quote or False,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string())),
        )
    except pa.ArrowInvalid as error:
        cure = "close any open quote, or save it as plain CSV"
        raise DataError(f"{shown(str(path))} is not a table: {error}", cure) from error
    if ragged:
        raise _ragged(cut, path, len(names), skip, above)
    return table.rename_columns(names)


def _ragged(cut: Cut, path: Path, width: int, skip: int, above: int) -> DataError:
    """The error that names the first row that is not as wide as the table, by its line."""
    rows, line = cut.rows(), skip + 1
    for row in rows:
        if rows.line_num > skip and len(row) != width and "".join(row).strip():
            break
        line = rows.line_num + 1
    begin = [cells[:1] for cells in (cut.text[:1].decode("latin-1"), row[0])]
    comment = next((sign for sign in begin if sign and sign in "#%!/*"), None)
    cure = f", or leave out such lines with --comment {comment!r}" if comment else ""
    return DataError(
        f"{shown(str(path))} is ragged: line {above + line} has {len(row)} cells where {width} are"
        f" expected ({shown(cut.separator.join(row))}); mend that line{cure}"
    )
