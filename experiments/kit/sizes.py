"""Bytes and their texts."""

import re

UNITS = ("B", "kB", "MB", "GB", "TB")


def bytes_in(text: str) -> int | None:
    """A size with its unit as bytes; None if it is no such."""
    found = re.fullmatch(r"(\d+\.?\d*)\s*([kKMGT]?)(i?)B", text)
    if not found:
        return None
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " KMGT".index(prefix.upper() or " "))


def size(num_bytes: int) -> str:
    """Bytes with their unit."""
    number, unit = float(num_bytes), 0
    while number >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {UNITS[unit]}"
