"""Keeps XLA's CPU backend from returning wrong numbers, and from compiling for too long.

From jaxlib 0.10.2 on, XLA fuses reductions into YNNPACK kernels by default, and some of these
return another row's result without a word: a vmapped product or softmax followed by a weighted
sum, from 32,768 elements on (jax#39103; others crash, jax#39257). A sweep is made of such
reductions. XLA reads its flags when the first array is made: import jaxlr before that.
"""

import os

FLAG = "--xla_cpu_experimental_ynn_fusion_type"


def without_ynn_fusion(flags: str) -> str:
    """XLA_FLAGS with the fusions switched off; a choice that is already there stands."""
    return flags if FLAG in flags else f"{flags} {FLAG}=".strip()


os.environ["XLA_FLAGS"] = without_ynn_fusion(os.environ.get("XLA_FLAGS", ""))

# Long programs that run for a blink: without fusion emitters and with LLVM's first level alone they
# compile in three fifths of the time, and run as fast. For `jax.jit`; other backends don't look.
QUICKLY_COMPILED = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 1}
