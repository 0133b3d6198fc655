"""Keeps XLA's CPU backend from returning wrong numbers, and from compiling for too long or twice.

From jaxlib 0.10.2 until 0.11.1 XLA fuses reductions into YNNPACK kernels, some of which return
another row's result without a word: a vmapped product or softmax followed by a weighted sum, from
32,768 elements on (jax#39103; others crash, jax#39257). A sweep is made of such reductions. XLA
reads its flags when the first array is made, and never again: import jaxlr before that.
"""

import contextlib
import hashlib
import os
import platform
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from threadpoolctl import ThreadpoolController

FLAG = "--xla_cpu_experimental_ynn_fusion_type"
JAXLIB = tuple(int(number) for number in re.findall(r"\d+", jaxlib.__version__)[:3])
FAULTY = (0, 10, 2) <= JAXLIB < (0, 11, 1)

# Long programs that run for a blink: without fusion emitters and with LLVM's first level alone they
# compile in three fifths of the time, and run as fast. Other backends don't look.
QUICKLY_COMPILED = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 1}


def without_ynn_fusion(flags: str) -> str:
    """XLA_FLAGS with the fusions switched off; a choice that is already there stands."""
    return flags if FLAG in flags else f"{flags} {FLAG}=".strip()


def doubt(flags: str) -> str:
    """What in XLA_FLAGS keeps the fusions, and the cure; nothing where they can be switched off."""
    if flags and not flags.startswith("--"):
        return f"XLA_FLAGS names the file {flags}: unless it has the line {FLAG}=, add it"
    choices = re.findall(rf"{FLAG}=(\S*)", flags)
    if choices and choices[-1]:
        return f"XLA_FLAGS has {FLAG}={choices[-1]}: say {FLAG}= (nothing after the sign)"
    return ""


def loses_a_row() -> bool:
    """Whether the CPU backend, as it was started, returns another row's sum (jax#39103)."""
    try:
        cpu = jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # started without one
        return False
    last = 32_768
    rows = np.stack([np.arange(last + 1), *np.zeros((2, last + 1))], axis=1).astype(np.float32)

    def squares(rows):
        return jax.vmap(lambda row: jnp.sum((jnp.eye(3, dtype=row.dtype) @ row) ** 2))(rows)

    with jax.disable_jit(False):
        sums = jax.device_get(jax.jit(squares)(jax.device_put(rows, cpu)))
    return bool(sums[last] != last**2)


def guard() -> None:
    """Switches the fusions off where JAX has yet to start, and says so where it can't."""
    from jax._src.xla_bridge import backends_are_initialized  # in every jaxlib that is faulty

    flags = os.environ.get("XLA_FLAGS", "").strip()
    if backends_are_initialized():
        cure = "import jaxlr before the first array, or start Python with XLA_FLAGS=" + FLAG + "="
        trouble = f"JAX had started before jaxlr was imported: {cure}" if loses_a_row() else ""
    else:
        trouble = doubt(flags)
        if not trouble:
            os.environ["XLA_FLAGS"] = without_ynn_fusion(flags)
    if trouble:
        told = f"jaxlib {jaxlib.__version__}'s sums on the CPU may be wrong, or crash. "
        warnings.warn(told + trouble, RuntimeWarning, stacklevel=4)  # where jaxlr is imported


if FAULTY:
    guard()


@cache
def known(name: str, value: Any) -> bool:
    """Whether XLA takes the compile option; one that it doesn't know fails every compilation."""
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


class QuicklyCompiled:
    """`jax.jit(function, **static)` with those of QUICKLY_COMPILED that XLA knows.

    They are asked for at the first call, since asking starts the backend.
    """

    def __init__(self, function: Callable, **static):
        update_wrapper(self, function)
        self._function, self._static = function, static

    @cached_property
    def _jitted(self) -> Callable:
        options = {name: value for name, value in QUICKLY_COMPILED.items() if known(name, value)}
        return jax.jit(self._function, compiler_options=options, **self._static)

    def __call__(self, *args, **kwargs):
        """What the function returns."""
        return self._jitted(*args, **kwargs)

    def __getattr__(self, name: str):
        return getattr(self._jitted, name)


