"""The practice part: its page's model by hand, and the notebook, are what the library says."""

import json
import sys
from pathlib import Path

import jax
import nbclient
import nbformat
import numpy as np
import pytest

import jaxlr
from experiments.lecture import b04_practice
from jaxlr import Batch

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "experiments/lecture/practice.ipynb"
ASKED = """
import json, sys, jaxlr
ended = paths.Status(path.status[0]).name
print(json.dumps([sys.executable, jaxlr.__file__, ended, *table["weights apart"]]))
"""
pytestmark = pytest.mark.once


@pytest.mark.parametrize("scale", [1.0, 1e3])  # 1000: the naive σ overflows
def test_by_hand_is_the_machines_derivative(scale):
    rng = np.random.default_rng(0)
    x, y = scale * rng.normal(size=(40, 3)), 1.0 * (rng.random(40) < 0.4)
    w, b = rng.normal(size=3), 0.3
    with jax.enable_x64(True):
        given = {"w": w, "b": b}, Batch(x, y)
        value, grads = jax.value_and_grad(b04_practice.RISK)(*given)
        steps = b04_practice.BY_HAND(*given)
    by_hand = b04_practice.gradient(w, b, x, y)
    np.testing.assert_allclose(b04_practice.risk(w, b, x, y), value, rtol=1e-14)
    for ours in (grads, steps):
        np.testing.assert_allclose(by_hand[0], ours["w"], rtol=1e-12)
        np.testing.assert_allclose(by_hand[1], ours["b"], rtol=1e-12)


def test_the_notebook_is_clean_and_valid():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_the_notebook_runs_top_to_bottom(tmp_path, monkeypatch):
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASKED))
    folder = {"metadata": {"path": str(ROOT)}}  # so that this tree's library is imported
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder)
    client.execute()
    python, library, status, *apart = json.loads(notebook.cells[-1].outputs[0].text)
    assert (python, library) == (sys.executable, jaxlr.__file__)
    assert status == "certified"
    assert apart[-1] == 0
    assert max(apart) < 1e-3
