"""`--schedule rows` and `population`: their files, their refits by hand, their pages, resuming."""

import json
import os
import shutil
import signal
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from experiments.compare import __main__ as compare
from experiments.datasets import load
from experiments.kit import problems, saved
from experiments.sweep import __main__, choosing, headline, landscape, lineage, schedules, steered
from experiments.sweep import run as sweep
from experiments.sweep.plan import planned
from experiments.sweep.settings import Settings
from jaxlr import sweeps
from jaxlr.sweeps.progress import Progress
from tests import report_cases
from tests.test_sweep_partial import same, stopped_by

pytestmark = pytest.mark.once
IRIS = "--data iris --configs 9 --folds 2 --epochs 10 --learning-rate 1e-3 0.3 --checkpoint 0"
RANGES = {"learning_rate": (1e-3, 0.3), "momentum": (0, 0.99), "l2": (1e-6, 1e-1)}
ASKED = {
    "rows": f"{IRIS} --schedule rows --batch-size 12",
    "population": f"{IRIS} --schedule population --batch-size 30",
}


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.fixture(scope="module", params=ASKED)
def whole(request, tmp_path_factory):
    """(schedule, the folder of an unbroken sweep)."""
    out = tmp_path_factory.mktemp(request.param) / "o"
    assert main(*ASKED[request.param].split(), "--out", out) == 0
    return request.param, out


def told(out):
    return pd.read_parquet(out / "results.parquet"), json.loads((out / "summary.json").read_text())


