"""The strictest JAX, set once for every test; hypothesis profiles; eight virtual devices."""

import os

import jax
import pytest
from hypothesis import settings

import jaxlr.backend  # noqa: F401  (as in the library: before the first array)

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

# `make test` is small and repeatable; `make proofs` runs the same tests on many more cases.
settings.register_profile("test", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("proofs", max_examples=5_000, derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A test that is kept for float64 has it in every run."""
    with jax.enable_x64(jax.config.jax_enable_x64 or "float64_pass" in item.keywords):
        return (yield)
