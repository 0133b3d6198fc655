"""The README's examples run and print what it says; what the lectures' text names is there."""

import contextlib
import importlib
import io
import re
from pathlib import Path

import jax
import pytest

pytestmark = pytest.mark.once

README = (Path(__file__).parent.parent / "README.md").read_text()


EXAMPLES = re.findall(r"```python\n(.*?)```\n\nIt prints `(.*?)`", README, re.DOTALL)
NUMBER = r"\d+\.\d+"


@pytest.mark.parametrize(
    ("code", "promised"), EXAMPLES, ids=["install", "sgd", "paths", "proof", "kept"]
)
def test_an_example_prints_what_it_says(code, promised, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one of them saves a file
    said = io.StringIO()
    with (
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.enable_x64(False),
        contextlib.redirect_stdout(said),
    ):
        exec(code, {})
    said = said.getvalue().strip()
    assert re.sub(NUMBER, "#", said) == re.sub(NUMBER, "#", promised)
    numbers = [[float(number) for number in re.findall(NUMBER, text)] for text in (said, promised)]
    assert numbers[0] == pytest.approx(numbers[1], abs=2e-4), "another processor, another rounding"


def test_every_example_is_run():
    assert len(EXAMPLES) == README.count("```python")


def test_every_file_the_readme_points_at_is_there():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target


def test_every_function_that_the_lectures_text_names_is_there():
    text = (Path(__file__).parent.parent / "docs/lecture.md").read_text()
    named = set(re.findall(r"`(\w+)\.(\w+)[`(]", text))
    assert named >= {("training", "fit"), ("chain_rule", "risk"), ("optimizers", "sgd")}
    for module, name in named:
        assert hasattr(importlib.import_module(f"jaxlr.{module}"), name), f"{module}.{name}"


ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def named_files(text):
    """Every file that the text names, where it lies; None where it is nowhere."""
    tops = ("", "jaxlr", "experiments", "experiments/datasets", "experiments/kit", "tests")
    for name in re.findall(r"`([\w/.]+\.(?:py|html))`", text):
        yield name, next((top for top in tops if (ROOT / top / name).is_file()), None)


def test_every_file_that_contributing_names_is_there():
    found = dict(named_files(CONTRIBUTING))
    assert len(found) > 25
    assert [name for name, place in found.items() if place is None] == []


@pytest.mark.parametrize(("start", "most"), [("*A learning rate", 14), ("*A row of a CSV", 15)])
def test_a_walk_through_the_house_is_short(start, most):
    (walk,) = [line for line in CONTRIBUTING.splitlines() if line.startswith(start)]
    assert walk.count("→") + 1 == len(list(named_files(walk))) <= most
