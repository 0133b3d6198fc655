"""What a benchmark must say of where it ran, and how it takes a time."""

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jax
import numpy as np


def description(*packages: str) -> dict:
    """Processor, devices and versions, for the head of a results file."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "jax_device": jax.devices()[0].device_kind,
        "python": platform.python_version(),
        **{name: _version(name) for name in ("jax", "jaxlib", "numpy", *packages)},
    }


def seconds(work: Callable[[], object], repeats: int = 5) -> list[float]:
    """Wall-clock times of `work`, after one call that warms up; waits for JAX to finish."""
    jax.block_until_ready(work())
    return [once(work) for _ in range(repeats)]


def once(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - start


def matrix_product_peak(size: int = 2048, repeats: int = 9) -> float:
    """float32 operations per second of a large square product: the best of XLA's and BLAS's."""
    return max(matrix_product_rates(size, repeats).values())


def matrix_product_rates(size: int = 2048, repeats: int = 9) -> dict[str, float]:
    """The best rate of each library that multiplies here: the machine's peak is the higher one."""
    a = jax.random.normal(jax.random.key(0), (size, size))
    product, host = jax.jit(lambda a, b: a @ b), np.asarray(a)
    works = {"xla": lambda: product(a, a), "blas": lambda: host @ host}
    return {name: 2 * size**3 / min(seconds(work, repeats)) for name, work in works.items()}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if names:
            return names[0].split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