def test_an_interrupted_sweep_goes_on_to_the_same_bits(whole, tmp_path, monkeypatch, no_page):
    schedule, of_whole = whole
    out, asked = tmp_path / "o", ASKED[schedule].split()
    with monkeypatch.context() as patched:
        stopped_by(patched, 3, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert main(*asked, "--out", out) == 130
    assert main(*asked, "--out", out, "--resume") == 0
    same(of_whole, out)
    if schedule == "population":
        one, other = (pd.read_parquet(f / "lineage.parquet") for f in (of_whole, out))
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def without_epochs(hypers):
    return {name: column for name, column in hypers.items() if name != "epochs"}


def test_the_files_and_the_page_tell_what_the_schedule_did(whole):
    schedule, out = whole
    lanes, summary = told(out)
    text = (out / "report.html").read_text()
    design = planned(Settings(configs=9, learning_rate=(1e-3, 0.3))).groups[0].hypers
    if schedule == "rows":
        assert lanes.groupby("rows").size().to_dict() == {13: 12, 40: 4, 120: 2}
        assert (lanes["status"] == np.where(lanes["rows"] == 120, "done", "pruned")).all()
        assert summary["best"]["config"] == lanes["config"][lanes["rows"] == 120].iloc[0]
        np.testing.assert_array_equal(lanes["l2"][::2], np.float32(design["l2"]))
        assert "All configurations met 13 rows for 10 epochs" in text
        assert "10 epochs on each rung of rows over 120 training rows" in text
        assert "After 30 epochs the best configuration has" in text
        return
    assert not set(lanes["status"]) - {"done"}
    assert "10 epochs as a population over 120 training rows" in text
    assert "After every epoch the worst quarter of the configurations took over" in text
    assert "lineage.parquet a row per beginning and takeover" in text
    assert "too few to tell" not in text  # which settings matter: bred ones are no draws
    moves = pd.read_parquet(out / "lineage.parquet")
    begun = moves[moves["epoch"] == 0]
    np.testing.assert_array_equal(begun["config"], begun["source"])
    for name, numbers in without_epochs(design).items():
        np.testing.assert_array_equal(begun[name], np.float32(numbers))
        last = moves.groupby("config")[name].last()
        np.testing.assert_array_equal(lanes[name][::2], last)
        assert moves[name].between(*np.float32(RANGES[name])).all()
    assert moves[moves["epoch"] > 0].groupby("epoch").size().to_dict() == dict.fromkeys(
        range(1, 10), 2
    )


def followed(moves, config):
    """[(epoch, config, row)] by hand, back from the end."""
    rows, until = [], 99
    while until:
        row = max(
            (r for r in moves.to_dict("records") if r["config"] == config and r["epoch"] < until),
            key=lambda row: row["epoch"],
        )
        rows.insert(0, row)
        config, until = row["source"], row["epoch"]
    return rows


@pytest.mark.parametrize("whole", ["population"], indirect=True)
def test_a_populations_model_is_a_loop_by_hand_through_its_ancestors_numbers(whole):
    _, out = whole
    best = told(out)[1]["best"]
    rows = followed(pd.read_parquet(out / "lineage.parquet"), best["config"])
    assert len(rows) > 1
    names = ("config", "epoch", "learning_rate", "momentum", "l2")
    assert [[row[n] for n in names] for row in rows] == [
        [of[n] for n in names] for of in best["schedule"]
    ]
    assert [best[n] for n in names[2:]] == [rows[-1][n] for n in names[2:]]
    split_key, _ = jax.random.split(jax.random.key(0))
    problem = problems.prepare(load("iris"), split_key, 0.2, 2)
    order = np.asarray(sweep.study.order(problem, 10, 30, 0))
    x = np.asarray(problem.train.x, float)
    labels = np.eye(3)[np.asarray(problem.train.labels)]
    w, b, v_w, v_b = np.zeros((4, 3)), np.zeros(3), 0.0, 0.0
    for step, taken in enumerate(order):
        now = [row for row in rows if row["epoch"] <= step // 4][-1]
        scores = np.exp(x[taken] @ w + b)
        errors = (scores / scores.sum(axis=1, keepdims=True) - labels[taken]) / 30
        v_w = now["momentum"] * v_w + x[taken].T @ errors + now["l2"] * w
        v_b = now["momentum"] * v_b + errors.sum(axis=0)
        w, b = w - now["learning_rate"] * v_w, b - now["learning_rate"] * v_b
    model = saved.load(out / "model.npz")
    np.testing.assert_allclose(model.params["w"], w, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(model.params["b"], b, rtol=1e-3, atol=1e-5)


def test_numbers_change_as_they_were_drawn_and_what_stays_keeps_its_bits():
    asked = {
        "optimizer": ("lookahead", "adam"),
        "sync_period": (2.0, 6.0),
        "b2": (0.9, 0.999),
        "b1": (0.0, 0.99),
    }
    plan = planned(Settings(configs=64, schedule="population", folds=2, **asked))
    for group in plan.groups:
        lanes = sweeps.cross(without_epochs(group.hypers), 2)
        given = schedules.steered(plan, group, lanes, np.zeros((40, 2), int), "loss")
        place = np.asarray(lanes.configuration)
        seen, hypers = place[:, None].astype(float), jax.tree.map(np.asarray, lanes.hypers)
        none = np.zeros(len(place))
        progress = Progress(
            None, none, 0, seen, {"loss": seen}, np.int8(none), none, hypers, None, None
        )
        assert given["schedule"](1, progress) is None
        answer = given["schedule"](2, progress)
        moved = answer.source != np.arange(len(place))
        assert moved.sum() == 2 * (len(group.points) // 4)
        for name, column in answer.hypers.items():
            before = hypers[name]
            assert column.dtype == before.dtype
            np.testing.assert_array_equal(column[~moved], before[~moved])
            old, new = before[answer.source][moved], column[moved]
            low, high = plan.ranges[group.settings["optimizer"]][name]
            assert (new >= low * (1 - 1e-6)).all()
            assert (new <= high * (1 + 1e-6)).all()
            if name == "sync_period":
                np.testing.assert_array_equal(new, np.clip(np.round(new), 2, 6))
                continue
            if name in ("b1", "b2"):
                old, new, low, high = 1 - old, 1 - new, 1 - high, 1 - low
            allowed = np.clip(np.outer([0.8, 1.25], old), low, high)
            assert np.isclose(allowed, new, rtol=1e-3).any(axis=0).all()


def test_fewer_rungs_where_batches_are_large():
    plan = planned(Settings(schedule="rows", batch_size=(16, 50)))
    three, two = schedules.fitted(plan, 450), schedules.fitted(plan, 449)
    said = steered.sentences.rungs(three)  # batch sizes are groups
    assert "the best third of each static setting went on" in said
    assert (three.rows, three.evaluations) == ((50, 150, 450), 13)
    assert (two.rows, two.evaluations) == ((149, 449), 4)
    np.testing.assert_allclose(two.epochs_seen, [40, 40 + 40 / 3, 40 + 80 / 3, 80])
    assert three.epochs_seen[[0, 3, 12]].tolist() == [40, 80, 120]  # no 119.99999
    assert schedules.fitted(planned(Settings()), 449).rows == ()


def test_a_step_of_a_population_tells_the_numbers_of_its_time(whole):
    schedule, out = whole
    steps = pd.read_parquet(out / "steps.parquet")
    if schedule == "rows":  # passes over a rung's rows, of which each is 10
        seen = steps[steps["lane"] == steps["lane"][steps["rung"] == 2].iloc[0]]["epoch"]
        passes = [10, *10 + 10 * np.arange(1, 4) / 3, *20 + 10 * np.arange(1, 10) / 9]
        np.testing.assert_allclose(seen, passes)
        return
    moves = pd.read_parquet(out / "lineage.parquet").to_dict("records")
    for row in steps.to_dict("records"):
        own = [of for of in moves if of["config"] == row["config"] and of["epoch"] < row["epoch"]]
        now = max(own, key=lambda of: of["epoch"])
        assert all(row[name] == now[name] for name in RANGES)


def test_epochs_are_whole_along_a_schedule_of_numbers():
    line = pd.DataFrame({"config": [0, 1], "epoch": [0, 1], "l2": [0.1, 0.08]})
    plan = planned(Settings(schedule="population", epochs=(2,), configs=8))
    ticks = steered._panel(plan, [line], "l2").axes[0].get_xticks()
    assert ticks.tolist() == np.rint(ticks).tolist()


def test_a_rate_changes_along_all_rungs_of_rows():
    plan = planned(Settings(schedule="rows", configs=9, folds=2, warmup=(0.1, 0.5)))
    plan = schedules.fitted(plan, 1800)
    lanes = sweeps.cross({"l2": np.ones(9), "num_steps": np.full(9, 99.0)}, 2)
    given = schedules.steered(plan, plan.groups[0], lanes, np.zeros((99, 64), int), "loss")
    assert set(np.asarray(given["lanes"].hypers["num_steps"])) == {float(len(given["order"]))}


def test_what_never_took_over_has_one_stretch():
    moves = pd.DataFrame({"config": [0, 1, 1], "epoch": [0, 0, 4], "source": [0, 1, 0]})
    moves["l2"], moves["b2"] = [0.1, 0.2, 0.3], np.nan
    (alone,) = lineage.followed(moves, 0).to_dict("records")
    assert alone == {"config": 0, "epoch": 0, "l2": 0.1}
    assert lineage.followed(moves, 1)["l2"].tolist() == [0.1, 0.3]
    assert lineage.founders(moves) == {0: 0, 1: 0}


def test_curves_are_those_of_ancestors():
    plan = planned(Settings(configs=8, folds=2, epochs=(6,), schedule="population"))
    (group,) = plan.groups
    hypers = without_epochs(group.hypers)
    lanes, rng = sweeps.cross(hypers, 2), np.random.default_rng(0)
    source = (np.arange(8)[:, None] + rng.integers(1, 8, (8, 5))) % 8  # never itself
    sources = np.repeat(2 * source, 2, axis=0) + np.arange(16)[:, None] % 2
    history = {name: rng.random((16, 5)) for name in hypers}
    swept = sweeps.Sweep(
        *(None, np.zeros((16, 6)), {}, None, 0, 0, {}, np.asarray(lanes.configuration)),
        *(None, None, None, None, None, sources, history),
    )
    moved = lineage.of(plan, [{"lanes": lanes}], [swept])
    table = pd.DataFrame({"config": np.arange(16) // 2, "fold": np.arange(16) % 2})
    values = rng.random((16, 6))
    found = lineage.inherited(plan, moved, table, {"risk": values})["risk"]
    known = sweeps.lineage(lanes, swept)
    np.testing.assert_array_equal(found, values[known.lane, np.arange(6)])
    for config in range(8):
        numbers = lineage.by_segment(plan, lineage.followed(moved, config))
        for name, column in numbers.items():
            np.testing.assert_array_equal(column[0], known.hypers[name][2 * config])


def test_an_edge_is_one_of_the_design_and_not_of_what_a_population_came_to():
    problem, plan, findings = report_cases.case("binary")
    summary = report_cases.make_summary(problem, plan)
    least = findings.configs["l2"].min()
    bred = replace(findings, chosen=findings.chosen | {"l2": least})
    edge = "lies at the lower edge of its range"
    assert edge in " ".join(headline.cautions(problem, bred, summary))
    lineage = findings.configs.assign(l2=np.geomspace(least / 1e3, 1, len(findings.configs)))
    bred = replace(bred, lineage=lineage)
    assert edge not in " ".join(headline.cautions(problem, bred, summary))


@pytest.mark.parametrize("whole", ["population"], indirect=True)
def test_a_population_is_compared_by_what_it_began_with(whole, tmp_path, capsys):
    _, out = whole
    full = tmp_path / "full"
    full.mkdir()
    design = planned(Settings(configs=9, learning_rate=(1e-3, 0.3))).groups[0].hypers
    lanes = told(out)[0].assign(val_log_loss=9.0)
    began = {name: np.repeat(np.float32(design[name]), 2) for name in RANGES}
    lanes.assign(**began).to_parquet(full / "results.parquet")
    shutil.copy(out / "summary.json", full)
    assert compare.main([str(full), str(out)]) == 0
    assert "\n18 pairs of lanes\n" in capsys.readouterr().out


def test_where_those_that_were_not_pruned_diverged_no_more_is_said():
    problem, _, findings = report_cases.case("all diverged")
    assert headline.which(findings).endswith(": every configuration diverged.")
    lanes = findings.lanes.copy()
    lanes.loc[:8, ["status", "val_log_loss"]] = "pruned", 0.5
    configs = choosing.rank(lanes, "val_log_loss")
    assert choosing.choose(configs, "best") is None
    late = replace(findings, lanes=lanes, configs=configs)
    assert headline.which(late).endswith(": every configuration that was not pruned diverged.")
    assert headline.why(problem, late).startswith("9 of 18 lanes diverged, at learning rates")
    assert "standard error of the best" not in landscape.caption(configs, "log_loss", 0.7)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--schedule rows --batch-size 41", "rows: begins with a third of the 120 training rows"),
        ("--schedule population --epochs 37", "--epochs 37 has no divisor to turn over after"),
        ("--schedule population --configs 3", "a part of 0.25 of 3 configurations is none; take "),
        (
            "--schedule population --configs 8 --optimizer sgd momentum adam --model mlp",
            "take at least 4 of model mlp, optimizer",
        ),
        ("--schedule population --select one_standard_error", "goes by l2, which --schedule popu"),
        ("--schedule population --design optuna", "population: changes numbers, and --design opt"),
        ("--schedule rows --design optuna", "--schedule rows: prunes, and --design optuna judges"),
    ],
)
def test_mistakes_are_one_line(typed, said, tmp_path, capsys):
    assert main("--data", "iris", *typed.split(), "--out", tmp_path / "o") == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_where_all_diverge_there_is_no_schedule_to_choose(tmp_path):
    asked = ASKED["population"].replace("1e-3 0.3", "1e25 9e29").split()
    assert main(*asked, "--out", tmp_path / "o") == 1
    lanes, summary = told(tmp_path / "o")
    assert (summary["best"], set(lanes["status"])) == (None, {"diverged"})
    assert lanes[["risk", "val_log_loss", "val_accuracy"]].isna().all(axis=None)
    assert "lineage.parquet" in os.listdir(tmp_path / "o")