CACHE = "JAXLR_CACHE"  # the environment's: a folder for compiled programs, or "off"


@cache
def cache_compilations(
    folder: str | os.PathLike | None = None, *, most: int = 2**30
) -> Path | None:
    """Keeps compiled programs on disk, so that the next process has them in a blink.

    JAX's own persistent cache, in a folder of this jaxlib's and this processor's, since programs
    made for others have crashed. A cache that the user has given JAX stands.

    Args:
      folder: where; None for $JAXLR_CACHE, or jaxlr's in the user's cache folder. "off": nowhere.
      most: bytes; the programs that were used longest ago go first.

    Returns:
      The folder in use, or None: it is off, can't be written (with a warning), or what is written
      there doesn't load back (on some processors jaxlib refuses its own programs, jax#38445).
    """
    if jax.config.jax_compilation_cache_dir:
        return Path(jax.config.jax_compilation_cache_dir)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    chosen = folder or os.environ.get(CACHE) or home / "jaxlr"
    if str(chosen) == "off":
        return None
    here = Path(chosen) / f"jaxlib-{jaxlib.__version__}-{_processor()}"
    try:
        here.mkdir(parents=True, exist_ok=True)
        _trim(here, most)
        (here / "written").touch()
    except OSError as error:
        told = f"no compiled program is kept: {here} cannot be written ({error.strerror})"
        warnings.warn(f"{told}; give another folder by {CACHE}, or say {CACHE}=off", stacklevel=2)
        return None
    options = {
        "jax_compilation_cache_dir": str(here),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in options}
    _configure(options)
    if _loads_back():
        return here
    _configure(before)
    return None


def _configure(options) -> None:
    for name, value in options.items():
        jax.config.update(name, value)


def _processor() -> str:
    """A name for what the processor can do."""
    told = platform.machine() + platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        told += next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):  # not Linux
        pass
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _trim(folder: Path, most: int) -> None:
    """Removes the files that were used longest ago, until the rest are `most` bytes at most."""
    seen = {file: file.stat() for file in folder.iterdir()}
    files = [(max(of.st_atime, of.st_mtime), of.st_size, file) for file, of in seen.items()]
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if total <= most:
            return
        file.unlink(missing_ok=True)
        total -= size


def _loads_back() -> bool:
    """Whether a program that was written just now is read again; what XLA prints is kept quiet."""
    hits = []

    def heard(event, **_):
        hits.append(event.endswith("cache_hits"))

    def probe():
        return jax.jit(lambda x: jnp.sin(x) @ x.T).lower(jnp.ones((8, 8))).compile()

    jax.monitoring.register_event_listener(heard)
    quiet, loud = os.open(os.devnull, os.O_WRONLY), os.dup(2)
    try:
        os.dup2(quiet, 2)
        probe()
        hits.clear()
        probe()
    finally:
        os.dup2(loud, 2)
        os.close(quiet)
        os.close(loud)
        jax.monitoring.unregister_event_listener(heard)
    return any(hits)


# Rows of a factor; a larger one gains more from all cores than XLA loses. With 512 an elastic net
# on digits, whose factors have 650 rows, takes 2.5 times as long, a lasso 2.
SMALL_FACTOR = 2048
_alone = threading.Lock()
_controller = cache(ThreadpoolController)  # looking for a process's libraries takes milliseconds


@contextlib.contextmanager
def on_one_core(size: int) -> Iterator[None]:
    """A context in which BLAS, which makes XLA's factors on the CPU, has one thread for small ones.

    OpenBLAS's threads wait for the next call by spinning, some thirty milliseconds each time, on
    the cores that XLA's own threads need. It is the process's BLAS, of all its threads. While one
    thread is inside, others that enter change nothing: leaving later, they would put back the one
    thread that they found.
    """
    if size > SMALL_FACTOR or not _alone.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _alone.release()
