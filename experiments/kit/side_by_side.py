"""Independent work of one kind, two at a time."""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

Item, Found = TypeVar("Item"), TypeVar("Found")
# XLA's small programs keep one core at most busy, and the host's work between them another: ten
# fits of MTEB take 1.4 times as long one after the other, more at a time as long as two.
AT_ONCE = 2
# Of the work that this is part of: set when nobody waits for it any more.
_LEFT: ContextVar[tuple[threading.Event, ...]] = ContextVar("left", default=())
_FILTERS = threading.RLock()


def each(function: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """What the function makes of every item, in their order; for work that is mostly JAX's.

    The first is alone, since what it compiles serves the others. Where the caller leaves early, by
    an error or an interruption, it is not waited for work that has begun. But the process is, when
    it ends: what takes long says `go_on()` every second or so.
    """
    items, left = list(items), threading.Event()
    yield from map(function, items[:1])

    def begun(item):
        _LEFT.set((*_LEFT.get(), left))
        return function(item)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:  # what the caller has set, like who hears of progress, is so in threads too
        found = [pool.submit(copy_context().run, begun, item) for item in items[1:]]
        for future in found:
            yield future.result()
    finally:
        left.set()
        pool.shutdown(wait=False, cancel_futures=True)


def go_on() -> None:
    """Nothing, or KeyboardInterrupt in a thread whose work nobody waits for any more."""
    if any(left.is_set() for left in _LEFT.get()):
        raise KeyboardInterrupt


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings, for a thread at a time: filters are the process's."""
    with _FILTERS, warnings.catch_warnings(action="ignore"):
        yield
