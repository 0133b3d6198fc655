"""What a benchmark must say of where it ran, and how it takes times."""

import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path

import jax
import numpy as np


def description(*packages: str) -> dict:
    """Processor, devices and versions, for the head of a results file."""
    installed = {found.name: found.version for found in distributions()}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "jax_device": jax.devices()[0].device_kind,
        "python": platform.python_version(),
        **{name: installed.get(name) for name in ("jax", "jaxlib", "numpy", *packages)},
    }


def once(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call; waits for JAX to finish."""
    start = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - start


def turns(
    works: dict[str, Callable[[], object]], rounds: int, timed: Callable = once
) -> dict[str, list[float]]:
    """Seconds of warm contestants in turn, forth and back: what slows one slows all."""
    seconds = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: -1 if number % 2 else 1]:
            seconds[name].append(timed(works[name]))
    return seconds


def ratio(times: Sequence[float], base: Sequence[float]) -> float:
    """The median of the rounds' own ratios, of the rounds that both took part in."""
    rounds = min(len(times), len(base))
    return float(np.median(np.divide(times[:rounds], base[:rounds])))


def matrix_product_peak(size: int = 2048, repeats: int = 9) -> float:
    """float32 operations per second of a large square product: the best of XLA's and BLAS's.

    Either library's product may be slow here, and a share of that would flatter us. BLAS comes
    first: its threads spin for a while after their last product, on the cores that XLA needs.
    """
    a = jax.random.normal(jax.random.key(0), (size, size))
    product, host = jax.jit(lambda a, b: a @ b), np.asarray(a)
    fastest = []
    for work in (lambda: host @ host, lambda: product(a, a)):
        once(work)
        fastest.append(min(once(work) for _ in range(repeats)))
    return 2 * size**3 / min(fastest)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search("model name\\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return named[1] if named else platform.processor() or platform.machine()
