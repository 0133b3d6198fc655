"""The README's example runs and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

import jax
import pytest

pytestmark = pytest.mark.float32_pass

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_example_prints_its_number():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shape, number = re.search(r"It prints `(\(.*\)) ([\d.]+)`", README).groups()
    said = io.StringIO()
    with (
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.enable_x64(False),
        contextlib.redirect_stdout(said),
    ):
        exec(code, {})
    told_shape, told_number = said.getvalue().rsplit(" ", 1)
    assert told_shape == shape
    assert abs(float(told_number) - float(number)) <= 2e-4, "another processor, another rounding"


def test_every_file_the_readme_points_at_is_there():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
