"""BLAS keeps to one core while XLA works, where its factors are small.

XLA's factors and triangular solves on the CPU are LAPACK's. OpenBLAS's threads wait for the next
call by spinning, some thirty milliseconds each time, on the cores that XLA's own threads need: on
two cores a ridge path on a9a took 1.2 s so, and takes 0.85 s on its own.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController

SMALL = 512  # rows of a matrix; a larger one gains more from all cores than XLA loses

_lock = threading.Lock()
_inside: list = []  # how each thread that is inside would undo it; all but the first change nothing


@contextlib.contextmanager
def on_one_core(size: int) -> Iterator[None]:
    """A context in which BLAS uses one thread, for factors of [size, size].

    It is the process's BLAS, of all its threads: the last one to leave puts back what was.
    """
    if size > SMALL:
        yield
        return
    with _lock:
        _inside.append(_controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            if len(_inside) == 1:
                _inside[0].restore_original_limits()
            # The first one knows what was, so it is the last to go.
            _inside.pop()


@functools.cache  # looking for a process's libraries takes a millisecond
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
