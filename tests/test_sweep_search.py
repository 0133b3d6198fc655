"""`--design optuna`: batches that Optuna proposes, hears of, and goes on with."""

import math
import sys

import numpy as np
import pandas as pd
import pytest

from experiments.sweep import __main__, search, study

pytestmark = pytest.mark.once
optuna = pytest.importorskip("optuna")

ASKED = ("--data", "iris", "--configs", "6", "--epochs", "1", "2", "--folds", "2")
SEARCH = (*ASKED, "--design", "optuna", "--ask", "3")


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("search") / "o"
    assert main(*SEARCH, "--out", out) == 0
    return out


def told(file):
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    trials = optuna.load_study(study_name="search", storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    return trials


def test_optuna_heard_the_mean_losses_of_the_points_that_it_proposed(found):
    lanes, trials = pd.read_parquet(found / "results.parquet"), told(found / "study.db")
    assert len(lanes) == 12
    means = lanes.groupby("config")["val_log_loss"].mean()
    np.testing.assert_allclose([trial.value for trial in trials], means, rtol=1e-6)
    drawn = np.array([trial.params["learning_rate"] for trial in trials])
    rates = lanes.groupby("config")["learning_rate"].first()
    np.testing.assert_allclose(rates, 1e-3 * 1000**drawn, rtol=1e-5)
    assert len(set(drawn)) == 6
    last = pd.read_parquet(found / "steps.parquet").groupby("lane").last()
    assert last.index.tolist() == list(range(12))  # counted on from round to round
    columns = ["config", "fold", "learning_rate", "val_log_loss"]
    pd.testing.assert_frame_equal(last[columns], lanes[columns], check_names=False)


def test_a_search_that_was_stopped_goes_on_to_the_same_points(found, tmp_path, monkeypatch, capsys):
    trained, rounds = study.trained, []

    def stop_at_the_second(*args, **options):
        rounds.append(args)
        if len(rounds) == 2:
            raise KeyboardInterrupt
        return trained(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(study, "trained", stop_at_the_second)
        assert main(*SEARCH, "--out", tmp_path / "o") == 130
    assert "to go on: python -m experiments.sweep" in capsys.readouterr().err
    assert len(told(tmp_path / "o.partial/search/study.db")) == 6  # asked, the last three not told
    assert main(*SEARCH, "--out", tmp_path / "o", "--resume") == 0
    lanes = [pd.read_parquet(folder / "results.parquet") for folder in (found, tmp_path / "o")]
    pd.testing.assert_frame_equal(*lanes)


def test_what_diverged_is_worth_least_and_half_asked_trials_are_passed_over(tmp_path):
    with search.Search(tmp_path, ["a"], 0, 2) as asked:
        asked._study.ask()  # killed before it had a point
        trials = asked.asked(0, 2)
        asked.told(trials, pd.Series([0.5, math.nan]))
        asked.told(trials, pd.Series([9.0, 9.0]))  # told once
        assert [trial.value for trial in asked._study.trials] == [None, 0.5, math.inf]
        assert [trial.number for trial in asked.asked(0, 3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*ASKED, "--ask", "3"), "--ask 3: goes with --design optuna; leave it out"),
        ((*SEARCH, "--schedule", "halving"), "--design optuna judges by whole runs"),
    ],
)
def test_mistakes_are_one_line(args, said, tmp_path, capsys):
    assert main(*args, "--out", tmp_path / "o") == 2
    assert said in capsys.readouterr().err


def test_a_missing_optuna_is_named_with_its_cure(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(*SEARCH, "--out", tmp_path / "o") == 2
    said = "--design optuna: optuna is not installed: pip install 'jaxlr[search]'"
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
