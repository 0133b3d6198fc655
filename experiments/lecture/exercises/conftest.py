"""`turn` is the exercise of the test's own file, or its solution with --solutions."""

import importlib

import pytest

PACKAGE = "experiments.lecture.exercises"


def pytest_addoption(parser):
    """The option that asks for the solutions."""
    parser.addoption("--solutions", action="store_true", help="test our own answers")


@pytest.fixture
def turn(request):
    """The module that the student, or its author, has written."""
    package = f"{PACKAGE}.solutions" if request.config.getoption("--solutions") else PACKAGE
    return importlib.import_module(f"{package}.{request.path.stem.removeprefix('test_')}")
