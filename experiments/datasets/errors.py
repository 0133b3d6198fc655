"""One-line messages for a caller's mistakes: the value, then the cure."""

import difflib
import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from experiments.kit.mistakes import CallerError

S, T = TypeVar("S"), TypeVar("T")
_MOST = 8  # faults that one line names

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


class DataError(CallerError):
    """A caller's mistake about data; its message is one line that names the value and the cure."""

    def __init__(self, fault: str, cure: str = ""):
        self.fault, self.cure = fault, cure
        super().__init__(" ".join(f"{fault}{'; ' * bool(cure)}{cure}".split()))


def each(function: Callable[[T], S], items: Iterable[T]) -> list[S]:
    """function(item) for every item.

    Raises:
      DataError: the faults of all items at once, those of one cure together.
    """
    results, faults = [], []
    for item in items:
        try:
            results.append(function(item))
        except DataError as fault:
            faults.append(fault)
    raise_all(faults)
    return results


def raise_all(faults: Sequence[DataError]) -> None:
    """Raise the faults as one, those of one cure together; nothing if there are none."""
    if len(faults) == 1:
        raise faults[0]
    by_cure: dict[str, list[str]] = {}
    for fault in faults[:_MOST]:
        by_cure.setdefault(fault.cure, []).append(fault.fault)
    said = ["; ".join(filter(None, (", ".join(found), cure))) for cure, found in by_cure.items()]
    more = [f"and {len(faults) - _MOST} more"] * (len(faults) > _MOST)
    if faults:
        raise DataError("; ".join([*said, *more])) from faults[0]


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
