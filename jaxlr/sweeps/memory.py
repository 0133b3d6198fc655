"""How many bytes there are, and how many trees of arrays take."""

import ctypes
import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax

RESERVE = 0.2  # of what is free: for whatever else the process and the machine come to need
LARGE = 2**63  # stands for a limit that nobody has set


def free() -> int:
    """Bytes that a sweep may take: of the first device, or of the machine where that is its CPU."""
    device = jax.devices()[0]
    told = device.memory_stats() if device.platform != "cpu" else None
    if told and "bytes_limit" in told:
        left = told["bytes_limit"] - told["bytes_in_use"]
    else:
        left = min(_available(), _granted())
    return int(left * (1 - RESERVE))


def size(tree: Any) -> int:
    """Bytes of all arrays, or of what stands for them, in a tree."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def resident() -> int:
    """Bytes of this process that are in memory; 0 where no system tells."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


def keep_below(most: int) -> None:
    """Hands back what the C library keeps of freed memory, where the process has more bytes."""
    if resident() > most:
        with suppress(AttributeError):  # glibc's own
            ctypes.CDLL(None).malloc_trim(0)


def _available() -> int:
    """What the machine has free, in what caches hold too."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(told.split()[1]) * 1024
    except (OSError, StopIteration):  # not Linux: what every machine has
        return 2**32


def _granted() -> int:
    """What the control group of a container leaves."""
    folder = Path("/sys/fs/cgroup")
    try:
        most, used = ((folder / f"memory.{name}").read_text() for name in ("max", "current"))
        return int(most) - int(used)
    except (OSError, ValueError):  # no such group, or no limit
        return LARGE
