"""What a number is: one grammar for every text, and the signs that a column may write it with.

A sign or none; ASCII digits with at most one decimal sign among or around them; an exponent or
none. So 007 is seven, and 1_000, 0x1F and digits of other scripts are texts. The words nan, inf
and infinity are numbers that failed: they make no column numeric, but are no categories either.
"""

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_WORDS = "(?i:[+-]?(?:nan|inf|infinity))"
_BLANKS = " \u00a0\u2009\u202f"  # the last three: no-break, thin, narrow no-break
_APOSTROPHES = "'\u2019"
_FIRST = 100


class Signs(NamedTuple):
    """How a column writes its numbers: the decimal sign, and what may stand between thousands."""

    decimal: str = "."
    thousands: str = ""


PLAIN = Signs()


def pattern(signs: Signs = PLAIN) -> str:
    """The numbers in these signs, words apart, as a regular expression of `re` and of RE2."""
    point, group = f"[{signs.decimal}]", f"[{signs.thousands}]"
    whole = "[0-9]+"
    if signs.thousands:  # in threes, or as in India in twos and then three
        whole += rf"|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+"
        whole += rf"|[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}"
    return rf"[+-]?(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


# Plain signs come first, and the point before the comma.
READINGS = tuple(
    Signs(decimal, thousands)
    for decimal, other in ((".", ","), (",", "."))
    for thousands in ("", other, _BLANKS, _APOSTROPHES)
)
_ANY = "|".join(map(pattern, READINGS))
NUMBER = f"{pattern()}|{_WORDS}"
_NUMBER = re.compile(NUMBER)
_LOOKS_NUMERIC = re.compile(f"{_ANY}|{_WORDS}")


def is_number(text: str) -> bool:
    """Whether the text is a plain number, or a word for a failed one."""
    return bool(_NUMBER.fullmatch(text))


def looks_numeric(text: str) -> bool:
    """Whether the text is a number in some signs."""
    return bool(_LOOKS_NUMERIC.fullmatch(text))


def numbers(texts: pa.ChunkedArray, signs: Signs = PLAIN) -> pa.ChunkedArray | None:
    """The column as whole or real numbers (null where null); None where a cell is no number."""
    if signs.thousands:
        texts = pc.replace_substring_regex(texts, f"[{signs.thousands}]", "")
    if signs.decimal != ".":
        texts = pc.replace_substring(texts, signs.decimal, ".")
    found = None
    for kind in (pa.float64(), pa.int64()):  # Arrow's grammar of the first is ours
        try:
            found = pc.cast(texts, kind)
        except pa.ArrowInvalid:
            break
    return found


def readings(texts: pa.ChunkedArray) -> dict[str, Signs]:
    """For each decimal sign with which the column is numbers, the fewest signs that will do."""
    found = {}
    for signs in READINGS:
        if signs.decimal not in found and _fits(texts, signs):
            found[signs.decimal] = signs
    return found


def numeric(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which cells are numbers in some signs; null where null."""
    return _matches(texts, _ANY)


def first_text(texts: pa.ChunkedArray) -> int:
    """The row of the first cell that is no number in any signs, or else not in plain ones.

    Gaps, and the words of failed numbers, are neither.
    """
    rows = (pc.index(_matches(texts, f"{e}|{_WORDS}"), False).as_py() for e in (_ANY, pattern()))
    return next(row for row in rows if row >= 0)


def holds(texts: pa.ChunkedArray, expression: str) -> bool:
    """Whether the expression occurs in some cell."""
    return bool(pc.any(pc.match_substring_regex(texts, expression)).as_py())


def _fits(texts: pa.ChunkedArray, signs: Signs) -> bool:
    """Whether every cell, gaps apart, is a number in these signs, or a word.

    The first cells mostly tell where not, and the rest costs time.
    """
    read = f"{pattern(signs)}|{_WORDS}"
    parts = texts[:_FIRST], texts[_FIRST:]
    return all(pc.all(_matches(part, read)).as_py() is not False for part in parts)


def _matches(texts: pa.ChunkedArray, expression: str) -> pa.ChunkedArray:
    return pc.match_substring_regex(texts, f"^(?:{expression})$")
