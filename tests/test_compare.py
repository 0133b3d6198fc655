"""Two result folders: which lanes are pairs, what they differ by, and how surely."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.compare import pairs
from experiments.compare.__main__ import main

pytestmark = pytest.mark.once


def lanes(gain=0.0, batch_size=8, settings=6, folds=3, seed=0):
    draw = np.random.default_rng(7)
    rates, noise = draw.random(settings), np.random.default_rng(seed)
    table = pd.DataFrame({"config": np.repeat(np.arange(settings), folds)})
    table["fold"] = np.tile(np.arange(folds), settings)
    table["learning_rate"] = np.repeat(rates, folds)
    table["val_log_loss"] = table["learning_rate"] + gain + 0.1 * noise.random(len(table))
    table["status"], table["died_at"], table["batch_size"] = "done", -1, batch_size
    return table


def saved(tmp_path, name, table, command="experiments.sweep", **settings):
    folder = tmp_path / name
    folder.mkdir()
    table.to_parquet(folder / "results.parquet")
    told = {"command": f"python -m {command} --out x", "settings": {"out": name, **settings}}
    if name == "b":
        told |= {"best": {"config": 3, "mean": 0.25}, "test": {"log_loss": 0.5}}
    (folder / "summary.json").write_text(json.dumps(told))
    return str(folder)


def test_differences_are_those_of_the_settings_means():
    a, b = lanes(), lanes(gain=0.05, batch_size=16, seed=1)
    found = pairs.paired(a, b.sample(frac=1, random_state=0))
    assert found.changed == {"batch_size": (8, 16)}
    assert len(found.pairs) == 18
    (row,) = pairs.differences(found).to_dict("records")
    means = [t.groupby("config")["val_log_loss"].mean().to_numpy() for t in (a, b)]
    change = means[1] - means[0]
    half = stats.t.ppf(0.975, 5) * change.std(ddof=1) / np.sqrt(6)
    assert row["settings"] == 6
    np.testing.assert_allclose(row["difference"], change.mean())
    np.testing.assert_allclose([row["low"], row["high"]], change.mean() + half * np.array([-1, 1]))
    assert (row["rose"], row["fell"]) == ((change > 0).sum(), (change < 0).sum())


def test_a_setting_that_lost_a_fold_is_left_out_and_its_ending_told():
    a, b = lanes(), lanes()
    b.loc[4, ["val_log_loss", "status"]] = np.nan, "diverged"
    found = pairs.paired(a, b)
    (row,) = pairs.differences(found).to_dict("records")
    assert (row["settings"], row["difference"], row["rose"]) == (5, 0.0, 0)
    assert pairs.endings(found).to_dict() == {("done", "diverged"): 1}


def test_what_is_printed(tmp_path, capsys):
    a = saved(tmp_path, "a", lanes(), batch_size=[8], seed=0)
    b = saved(tmp_path, "b", lanes(0.5, 16, seed=1).iloc[:15], batch_size=[16], seed=0)
    assert main([a, b]) == 0
    out = capsys.readouterr().out
    assert "batch size: 8 in A, 16 in B\n15 pairs of lanes, 3 of A alone\n" in out
    (line,) = (line.split() for line in out.splitlines() if line.startswith("val log loss"))
    assert line[3] == "5"
    assert 0.4 < float(line[6]) < 0.6
    assert line[-2:] == ["5", "0"]
    assert "\nA no single choice\nB chose config 3, mean 0.25, test log-loss 0.500\n" in out


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"command": "experiments.path"}, "is of experiments.sweep and"),
        (
            {"table": lanes().assign(learning_rate=np.arange(18.0))},
            "no lane of A has its like in B: learning_rate (0.6",
        ),
        ({"table": pd.concat([lanes()] * 2)}, "B has two lanes of fold 0, learning_rate 0.625,"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, capsys, other, said):
    a = saved(tmp_path, "a", lanes())
    b = saved(tmp_path, "b", **({"table": lanes()} | other))
    assert main([a, b]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_folder_without_results_is_one_line(tmp_path, capsys):
    a = saved(tmp_path, "a", lanes())
    for name, why in (("none", "it has none"), ("broken", "cut short")):
        folder = tmp_path / name
        if name == "broken":
            folder.mkdir()
            (folder / "results.parquet").write_bytes(b"PAR1")
        assert main([a, str(folder)]) == 2
        assert f"{folder}: no results.parquet and summary.json can be read there ({why}" in (
            capsys.readouterr().err
        )


def test_draws_of_a_protocol_are_what_is_counted_where_there_is_one_setting():
    draw, noise = np.arange(10), np.random.default_rng(0).random((2, 10))
    tables = [
        pd.DataFrame({"model": name, "task": "t", "draw": draw, "accuracy": 0.5 + 0.1 * of})
        for name, of in zip("mn", noise, strict=True)
    ]
    found = pairs.paired(*tables)
    assert found.changed == {"model": ("m", "n")}
    (row,) = pairs.differences(found).to_dict("records")
    assert (row["figure"], row["settings"]) == ("accuracy", 10)
    wanted = stats.ttest_rel(tables[1]["accuracy"], tables[0]["accuracy"])
    np.testing.assert_allclose([row["low"], row["high"]], wanted.confidence_interval())


def test_the_epochs_that_a_schedule_gave_are_no_setting():
    a, b = lanes().assign(epochs=12, epochs_run=12), lanes().assign(epochs=12)
    found = pairs.paired(a, b.assign(epochs_run=np.arange(18) % 3 * 4))
    assert len(found.pairs) == 18
    assert "epochs" in found.keys
    assert pairs.paired(a, b.assign(epochs=24)).changed == {"epochs": (12, 24)}
