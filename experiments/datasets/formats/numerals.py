"""What a number is: one grammar for every text, and the signs that a column may write it with.

A sign or none; ASCII digits with at most one decimal sign among or around them; an exponent or
none. So 007 is seven, and 1_000, 0x1F and digits of other scripts are texts. The words nan, inf
and infinity are numbers that failed: they make no column numeric, but are no categories either.
"""

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_WORDS = "[+-]?(?:nan|inf|infinity)"
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
NUMBER = f"{pattern()}|(?i:{_WORDS})"
_NUMBER = re.compile(NUMBER)
_LOOKS_NUMERIC = re.compile(f"{_ANY}|(?i:{_WORDS})")
_WHOLE = re.compile("[+-]?[0-9]+")


def is_number(text: str) -> bool:
    """Whether the text is a plain number, or a word for a failed one."""
    return bool(_NUMBER.fullmatch(text))


def is_whole(text: str) -> bool:
    """Whether the text is a whole number."""
    return bool(_WHOLE.fullmatch(text))


def looks_numeric(text: str) -> bool:
    """Whether the text is a number in some signs."""
    return bool(_LOOKS_NUMERIC.fullmatch(text))


def numbers(texts: pa.ChunkedArray, signs: Signs = PLAIN) -> pa.ChunkedArray | None:
    """The column as whole or real numbers (null where null); None where a cell is no number."""
    if signs.thousands:
        texts = pc.replace_substring_regex(texts, f"[{signs.thousands}]", "")
    if signs.decimal != ".":
        texts = pc.replace_substring(texts, signs.decimal, ".")
    reals = cast(texts, pa.float64())  # Arrow's grammar is ours, but for nan(1)
    if reals is None or not (_all(pc.is_finite(reals)) or fits(texts)):
        return None
    wholes = cast(texts, pa.int64())
    return reals if wholes is None else wholes


def fits(texts: pa.ChunkedArray, signs: Signs = PLAIN) -> bool:
    """Whether every cell, gaps apart, is a number in these signs, or a word."""
    read = f"{pattern(signs)}|(?i:{_WORDS})"
    return all(_all(_matches(part, read)) for part in _parts(texts))


def readings(texts: pa.ChunkedArray) -> dict[str, Signs]:
    """For each decimal sign with which the column is numbers, the fewest signs that will do."""
    found = {}
    for signs in READINGS:
        if signs.decimal not in found and fits(texts, signs):
            found[signs.decimal] = signs
    return found


def numeric(texts: pa.ChunkedArray, plainly: bool = False) -> pa.ChunkedArray:
    """Which cells are numbers, in plain signs or in some; null where null."""
    return _matches(texts, pattern() if plainly else _ANY)


def first_text(texts: pa.ChunkedArray, plainly: bool = False) -> int:
    """The row of the first cell that is neither a gap, nor such a number, nor a word; -1: none."""
    read = f"{pattern() if plainly else _ANY}|(?i:{_WORDS})"
    return pc.index(_matches(texts, read), False).as_py()


def cast(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """The column in another type; None where a cell has no value of it."""
    try:
        parts = [pc.cast(part, kind) for part in _parts(texts)]
    except pa.ArrowInvalid:
        return None
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], kind)


def holds(texts: pa.ChunkedArray, expression: str) -> bool:
    """Whether the expression occurs in some cell."""
    return bool(pc.any(pc.match_substring_regex(texts, expression)).as_py())


def _parts(texts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A column of texts is seen to be none of numbers by its first cells: the rest costs time."""
    return texts[:_FIRST], texts[_FIRST:]


def _matches(texts: pa.ChunkedArray, expression: str) -> pa.ChunkedArray:
    return pc.match_substring_regex(texts, f"^(?:{expression})$")


def _all(flags: pa.ChunkedArray) -> bool:
    return pc.all(flags).as_py() is not False
