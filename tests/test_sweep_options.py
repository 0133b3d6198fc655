"""What the sweep's command says of its plan and its schedule, and of mistakes in either."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.sweep import __main__, choosing, headline
from tests import report_cases

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("no_page")]
TYPED = "--data iris --configs 4 --epochs 12 --folds 3 --batch-size 30 60"
ASKED = TYPED.split()


def main(*args):
    return __main__.main([str(arg) for arg in args])


def test_a_plan_is_printed_and_nothing_is_written(tmp_path, capsys):
    assert main(*ASKED, "--out", tmp_path / "o", "--plan", "--memory", "1GB") == 0
    told = capsys.readouterr().out
    assert "12 lanes in 2 groups" in told
    assert "of 1 GB given" in told
    assert "24 calls of 2 compiled programs" in told
    assert not list(tmp_path.iterdir())


def test_the_plan_of_a_search_is_that_of_a_round(tmp_path, capsys):
    typed = "--data iris --configs 10 --ask 4 --epochs 2 --folds 3 --design optuna --plan"
    assert main(*typed.split(), "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert "12 lanes in 1 group" in told
    assert told.endswith("a round; there are 3\n")


def test_points_that_are_the_same_are_one_configuration(tmp_path, capsys):
    typed = "--data iris --configs 8 --epochs 2 --folds 3 --momentum 0.9 0.9 --l2 0 0"
    typed += " --learning-rate 0.1 0.1 --batch-size 30 60"
    assert main(*typed.split(), "--out", tmp_path / "o") == 0
    assert "6 lanes = 2 configurations x 3 folds" in capsys.readouterr().out
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    assert len(lanes) == len(lanes[["batch_size", "fold"]].drop_duplicates()) == 6


def test_halving_chooses_among_those_that_went_on(tmp_path):
    typed = "--data wine --configs 9 --folds 3 --epochs 18 --schedule halving"
    assert main(*typed.split(), "--out", tmp_path / "o") == 0
    lanes = pd.read_parquet(tmp_path / "o" / "results.parquet")
    assert lanes.groupby("epochs_run").size().to_dict() == {2: 18, 6: 6, 18: 3}
    assert set(lanes["status"][lanes["epochs_run"] < 18]) == {"pruned"}
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert summary["best"]["config"] == lanes["config"][lanes["epochs_run"] == 18].iloc[0]
    assert summary["num_pruned"] == 24
    assert summary["num_compilations"] == 1


def test_a_page_says_what_was_pruned():
    problem, plan, findings = report_cases.case("binary")
    configs = findings.configs.assign(pruned=np.arange(len(findings.configs)) >= 4)
    halved = replace(findings, configs=configs)
    summary = report_cases.make_summary(problem, plan)
    said = " ".join(headline.cautions(problem, halved, summary))
    assert f"Pruned early: {len(configs) - 4} of {len(configs)} configurations" in said
    assert "Pruned" not in " ".join(headline.cautions(problem, findings, summary))
    early = configs.assign(mean=np.where(configs["pruned"], 0.0, configs["mean"]))
    assert choosing.choose(early, "best")["config"] == configs["config"].iloc[0]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--memory", "4"], "--memory 4: must be a size like 800MB, 4GiB or 4.5GB"),
        (["--checkpoint", "-1"], "--checkpoint -1: must be at least 0 seconds"),
        (["--schedule", "halving", "--epochs", "37"], "--epochs 37 has no divisor to prune after"),
        (["--memory", "1kB"], "MiB even with one lane at a time"),
    ],
)
def test_mistakes_are_one_line(args, said, tmp_path, capsys):
    assert main(*ASKED, *args, "--out", tmp_path / "o") == 2
    told = capsys.readouterr().err
    assert said in told.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_sizes_are_read():
    from experiments.kit.sizes import bytes_in

    assert bytes_in("4GiB") == 2**32
    assert bytes_in("1.5MB") == 1_500_000
    assert bytes_in("12 kB") == 12_000
    assert bytes_in("GB") is bytes_in("4Gi") is bytes_in("") is None
