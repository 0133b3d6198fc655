"""`python -m experiments.sweep`: its files, its choice, and one line for every mistake."""

import json

import jax
import numpy as np
import pandas as pd
import pytest

from experiments.datasets import load
from experiments.kit import outputs, problems, saved
from experiments.sweep import __main__, choosing

FAST = ["--configs", "4", "--epochs", "2", "--folds", "3"]


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep") / "iris"
    assert main("--data", "iris", "--out", out, "--seed", 3, *FAST) == 0
    return out


@pytest.mark.once
def test_the_files_hold_what_they_promise(finished):
    assert sorted(path.name for path in finished.iterdir()) == [
        "coefficients.csv",
        "model.npz",
        "report.html",
        "results.parquet",
        "steps.parquet",
        "summary.json",
    ]
    lanes = pd.read_parquet(finished / "results.parquet")
    assert len(lanes) == 12
    assert {"config", "fold", "learning_rate", "momentum", "l2", "status"} <= set(lanes.columns)
    assert {"val_log_loss", "val_accuracy", "risk", "died_at"} <= set(lanes.columns)
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["num_lanes"] == 12
    assert {"device", "jax", "compile_seconds", "run_seconds", "best"} <= set(summary)
    assert summary["settings"]["seed"] == 3
    assert summary["settings"]["configs"] == 4
    means = lanes.groupby("config")["val_log_loss"].mean()
    assert summary["best"]["config"] == means.idxmin()
    assert summary["best"]["mean"] == pytest.approx(means.min(), rel=1e-6)
    page = (finished / "report.html").read_text()
    assert "<svg" in page or "data:image" in page


@pytest.mark.once
def test_the_saved_model_is_the_one_that_was_tested(finished):
    summary = json.loads((finished / "summary.json").read_text())
    model = saved.load(finished / "model.npz")
    split_key, _ = jax.random.split(jax.random.key(3))
    problem = problems.prepare(load("iris"), split_key, 0.2, 3)
    logits = np.asarray(problem.test.x) @ model.params["w"] + model.params["b"]
    right = logits.argmax(axis=1) == np.asarray(problem.test.labels)
    assert right.mean() == pytest.approx(summary["test"]["accuracy"])
    assert summary["guessing"] == pytest.approx(np.log(3), rel=1e-3)
    page = (finished / "report.html").read_text()
    assert "guessing by class frequency gives 1.10" in page[: page.index("Test accuracy")]
    assert 'id="coefficients"' in page


