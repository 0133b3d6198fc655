"""The compiled numbers are the true ones, also beyond the size where XLA's fusions lose a row."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import backend

pytestmark = [pytest.mark.float32_pass, pytest.mark.as_shipped]

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


def test_importing_the_library_sets_the_flag_and_keeps_what_was_there():
    code = "import os, jaxlr; print(os.environ['XLA_FLAGS'])"
    environment = os.environ | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=true"}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert told.strip() == f"--xla_cpu_multi_thread_eigen=true {backend.FLAG}="


def test_a_choice_that_is_already_there_stands():
    assert backend.without_ynn_fusion(f"{backend.FLAG}=dot") == f"{backend.FLAG}=dot"
    assert backend.without_ynn_fusion("") == f"{backend.FLAG}="
