"""The compiled numbers are the true ones, also beyond the size where XLA's fusions lose a row."""

import os
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src import xla_bridge

from jaxlr import backend
from jaxlr.backend import FLAG

pytestmark = [pytest.mark.once, pytest.mark.as_shipped]


@pytest.fixture
def in_time(monkeypatch):
    """As if no array had been made yet."""
    monkeypatch.setattr(xla_bridge, "backends_are_initialized", lambda: False)
    return monkeypatch


LANES, ROWS, CLASSES = 24, 2080, 10  # 49,920 rows in all; the fault begins at 32,768


def test_reductions_of_many_lanes_belong_to_their_lanes():
    rng = np.random.default_rng(0)
    logits = jnp.asarray(rng.normal(size=(LANES, ROWS, CLASSES)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, CLASSES, ROWS), jnp.int32)
    fold_weights = jnp.asarray(rng.integers(0, 2, (5, ROWS)), jnp.float32)

    def loss(z, label):
        shifted = z - jnp.max(z)
        own = jax.nn.one_hot(label, CLASSES, dtype=z.dtype)
        return -jnp.sum(own * (shifted - jnp.log(jnp.sum(jnp.exp(shifted)))))

    def mean(z, fold):
        weights = fold_weights[fold]
        return jnp.sum(weights * jax.vmap(loss)(z, labels)) / jnp.sum(weights)

    folds = jnp.arange(LANES) % 5
    compiled = jax.jit(jax.vmap(mean))(logits, folds)

    z, w = np.asarray(logits, np.float64), np.asarray(fold_weights, np.float64)[np.asarray(folds)]
    own = np.take_along_axis(z, np.asarray(labels)[None, :, None], axis=-1)[..., 0]
    truth = ((np.log(np.exp(z).sum(-1)) - own) * w).sum(1) / w.sum(1)
    np.testing.assert_allclose(np.asarray(compiled), truth, rtol=1e-5)


def run(code, flags):
    """What a fresh Python prints, warnings included."""
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"XLA_FLAGS": flags},
    )
    return told.stdout.strip() + told.stderr.strip()


def test_importing_the_library_sets_the_flag_where_it_is_needed_and_keeps_what_was_there():
    code = "import os, jaxlr; jaxlr.paths.fit; print(os.environ['XLA_FLAGS'])"
    there = "--xla_cpu_multi_thread_eigen=true"
    assert run(code, there) == (f"{there} {backend.FLAG}=" if backend.FAULTY else there)


def test_importing_late_is_said_where_sums_are_wrong():
    code = f"""
import os, jax.numpy as jnp
jnp.zeros(3) + 1
os.environ["XLA_FLAGS"] = "{backend.FLAG}="  # as late
import jaxlr"""
    told = run(code, "")
    if backend.JAXLIB == (0, 10, 2):
        assert "<string>:5: RuntimeWarning: jaxlib 0.10.2's sums on the CPU may be wrong" in told
        assert (
            f"import jaxlr before the first array, or start Python with XLA_FLAGS={FLAG}=" in told
        )
    else:
        assert told == ""


def test_in_time_no_row_is_lost():
    assert not backend.loses_a_row()


def test_where_jax_has_no_cpu_there_is_nothing_to_say(monkeypatch):
    def none(backend):
        raise RuntimeError(f"Unknown backend {backend}")

    monkeypatch.setattr(jax, "local_devices", none)
    assert not backend.loses_a_row()


@pytest.mark.parametrize(
    ("flags", "then"),
    [("", f"{FLAG}="), (" --a=1", f"--a=1 {FLAG}="), (f"{FLAG}= --a=1", f"{FLAG}= --a=1")],
)
def test_in_time_the_fusions_are_switched_off(in_time, flags, then):
    in_time.setenv("XLA_FLAGS", flags)
    backend.guard()
    assert os.environ["XLA_FLAGS"] == then


@pytest.mark.parametrize(
    ("flags", "cure"),
    [
        (f"{FLAG}=dot", f"has {FLAG}=dot: say {FLAG}= "),
        (f"{FLAG}= {FLAG}=reduce --a=1", f"has {FLAG}=reduce: say {FLAG}= "),
        ("/etc/flags", f"names the file /etc/flags: unless it has the line {FLAG}=, add it"),
    ],
)
def test_a_choice_that_is_already_there_stands_and_is_said(in_time, flags, cure):
    in_time.setenv("XLA_FLAGS", flags)
    with pytest.warns(RuntimeWarning, match=re.escape(cure)):
        backend.guard()
    assert os.environ["XLA_FLAGS"] == flags


def test_compile_options_that_xla_does_not_know_are_dropped(monkeypatch):
    monkeypatch.setitem(backend.QUICKLY_COMPILED, "xla_no_such_option", True)
    doubled = backend.QuicklyCompiled(lambda x, times: x * times, static_argnums=1)
    assert doubled(3.0, 2) == 6
    assert doubled.lower(3.0, 2).compile()(3.0) == 6
    known = {name for name, value in backend.QUICKLY_COMPILED.items() if backend.known(name, value)}
    emitters = {"xla_cpu_use_fusion_emitters"} if backend.JAXLIB < (0, 11, 1) else set()
    assert known == {"xla_backend_optimization_level"} | emitters
