"""Independent work of one kind, two at a time."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item, Found = TypeVar("Item"), TypeVar("Found")
# XLA's small programs keep one core at most busy, and the host's work between them another: ten
# fits of MTEB take 1.4 times as long one after the other, more at a time as long as two.
AT_ONCE = 2


def each(function: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """What the function makes of every item, in their order; for work that is mostly JAX's.

    The first is alone, since what it compiles serves the others. Where the caller leaves early, by
    an error or an interruption, it is not waited for work that has begun.
    """
    items = list(items)
    yield from map(function, items[:1])
    pool = ThreadPoolExecutor(AT_ONCE)
    try:  # what the caller has set, like who hears of progress, is so in threads too
        found = [pool.submit(copy_context().run, function, item) for item in items[1:]]
        for future in found:
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
