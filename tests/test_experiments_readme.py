"""The experiment that `experiments/README.md` shows runs as it stands, and is told of mistakes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from experiments.datasets import load
from experiments.kit import problems

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "experiments/README.md").read_text(encoding="utf-8")
(CODE,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """(its folder, a function that runs it)."""
    folder = tmp_path_factory.mktemp("rows")
    (folder / "rows.py").write_text(CODE, encoding="utf-8")

    def call(*args):
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "rows.py", *args]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)

    return folder, call


def test_the_experiment_is_short_and_runs(rows):
    folder, call = rows
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 40
    ran = call("--data", "breast_cancer", "--parts", "0.2", "1", "--out", "o")
    assert ran.returncode == 0, ran.stderr
    lanes = pd.read_parquet(folder / "o/results.parquet")
    summary = json.loads((folder / "o/summary.json").read_text())
    assert len(lanes) == summary["num_lanes"] == 18
    assert sorted(lanes["part"].unique()) == [0.2, 1.0]
    assert (lanes["status"] == "certified").all()
    assert sum(summary["seconds"].values()) > summary["run_seconds"] > 0


def test_its_whole_part_is_scikit_learns_fit(rows):
    folder, _ = rows
    lanes = pd.read_parquet(folder / "o/results.parquet")
    lane = lanes[(lanes["part"] == 1) & (lanes["lambda"].round(9) == 0.01)].iloc[0]
    problem = problems.prepare(load("breast_cancer"), jax.random.key(0), 0.2)
    train = problem.train
    model = LogisticRegression(C=1 / (0.01 * len(train.x)), tol=1e-10, max_iter=10_000)
    model.fit(train.x, train.labels)
    accuracy = model.score(problem.test.x, problem.test.labels)
    assert lane["test_accuracy"] == pytest.approx(accuracy)


def test_its_mistakes_are_one_line(rows):
    folder, call = rows
    for args in (["--data", "none.csv"], ["--part", "1"], ["--data", "iris", "--target", "no"]):
        ran = call(*args, "--out", "bad")
        assert ran.returncode == 2
        assert ran.stderr.startswith("error: ")
        assert ran.stderr.count("\n") == 1
    assert not (folder / "bad").exists()
