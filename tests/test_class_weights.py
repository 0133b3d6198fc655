"""Classes that weigh: as scikit-learn says, and as a column of weights would."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from experiments.kit import class_weights
from experiments.kit.clock import Clock
from experiments.optimizers import __main__ as optimizers
from experiments.sweep import __main__ as sweep
from experiments.sweep import run
from experiments.sweep.settings import Settings

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("no_page")]
COMMANDS = {
    "sweep": (sweep, "--configs 3 --epochs 2 --folds 3 --batch-size 30"),
    "optimizers": (optimizers, "--points 3 --seeds 2 --epochs 2 --optimizers sgd adam"),
}


@pytest.fixture
def flowers(tmp_path):
    """iris, with a column of weights: 1, 0.5 and 2 by class."""
    x, labels = load_iris(return_X_y=True)
    table = pd.DataFrame(x, columns=list("abcd")).assign(w=np.take([1, 0.5, 2], labels), y=labels)
    table.to_csv(tmp_path / "flowers.csv", index=False)
    return tmp_path / "flowers.csv"


@pytest.mark.parametrize("name", COMMANDS)
def test_weights_of_classes_are_weights_of_their_rows(flowers, name):
    command, few = COMMANDS[name]
    ways = {"by_class": "--drop w --class-weight 1 0.5 2", "by_row": "--weights w"}
    for folder, typed in ways.items():
        out = str(flowers.parent / folder)
        assert (
            command.main(["--data", str(flowers), "--out", out, *few.split(), *typed.split()]) == 0
        )
    of_class, of_row = (pd.read_parquet(flowers.parent / way / "results.parquet") for way in ways)
    pd.testing.assert_frame_equal(of_class, of_row)
    summaries = [(flowers.parent / way / "summary.json").read_text() for way in ways]
    assert ["training rows weigh by class" in told for told in summaries] == [True, False]


def test_test_rows_of_a_sweep_weigh_as_before():
    settings = Settings(data="breast_cancer", class_weight=("balanced",), configs=1, folds=2)
    problem, *_ = run.prepared(settings, Clock())
    labels = np.asarray(problem.train.labels)
    balanced = compute_sample_weight("balanced", labels)
    np.testing.assert_allclose(problem.train.weights, balanced, rtol=1e-6)
    assert set(np.asarray(problem.test.weights)) == {1}
    assert problem.commonest == np.bincount(labels).argmax()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--data diabetes --class-weight balanced", "is a number and has no classes"),
        ("--data iris --class-weight 1 2", "has 2 numbers, and there are 3 classes"),
        ("--data iris --class-weight even", "say balanced, or a number for each class"),
    ],
)
@pytest.mark.parametrize("name", COMMANDS)
def test_mistakes_are_one_line(name, typed, said, tmp_path, capsys):
    command, few = COMMANDS[name]
    assert command.main([*typed.split(), *few.split(), "--out", str(tmp_path / "o")]) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_class_weights_are_scikit_learns():
    labels = np.repeat([0, 1, 2], [5, 2, 1])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(class_weights.of_classes("balanced", labels, "abc"), expected)
    weights = np.array([1.0, 1, 1, 1, 2, 3, 1, 2])  # weight 2 is the row twice
    own = class_weights.of_classes("balanced", labels, "abc", weights)
    twice = np.repeat(labels, weights.astype(int))
    np.testing.assert_allclose(own, compute_class_weight("balanced", classes=np.arange(3), y=twice))
    np.testing.assert_array_equal(
        class_weights.of_rows((1, 0, 3), labels, "abc"), [1] * 5 + [0, 0, 3]
    )
    assert class_weights.asked(()) is None
    assert class_weights.asked(("1", "0.5")) == (1.0, 0.5)