@pytest.mark.once
def test_the_same_seed_writes_the_same_lanes(finished, tmp_path, no_page):
    assert main("--data", "iris", "--out", tmp_path / "again", "--seed", 3, *FAST) == 0
    assert main("--data", "iris", "--out", tmp_path / "other", "--seed", 4, *FAST) == 0
    first, again, other = (
        pd.read_parquet(folder / "results.parquet")
        for folder in (finished, tmp_path / "again", tmp_path / "other")
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["val_log_loss"].equals(other["val_log_loss"])


@pytest.mark.once
def test_weights_of_any_size_train(finished, tmp_path, no_page):
    table = load("iris")
    columns = pd.DataFrame(table.features, columns=list(table.feature_names))
    names = np.array(table.class_names)[table.labels]
    columns.assign(w=1e-44, target=names).to_csv(tmp_path / "light.csv", index=False)
    args = ["--data", tmp_path / "light.csv", "--weights", "w", "--seed", 3, *FAST]
    assert main(*args, "--out", tmp_path / "o") == 0
    mine, theirs = (
        pd.read_parquet(folder / "results.parquet") for folder in (tmp_path / "o", finished)
    )
    np.testing.assert_allclose(mine["val_log_loss"], theirs["val_log_loss"], rtol=1e-4)
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert "weights are divided by 2^" in " ".join(summary["data"]["notes"])


@pytest.mark.once
@pytest.mark.parametrize("data", ["breast_cancer", "diabetes"])
def test_the_other_tasks_are_inferred_and_learn(data, tmp_path, no_page):
    args = ["--configs", "8", "--epochs", "5", "--batch-size", "16"]
    assert main("--data", data, "--out", tmp_path / "o", *args) == 0
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    if data == "breast_cancer":
        assert summary["data"]["task"] == "binary"
        assert summary["test"]["accuracy"] > 0.9
    else:
        assert summary["data"]["task"] == "regression"
        assert summary["test"]["squared_error"] < 0.7, "of a target with variance 1"


@pytest.mark.once
def test_static_choices_are_groups_and_columns(tmp_path, no_page):
    args = ["--optimizer", "momentum", "adam", "--model", "mlp", "--hidden", "4"]
    assert main("--data", "wine", "--out", tmp_path / "o", *args, *FAST[2:], "--configs", 8) == 0
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    groups = lanes[["optimizer", "model"]].drop_duplicates()
    assert summary["num_compilations"] == len(groups) > 1
    assert set(lanes["optimizer"]) == {"momentum", "adam"}


@pytest.mark.once
def test_all_lanes_diverged_is_said_and_the_table_kept(tmp_path, capsys):
    args = ["--learning-rate", "1e8", "1e9", "--data", "diabetes"]
    assert main(*args, "--out", tmp_path / "o", *FAST) == 1
    assert (
        "No setting can be chosen: every configuration diverged. Lower" in capsys.readouterr().out
    )
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    assert (lanes["status"] == "diverged").all()
    assert (lanes["died_at"] >= 0).all()
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["best"] is None
    assert (tmp_path / "o" / "report.html").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--data", "digit"], "did you mean 'digits'"),
        (["--data", "iris", "--target", "foo"], "no column 'foo'"),
        (["--configs", "0"], "--configs 0: must be at least 1"),
        (["--configs", "many"], "many"),
        (["--no-such-option"], "no-such-option"),
        (["--optimizer", "sdg"], "sdg"),
        (["--epochs", "0"], "--epochs 0: must be at least 1"),
        (["--folds", "1"], "--folds 1: must be at least 2"),
        (["--learning-rate", "1", "0.1"], "--learning-rate 1 0.1: the range is empty"),
        (["--learning-rate", "0", "0.1"], "LOW must be above 0"),
        (["--l2", "-1", "1"], "--l2 -1 1: must lie in"),
        (["--l2", "nan", "1"], "--l2 nan 1: the range is empty"),
        (["--momentum", "0", "1"], "--momentum 0 1: must lie in"),
        (["--optimizer", "adam", "--b2", "0.9", "1"], "--b2 0.9 1: must lie in [0, 1)"),
        (
            ["--optimizer", "adam", "momentum", "--rho", "0", "0.9", "--b3", "0", "0.9"],
            "--rho, --b3: no number of a chosen optimizer; adam has learning_rate, b1, b2, eps, ep"
            "s_root; momentum has learning_rate, momentum\n",
        ),
        (["--optimizer", "sgd", "--momentum", "0", "0.9"], "--momentum: no number of a chosen"),
        (["--optimizer", "lookahead", "--sync-period", "0", "9"], "LOW must be at least 1"),
        (["--batch-size", "0"], "--batch-size: every size must be at least 1"),
        (["--data", "iris", "--batch-size", "121"], "larger than the 120 training rows"),
        (
            ["--data", "iris", "--folds", "121"],
            "--folds 121: there are only 120 training rows; take --folds 120 at most\n",
        ),
        (["--test-fraction", "1.5"], "--test-fraction 1.5: must lie between 0 and 1"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(args, said, tmp_path, capsys):
    assert main(*args, "--out", tmp_path / "o") == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert said in told.err
    assert not list(tmp_path.iterdir())


@pytest.mark.once
def test_earlier_results_are_replaced_only_when_asked(finished, capsys):
    before = (finished / "results.parquet").read_bytes()
    assert main("--data", "iris", "--out", finished, *FAST) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (finished / "results.parquet").read_bytes() == before


def test_overwriting_never_touches_a_folder_of_somebody_else(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main("--data", "iris", "--out", tmp_path, "--overwrite", *FAST) == 2
    assert "holds other files" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main("--out", tmp_path / "file") == 2
    assert "a file has that name" in capsys.readouterr().err
    assert main("--out", tmp_path / "file" / "below") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_run_that_breaks_leaves_no_half_of_a_folder(tmp_path):
    def broken():
        with outputs.results(__main__.Settings(out=str(tmp_path / "o"))) as folder:
            (folder / "results.parquet").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert not list(tmp_path.iterdir())


def test_one_standard_error_takes_the_strongest_penalty_nearby():
    configs = pd.DataFrame(
        {
            "config": [0, 1, 2, 3],
            "mean": [0.10, 0.11, 0.12, 0.5],
            "se": [0.015, 0.0, 0.0, 0.0],
            "l2": [1e-4, 1e-2, 1e-1, 1.0],
        }
    )
    assert choosing.choose(configs, "best")["config"] == 0
    assert choosing.choose(configs, "one_standard_error")["config"] == 1
    assert choosing.choose(configs.assign(mean=np.nan), "best") is None


def test_a_configuration_that_diverged_on_one_fold_is_ranked_last():
    lanes = pd.DataFrame(
        {
            "config": [0, 0, 1, 1],
            "fold": [0, 1, 0, 1],
            "l2": [0.1, 0.1, 0.2, 0.2],
            "risk": [0.1, np.nan, 0.5, 0.6],
            "val_log_loss": [0.1, np.nan, 0.5, 0.7],
            "status": ["done", "diverged", "done", "done"],
            "died_at": [-1, 3, -1, -1],
        }
    )
    ranked = choosing.rank(lanes, "val_log_loss")
    assert list(ranked["config"]) == [1, 0]
    assert ranked["mean"].iloc[0] == pytest.approx(0.6)
    assert ranked["se"].iloc[0] == pytest.approx(0.1)
    assert list(ranked["diverged_folds"]) == [0, 1]


def test_scaling_statistics_come_from_training_rows_only():
    table = load("diabetes")
    problem = problems.prepare(table, jax.random.key(0), 0.5)
    x = np.asarray(problem.train.x, np.float64)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-5)
    assert np.abs(np.asarray(problem.test.x).mean(axis=0)).max() > 1e-3
    labels = np.asarray(problem.train.labels, np.float64)
    assert (labels.mean(), labels.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
