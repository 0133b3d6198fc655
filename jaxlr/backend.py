"""Keeps XLA's CPU backend from returning wrong numbers, and from compiling for too long.

From jaxlib 0.10.2 until 0.11.1 XLA fuses reductions into YNNPACK kernels, some of which return
another row's result without a word: a vmapped product or softmax followed by a weighted sum, from
32,768 elements on (jax#39103; others crash, jax#39257). A sweep is made of such reductions. XLA
reads its flags when the first array is made, and never again: import jaxlr before that.
"""

import os
import re
import warnings
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

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
