"""One-line messages for a caller's mistakes: the value, then the cure."""

import difflib
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from experiments.kit.mistakes import CallerError

S, T = TypeVar("S"), TypeVar("T")
_MOST = 8  # faults that one line names

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


class DataError(CallerError):
    """A caller's mistake about data, in one line."""

    def __init__(self, fault: str, cure: str = ""):
        self.fault, self.cure = fault, cure
        super().__init__(" ".join(f"{fault}{'; ' * bool(cure)}{cure}".split()))


class Faults(list[DataError]):
    """Faults that are told as one."""

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Keeps the fault that ends the block, if one does."""
        try:
            yield
        except DataError as fault:
            self.append(fault)

    def tell(self) -> None:
        """Raises them as one, those of one cure together; nothing if there are none."""
        if len(self) == 1:
            raise self[0]
        by_cure: dict[str, list[DataError]] = {}
        for fault in self[:_MOST]:
            by_cure.setdefault(fault.cure or fault.fault, []).append(fault)
        said = [
            str(DataError(", ".join(each.fault for each in alike), alike[0].cure))
            for alike in by_cure.values()
        ]
        more = [f"and {len(self) - _MOST} more"] * (len(self) > _MOST)
        if self:
            raise DataError("; ".join([*said, *more])) from self[0]


def each(function: Callable[[T], S], items: Iterable[T]) -> list[S]:
    """function(item) for every item; the faults of all are one DataError."""
    results, faults = [], Faults()
    for item in items:
        with faults.caught():
            results.append(function(item))
    faults.tell()
    return results


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file that the system won't open."""
    fault = f"cannot read {shown(str(path))}: {error.strerror}"
    return DataError(fault, "check its permissions, or give another file")


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
