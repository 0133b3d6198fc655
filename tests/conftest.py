"""The strictest JAX, set once for every test; how tests are compiled; eight virtual devices."""

import gc
import os
import subprocess
import sys

import jax
import pytest
from hypothesis import settings

import jaxlr.backend  # as in the library: before the first array

# Most of the suite's time is XLA's. Compiled plainly, programs are ready sooner and give other
# last bits; `--shipped` looks at those that users get.
PLAINLY = "--xla_cpu_parallel_codegen_split_count=1"
WITHOUT_EMITTERS = "--xla_cpu_use_fusion_emitters=false"  # some XLAs have no others any more

gc.set_threshold(200_000, 20, 100)  # traces are many small objects: a twentieth of the time
os.environ["JAXLR_CACHE"] = "off"  # tests see what they compile themselves
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_num_cpu_devices", 8)

# A core for each worker: XLA's threads wait by spinning, and two workers on the same cores spend
# twice the time.
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker.startswith("gw") and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker[2:]) % len(cores)]})


def pytest_addoption(parser):
    """What the suite can be told; see the Makefile for who says it."""
    group = parser.getgroup("jaxlr")
    group.addoption("--x64", action="store_true", help="float64 enabled, as some users have it")
    group.addoption("--shipped", action="store_true", help="compile as users do, last bits and all")
    group.addoption("--proofs", action="store_true", help="a hundred times the random cases")


def pytest_configure(config):
    """The options, before anything is compiled; workers and the processes of tests inherit them."""
    if config.getoption("x64"):
        os.environ["JAX_ENABLE_X64"] = "1"
        jax.config.update("jax_enable_x64", True)
    settings.register_profile("few", max_examples=50, derandomize=True, deadline=None)
    settings.register_profile("many", max_examples=5_000, derandomize=True, deadline=None)
    settings.load_profile("many" if config.getoption("proofs") else "few")
    if not config.getoption("shipped"):
        os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
        jax.config.update("jax_disable_most_optimizations", True)
        jaxlr.backend.QUICKLY_COMPILED["xla_backend_optimization_level"] = 0
        if not worker:
            flags = os.environ.get("XLA_FLAGS", ""), PLAINLY, *filter(_is_known, [WITHOUT_EMITTERS])
            os.environ["XLA_FLAGS"] = " ".join(flags).strip()


def _is_known(flag: str) -> bool:
    """XLA ends a process that names a flag it doesn't know, so another process is asked."""
    library = [sys.executable, "-c", "import jax; jax.devices()"]
    tried = subprocess.run(library, env={**os.environ, "XLA_FLAGS": flag}, capture_output=True)
    return not tried.returncode


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A test that is marked float64 has it in every run."""
    with jax.enable_x64(jax.config.jax_enable_x64 or "float64" in item.keywords):
        return (yield)


@pytest.fixture
def no_page(monkeypatch):
    """Saves the drawing of a sweep where nobody looks."""
    from experiments.sweep import page

    monkeypatch.setattr(page, "write", lambda path, *rest: path.write_text("a page"))
