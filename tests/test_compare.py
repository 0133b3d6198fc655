"""`python -m experiments.compare`: pairs, intervals beside scipy's, and what can't be compared."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.compare import __main__
from experiments.compare import run as compare

pytestmark = pytest.mark.once


def lanes(shift=0.0, seed=0, configs=6, folds=5):
    """A table as of a sweep; B's fold f gains shift and some noise."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "config": np.repeat(np.arange(configs), folds),
            "fold": np.tile(np.arange(folds), configs),
            "learning_rate": np.repeat(np.geomspace(0.01, 1, configs), folds),
            "val_log_loss": rng.random(configs * folds),
            "status": "done",
        }
    )
    noise = np.random.default_rng(seed).normal(size=folds) * 0.1 if seed else np.zeros(folds)
    return table.assign(val_log_loss=table["val_log_loss"] + shift + noise[table["fold"]])


def folder(path, table, **settings):
    path.mkdir()
    table.to_parquet(path / "results.parquet")
    told = {"settings": {"data": "iris", "epochs": 4, "out": str(path)} | settings}
    told |= {"best": {"config": 3, "mean": 0.5}, "test": {"accuracy": 0.9}}
    (path / "summary.json").write_text(json.dumps(told))
    return str(path)


def test_a_difference_is_scipys_paired_test_of_folds():
    a, b = lanes(), lanes(0.2, seed=1).sample(frac=1, random_state=0)
    table, pairs, unit = compare.compared(a, b, 0.9)
    (row,) = table.itertuples()
    assert (row.figure, pairs, unit, row.units) == ("val_log_loss", 30, "fold", 5)
    by_fold = [of.groupby("fold")["val_log_loss"].mean() for of in (a, b)]
    wanted = stats.ttest_rel(by_fold[1], by_fold[0]).confidence_interval(0.9)
    assert (row.low, row.high) == pytest.approx(tuple(wanted))
    assert row.difference == pytest.approx(row.b - row.a)


def test_only_equal_settings_are_pairs_and_only_finite_figures_count():
    a, b = lanes(), lanes(0.2).query("config < 4")
    a.loc[0, "val_log_loss"] = np.nan
    table, pairs, _ = compare.compared(a, b, 0.95)
    assert pairs == 20
    assert table["difference"][0] == pytest.approx(0.2)
    no_folds = [of[of["fold"] == 1].drop(columns="fold") for of in (lanes(), lanes(0.2))]
    assert compare.compared(*no_folds, 0.95)[2] == "pair"


def test_the_page_of_two_sweeps(tmp_path, capsys):
    a = folder(tmp_path / "a", lanes())
    b = folder(tmp_path / "b", lanes(0.25, seed=2), epochs=8)
    assert __main__.main([a, b]) == 0
    told = capsys.readouterr().out
    assert "--epochs: 4 in A, 8 in B" in told
    assert "30 pairs of lanes with the same settings, counted by fold" in told
    assert "95% interval" in told
    assert "B chose config 3, mean 0.5, test accuracy 0.900" in told
    assert "--out" not in told
    assert __main__.main([a, a]) == 0
    assert "A and B were asked the same" in capsys.readouterr().out


def test_mistakes_are_one_line(tmp_path, capsys):
    a = folder(tmp_path / "a", lanes())
    other = folder(tmp_path / "c", lanes().assign(learning_rate=7.0))
    for args, said in (
        ([a, str(tmp_path / "none")], "holds no results (results.parquet and summary.json)"),
        ([a, other], "A and B have no lane with the same settings (config, learning_rate, fold)"),
        ([a, a, "--confidence", "95"], "--confidence 95: must lie between 0 and 1"),
        ([a], "B"),
    ):
        assert __main__.main(args) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert said in told
