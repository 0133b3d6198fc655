"""BLAS on one core while a path runs, and as it was before when it has run."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from jaxlr import backend, losses, paths
from jaxlr.paths import march
from jaxlr.pytypes import Batch

pytestmark = pytest.mark.float64


def num_threads():
    libraries = ThreadpoolController().select(user_api="blas").info()
    return {library["num_threads"] for library in libraries}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        assert num_threads() == {2}
        yield
        assert num_threads() == {2}


def test_the_first_to_enter_puts_back_what_was_and_others_change_nothing():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with backend.on_one_core(10):
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with backend.on_one_core(10):
        thread.start()
        entered.wait()
        assert num_threads() == {1}
    assert num_threads() == {2}
    leave.set()
    thread.join()
    assert num_threads() == {2}
    with backend.on_one_core(10):
        assert num_threads() == {1}


def test_large_factors_keep_all_cores():
    with backend.on_one_core(backend.SMALL_FACTOR + 1):
        assert num_threads() == {2}


def test_a_failure_puts_back_what_was():
    with pytest.raises(ZeroDivisionError), backend.on_one_core(10):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("num_columns", "l1_ratio", "seen"), [(3, 0.0, {1}), (2100, 0.5, {2})])
def test_a_path_marches_so(monkeypatch, num_columns, l1_ratio, seen):
    def stop(*args):
        assert num_threads() == seen
        raise KeyboardInterrupt

    monkeypatch.setattr(march, "march", stop)
    x = np.random.default_rng(0).normal(size=(8, num_columns))
    batch = Batch(jnp.asarray(x), jnp.arange(8) % 2)
    with pytest.raises(KeyboardInterrupt):
        paths.fit(batch, [1.0], loss=losses.log_loss, l1_ratio=l1_ratio)
