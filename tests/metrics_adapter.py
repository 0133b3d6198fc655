"""scikit-learn's own metric tests, pointed at ours: how its calls and answers are translated.

scikit-learn answers with numpy arrays and Python floats in float64, and takes sparse indicators.
Its tests also look for its own error texts and warnings: an error of ours has its own words, always
is a ValueError, and nothing of ours warns. Nothing else is translated.
"""

import contextlib
import functools
import importlib
import inspect
from itertools import product
from unittest import mock

import jax
import numpy as np
import pytest
import scipy.sparse

from jaxlr import metrics


def their_tests(name):
    """A test module of scikit-learn, whose marks we needn't have declared."""
    with mock.patch.object(pytest.mark, "_config", None):
        return importlib.import_module(f"sklearn.metrics.tests.{name}")


@functools.cache
def adapted(name):
    """Our metric of that name, answering as scikit-learn does."""
    ours = getattr(metrics, name)

    @functools.wraps(ours)
    def call(*args, **kwargs):
        args = [_dense(a) for a in args]
        kwargs = {key: _dense(a) for key, a in kwargs.items()}
        with jax.enable_x64(True):
            return _plain(ours(*args, **kwargs))

    return call


def _dense(value):
    return value.toarray() if scipy.sparse.issparse(value) else value


def _plain(value):
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, jax.Array):
        return np.asarray(value) if value.ndim else np.asarray(value).item()
    return value


def point_at_ours(module, monkeypatch):
    """Replaces every metric that a scikit-learn test module has imported, where we have one."""
    for name in dir(module):
        theirs = getattr(module, name)
        public = callable(theirs) and getattr(theirs, "__module__", "").startswith("sklearn.")
        if public and hasattr(metrics, name):
            monkeypatch.setattr(module, name, adapted(name))
        elif name.endswith("_METRICS") and isinstance(theirs, dict):
            monkeypatch.setattr(module, name, {key: _ours(m) for key, m in theirs.items()})
    monkeypatch.setattr(module, "pytest", OurWords())


class OurWords:
    """pytest, for which any ValueError is the error expected, and a warning is not."""

    def __getattr__(self, name):
        return getattr(pytest, name)

    @staticmethod
    def raises(expected, match=None):
        """An error of the kind expected, or the ValueError that we raise for all of them."""
        del match
        return pytest.raises((expected, ValueError))

    @staticmethod
    def warns(*args, **kwargs):
        """No warning is asked for."""
        del args, kwargs
        return contextlib.nullcontext([])


def cases_of(module):
    """(id, function, arguments) of every test of a module that needs no fixture of its own."""
    for name, function in list(vars(module).items()):
        if not name.startswith("test_") or not callable(function):
            continue
        for number, arguments in enumerate(_arguments(function)):
            wanted = set(inspect.signature(function).parameters)
            if "global_random_seed" in wanted:
                arguments = arguments | {"global_random_seed": 0}
            if wanted == set(arguments):
                arguments = {key: _ours(value) for key, value in arguments.items()}
                yield f"{name}[{number}]", function, arguments


def about_ours(module, arguments):
    """Whether a case of the tests that all their metrics share is about one that we have too."""
    names = [arguments[key] for key in ("name", "metric_name") if key in arguments]
    found = [module.ALL_METRICS[name] for name in names] + [
        value for key, value in arguments.items() if key == "metric"
    ]
    return all(_is_ours(module, metric) for metric in found)


def _is_ours(module, metric):
    while isinstance(metric, functools.partial):
        metric = metric.func
    return metric.__module__ == module.__name__ or hasattr(metrics, metric.__name__)


def _ours(value):
    """Metrics among the arguments of a test, pointed at ours too."""
    if isinstance(value, functools.partial):
        return functools.partial(_ours(value.func), *value.args, **value.keywords)
    if getattr(value, "__module__", "").startswith("sklearn.metrics"):
        name = getattr(value, "__name__", "")
        return adapted(name) if hasattr(metrics, name) else value
    return value


def _arguments(function):
    """Every combination of the function's parametrize marks, as dictionaries."""
    axes = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names = mark.args[0]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        axes.append([_bind(names, values) for values in mark.args[1]])
    for combination in product(*axes):
        yield {key: value for part in combination for key, value in part.items()}


def _bind(names, values):
    # A pytest.param holds its values in a tuple, also when there is one.
    values = values.values if hasattr(values, "marks") else values if len(names) > 1 else [values]
    return dict(zip(names, values, strict=True))
