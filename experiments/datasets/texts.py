"""From cells to values, a column at a time: gaps, numbers in the column's own signs, dates."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from experiments.datasets import numerals
from experiments.datasets.errors import DataError, listed, shown
from experiments.datasets.numerals import PLAIN, Signs
from experiments.datasets.table import Columns, Reading

_TIMES = (
    pa.date32(),
    pa.timestamp("s"),
    pa.timestamp("s", "UTC"),
    pa.timestamp("ns"),
    pa.timestamp("ns", "UTC"),
)
_BETWEEN = {"": "", ",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
_UNITS = "$€£¥%()−"

Texts = dict[str, pa.ChunkedArray]


def understood(
    columns: Columns, reading: Reading, *, comma: bool = False, dates: bool = False
) -> Columns:
    """The same columns, those of texts as numbers or dates where every cell is one.

    Outer blanks go, and what the reading calls missing is null. A column's decimal sign is the
    one with which all its cells are numbers. Where either will do and they say different things,
    as in 1,234, it is the caller's; else that of all columns that leave no choice; else the comma
    if `comma` and the column has no point; else the point.

    Args:
      columns: what was read, texts as they stand in the file.
      reading: what is missing, and the caller's decimal sign.
      comma: cells are separated as they are where commas are decimal.
      dates: ISO dates and times become Arrow's.

    Raises:
      DataError: two columns of one name.
    """
    names = columns.table.column_names
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"columns called {listed(twice)} occur twice; rename them in the file")
    raw = {n: _as_texts(columns.table[n]) for n in names if _is_text(columns.table[n].type)}
    texts = {name: _with_gaps(column, reading.missing_values) for name, column in raw.items()}
    values = {name: numerals.numbers(column) for name, column in texts.items()}
    could = _could_be(texts, values)
    signs = _signs(could, texts, reading.decimal, comma)
    values |= {name: numerals.numbers(texts[name], used) for name, used in signs.items()}
    if dates:
        values |= {name: _times(texts[name]) for name in texts if values[name] is None}
    either = [n for n in signs if len(could[n]) > 1 and numerals.holds(texts[n], "[.,]")]
    either = [] if reading.decimal else either
    left = {name: column for name, column in texts.items() if values[name] is None}
    zeros = [n for n in texts if n not in (*signs, *left) and _leading_zero(texts[n], values[n])]
    table = columns.table
    for index, name in enumerate(table.column_names):
        if name in texts:
            table = table.set_column(index, name, left.get(name, values[name]))
    return columns._replace(
        table=table,
        notes=(*columns.notes, *_notes(signs, either, zeros)),
        written={n: texts[n] for n in texts if n in (*signs, *zeros) or _is_time(values[n])},
        doubts={name: said for name, column in left.items() if (said := _doubt(name, column))},
        gaps={
            name: words
            for name, column in texts.items()
            if (name in left or column.null_count == len(column))
            and (words := _gap_words(raw[name], reading.missing_values))
        },
    )


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return not kind.ordered and _is_text(kind.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(kind) for is_kind in kinds)


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())


def _with_gaps(column: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    """Texts without outer blanks, and null where that leaves nothing or a sign of a gap."""
    trimmed = pc.utf8_trim_whitespace(column)
    is_gap = pc.is_in(trimmed, pa.array(["", *missing], pa.string()))
    return pc.if_else(is_gap, pa.scalar(None, pa.string()), trimmed)


def _could_be(texts: Texts, values: dict) -> dict[str, dict[str, Signs]]:
    """By column and decimal sign, the signs of its numbers; whole and plain ones leave no doubt."""
    could = {}
    for name, column in texts.items():
        if values[name] is None:
            could[name] = numerals.readings(column)
        elif pa.types.is_floating(values[name].type):
            grouped = Signs(",", ".")
            could[name] = {".": PLAIN} | ({",": grouped} if numerals.fits(column, grouped) else {})
    return could


def _signs(could: dict, texts: Texts, decimal: str | None, comma: bool) -> dict[str, Signs]:
    """By the rule that `understood` states, the signs of columns that are not written plainly."""
    told = {next(iter(by)) for by in could.values() if len(by) == 1}
    shared = told.pop() if len(told) == 1 else None
    signs = {}
    for name, by in could.items():
        usual = "," if comma and not numerals.holds(texts[name], "[.]") else "."
        wanted = (decimal or shared or usual) if numerals.holds(texts[name], "[.,]") else "."
        found = by.get(wanted) or next(iter(by.values()), PLAIN)
        if found != PLAIN:
            signs[name] = found
    return signs


def _leading_zero(texts: pa.ChunkedArray, values: pa.ChunkedArray) -> bool:
    """Whether a whole number begins with a 0 that says nothing, as codes do."""
    if not pa.types.is_integer(values.type):
        return False
    longer = pc.greater(pc.binary_length(texts), 1)
    return pc.any(pc.and_(pc.starts_with(texts, "0"), longer)).as_py() is True


def _is_time(values: pa.ChunkedArray | None) -> bool:
    return values is not None and pa.types.is_temporal(values.type)


def _times(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The column as dates, times or both; None where it is none of these."""
    for kind in _TIMES:
        values = numerals.cast(texts, kind)
        if values is not None:
            return values
    clock = pc.binary_join_element_wise("1970-01-01T", texts, "")
    values = numerals.cast(clock, pa.timestamp("s"))
    return None if values is None else values.cast(pa.time32("s"))


def _doubt(name: str, texts: pa.ChunkedArray) -> str | None:
    """What keeps a column of texts from being numbers, where it nearly is."""
    units = [sign for sign in _UNITS if numerals.holds(texts, f"[{sign}]")]
    without = pc.replace_substring_regex(texts, f"\\s*[{_UNITS}]\\s*", "")
    if units and numerals.readings(without):
        return (
            f"{shown(name)} is read as texts, and would be numbers without {listed(units)}; take"
            " that out of the file, or leave the column out with --drop"
        )
    count = pc.sum(numerals.numeric(texts)).as_py() or 0
    if not count or 2 * count < len(texts) - texts.null_count:
        return None
    row = numerals.first_text(texts)
    row = row if row >= 0 else numerals.first_text(texts, plainly=True)
    return (
        f"{shown(name)} is read as texts, though most of its cells are numbers: row {row + 1} is"
        f" {shown(texts[row].as_py())}; mend it, or call it a gap with --missing-values"
    )


def _notes(signs: dict[str, Signs], either: list[str], zeros: list[str]) -> list[str]:
    notes = []
    for used in dict.fromkeys(signs.values()):
        between = f"{_BETWEEN[used.thousands[:1]]} between thousands" if used.thousands else ""
        said = " and ".join(filter(None, ("a decimal comma" * (used.decimal == ","), between)))
        notes.append(f"numbers with {said} in {listed(n for n in signs if signs[n] == used)}")
    if either:
        notes.append(f"a decimal point or comma in {listed(either)}: --decimal overrules the guess")
    if zeros:
        notes.append(f"leading zeros in {listed(zeros)} are lost; --categorical keeps them")
    return notes


def _gap_words(column: pa.ChunkedArray, missing: tuple[str, ...]) -> list[str]:
    """The signs of a gap in the column that might be words."""
    texts = pc.unique(pc.utf8_trim_whitespace(column)).to_pylist()
    return [text for text in missing if text in texts and text.isalpha()]
