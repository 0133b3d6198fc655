"""One-line messages for a caller's mistakes: the value, then the cure."""

import difflib
import reprlib
from collections.abc import Iterable, Sequence

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


class DataError(ValueError):
    """A caller's mistake about data; its message is one line that names the value and the cure."""

    def __init__(self, message: str):
        super().__init__(" ".join(message.split()))


def shown(value: object) -> str:
    """The value as a message shows it: quoted, and short however long it is."""
    return _SHORT.repr(value.item() if hasattr(value, "item") else value)


def listed(names: Iterable[object], most: int = 8) -> str:
    """'a', 'b', 'c' and 12 more."""
    names = list(names)
    text = ", ".join(shown(name) for name in names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """' (did you mean 'iris'?)', or nothing when no known name is near."""
    folded = {name.casefold(): name for name in reversed(known)}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""
