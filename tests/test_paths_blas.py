"""BLAS on one core while a path runs, and as it was before when it has run."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from jaxlr import losses, paths
from jaxlr.paths import blas, march
from jaxlr.pytypes import Batch

pytestmark = pytest.mark.float64_pass


def num_threads():
    libraries = ThreadpoolController().select(user_api="blas").info()
    return {library["num_threads"] for library in libraries}


@pytest.fixture(autouse=True)
def two_threads():
    # Not as a context: within one, threadpoolctl lets no other thread change anything.
    limits = threadpool_limits(2, user_api="blas")
    assert num_threads() == {2}
    yield
    assert num_threads() == {2}
    limits.restore_original_limits()


def test_the_last_to_leave_puts_back_what_was():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with blas.on_one_core(10):
            entered.set()
            leave.wait()

    with blas.on_one_core(10):
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait()
        assert num_threads() == {1}
    assert num_threads() == {1}  # the other one is still inside
    leave.set()
    thread.join()


def test_large_factors_keep_all_cores():
    with blas.on_one_core(blas.SMALL + 1):
        assert num_threads() == {2}


def test_a_failure_puts_back_what_was():
    with pytest.raises(ZeroDivisionError), blas.on_one_core(10):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("num_columns", "l1_ratio", "seen"), [(3, 0.0, {1}), (600, 0.5, {2})])
def test_a_path_marches_so(monkeypatch, num_columns, l1_ratio, seen):
    def stop(*args):
        assert num_threads() == seen
        raise KeyboardInterrupt

    monkeypatch.setattr(march, "march", stop)
    x = np.random.default_rng(0).normal(size=(8, num_columns))
    batch = Batch(jnp.asarray(x), jnp.arange(8) % 2)
    with pytest.raises(KeyboardInterrupt):
        paths.fit(batch, [1.0], loss=losses.log_loss, l1_ratio=l1_ratio)
