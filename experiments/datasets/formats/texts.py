"""From cells to values, a column at a time: gaps, and numbers in the column's own signs."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from experiments.datasets.errors import DataError, listed
from experiments.datasets.formats import numerals
from experiments.datasets.formats.numerals import PLAIN, Signs
from experiments.datasets.table import Columns, Reading

_BETWEEN = {"": "", ",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
_UNITS = "$€£¥%()−"

Texts = dict[str, pa.ChunkedArray]


def understood(columns: Columns, reading: Reading, *, comma: bool = False) -> Columns:
    """The same columns, those of texts as numbers where every cell is one.

    Outer blanks go, and what the reading calls missing is null. A column's decimal sign is the
    one with which all its cells are numbers. Where either will do and they say different things,
    as in 1,234, it is the caller's; else that of all columns that leave no choice; else the comma
    if `comma` and the column has no point; else the point.

    Args:
      columns: what was read, texts as they stand in the file.
      reading: what is missing, and the caller's decimal sign.
      comma: cells are separated as they are where commas are decimal.

    Raises:
      DataError: two columns of one name.
    """
    table, names = columns.table, columns.table.column_names
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"columns called {listed(twice)} occur twice; rename them in the file")
    raw = {name: _as_texts(table[name]) for name in names if _is_text(table[name].type)}
    texts = {name: _with_gaps(column, reading.missing_values) for name, column in raw.items()}
    values = {name: numerals.numbers(column) for name, column in texts.items()}
    signs, guessed = _signs(texts, values, reading.decimal, comma)
    values |= {name: numerals.numbers(texts[name], used) for name, used in signs.items()}
    remarks, gaps, written = {}, {}, {}
    for name, column in texts.items():
        found = values[name]
        remarks[name] = _remarks(column, found, signs.get(name, PLAIN), name in guessed)
        if found is None or column.null_count == len(column):
            gaps[name] = _gap_words(raw[name], reading.missing_values)
        elif remarks[name]:
            written[name] = column
        table = table.set_column(names.index(name), name, column if found is None else found)
    return columns._replace(table=table, remarks=remarks, gaps=gaps, written=written)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return not kind.ordered and _is_text(kind.value_type)
    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())


def _with_gaps(column: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    """Texts without outer blanks, and null where that leaves nothing or a sign of a gap."""
    trimmed = pc.utf8_trim_whitespace(column)
    is_gap = pc.is_in(trimmed, pa.array(["", *missing], pa.string()))
    return pc.if_else(is_gap, pa.scalar(None, pa.string()), trimmed)


def _signs(
    texts: Texts, values: dict, decimal: str | None, comma: bool
) -> tuple[dict[str, Signs], list[str]]:
    """By the rule that `understood` states, signs that are not plain, and whose were guessed."""
    is_whole = {name: found and pa.types.is_integer(found.type) for name, found in values.items()}
    could = {n: numerals.readings(column) for n, column in texts.items() if not is_whole[n]}
    told = {next(iter(by)) for by in could.values() if len(by) == 1}
    shared = told.pop() if len(told) == 1 else None
    signs, guessed = {}, []
    for name, by in could.items():
        wanted = next(iter(by), ".")
        if len(by) > 1 and numerals.holds(texts[name], "[.,]"):
            usual = "," if comma and not numerals.holds(texts[name], "[.]") else "."
            wanted = decimal or shared or usual
            guessed += [name] if decimal is None else []
        if by.get(wanted, PLAIN) != PLAIN:
            signs[name] = by[wanted]
    return signs, guessed


def _remarks(
    texts: pa.ChunkedArray, values: pa.ChunkedArray | None, signs: Signs, is_guessed: bool
) -> list[str]:
    """What to say of how a column was read, where it might have been meant otherwise."""
    if values is None:
        return _doubts(texts)
    if signs != PLAIN:
        comma = "a decimal comma" * (signs.decimal == ",")
        between = f"{_BETWEEN[signs.thousands[:1]]} between thousands" * bool(signs.thousands)
        said = f"numbers with {' and '.join(filter(None, (comma, between)))}"
        return [f"{said}, by a guess that --decimal overrules" if is_guessed else said]
    longer = pc.greater(pc.binary_length(texts), 1)
    has_zeros = pc.any(pc.and_(pc.starts_with(texts, "0"), longer)).as_py()
    if has_zeros and pa.types.is_integer(values.type):
        return ["leading zeros are lost; --categorical keeps them"]
    return []


def _doubts(texts: pa.ChunkedArray) -> list[str]:
    """What keeps a column of texts from being numbers, where it nearly is."""
    distinct = pa.chunked_array([pc.unique(texts)])
    without = pc.replace_substring_regex(distinct, f"\\s*[{_UNITS}]\\s*", "")
    if numerals.readings(without):
        units = [sign for sign in _UNITS if numerals.holds(distinct, f"[{sign}]")]
        return [f"texts that would be numbers without {listed(units)}; take that out of the file"]
    return []


def _gap_words(column: pa.ChunkedArray, missing: tuple[str, ...]) -> list[str]:
    """The signs of a gap in the column that might be words."""
    texts = pc.unique(pc.utf8_trim_whitespace(column)).to_pylist()
    return [text for text in missing if text in texts and text.isalpha()]
