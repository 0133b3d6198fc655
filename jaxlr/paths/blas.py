"""BLAS keeps to one core while XLA works, where its factors are small.

XLA's factors and triangular solves on the CPU are LAPACK's. OpenBLAS's threads wait for the next
call by spinning, some thirty milliseconds each time, on the cores that XLA's own threads need.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController

# Rows of a matrix; a larger one gains more from all cores than XLA loses. With 512 an elastic net
# on digits, whose factors have 650 rows, takes 2.5 times as long, a lasso 2.
SMALL = 2048

_alone = threading.Lock()


@contextlib.contextmanager
def on_one_core(size: int) -> Iterator[None]:
    """A context in which BLAS uses one thread, for factors of [size, size].

    It is the process's BLAS, of all its threads. While one thread is inside, others that enter
    change nothing: leaving later, they would put back the one thread that they found.
    """
    if size > SMALL or not _alone.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _alone.release()


@functools.cache  # looking for a process's libraries takes a millisecond
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
