"""`steps.parquet`: a row per lane and evaluation, beside plain loops over what was trained."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from experiments.sweep import __main__, budget, groups, tidy
from experiments.sweep import run as sweep
from jaxlr.results import Ending

pytestmark = pytest.mark.once

FILES, RAN = ("results", "steps"), "epochs_run"  # of a lane until its end
ASKED = (
    "--data diabetes --configs 9 --folds 2 --epochs 9 --batch-size 64 --seed 4"
    " --optimizer momentum sgd --schedule halving --learning-rate 0.01 1000"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(folder, plan, what was trained of each group, findings)."""
    out, seen = tmp_path_factory.mktemp("tidy") / "o", []
    trained, written = groups.train, sweep.page.write

    def train(*args, **options):
        seen.append(trained(*args, **options))
        return seen[0]

    def write(path, problem, plan, findings, *rest):
        seen.extend((plan, findings))
        written(path, problem, plan, findings, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "train", train)
        patch.setattr(sweep.page, "write", write)
        assert __main__.main([*ASKED.split(), "--out", str(out)]) == 0
    trained, plan, findings = seen
    return out, plan, trained, findings


@pytest.fixture(scope="module")
def ran(finished):
    """(plan, what was trained of each group, lanes, steps)."""
    out, plan, trained, _ = finished
    return plan, trained, *(pd.read_parquet(out / f"{name}.parquet") for name in FILES)


def test_a_row_is_an_evaluation_of_a_lane(ran):
    plan, trained, lanes, steps = ran
    assert {"done", "diverged", "pruned"} == set(lanes["status"])
    wanted, lane = [], 0
    for group, swept in zip(plan.groups, trained, strict=True):
        cuts = {
            int(n)
            for n, how in zip(swept.segments, swept.ending, strict=True)
            if how == Ending.PRUNED
        }
        for at in range(len(swept.fold)):
            place = int(swept.configuration[at])
            for segment in range(1, int(swept.segments[at]) + 1):
                ended = Ending(swept.ending[at]) if segment == swept.segments[at] else Ending(0)
                hypers = {name: values[place] for name, values in group.hypers.items()}
                row = {"lane": lane, "config": group.points[place], "fold": swept.fold[at]}
                row |= {"seed": 4, **hypers, **group.settings, "status": ended.name.lower()}
                row |= {"epoch": segment, "step": segment * (353 // 64)}
                row |= {"rung": sum(cut < segment for cut in cuts)}
                row |= {"risk": swept.losses[at, segment - 1]}
                row |= {f"val_{n}": of[at, segment - 1] for n, of in swept.metrics.items()}
                wanted.append(row)
            lane += 1
    wanted = pd.DataFrame(wanted)[list(steps.columns)]
    pd.testing.assert_frame_equal(steps, wanted, check_dtype=False, rtol=1e-6)
    assert steps["momentum"].isna().equals(steps["optimizer"] == "sgd")


def test_the_last_row_of_a_lane_is_its_row_of_the_results(ran):
    *_, lanes, steps = ran
    last = steps.groupby("lane").last().reset_index()
    for name in ("config", "fold", "optimizer", "learning_rate", "status"):
        pd.testing.assert_series_equal(last[name], lanes[name])
    stayed = lanes["status"] != "diverged"
    pd.testing.assert_series_equal(last["epoch"], lanes[RAN], check_names=False, check_dtype=False)
    for name in ("risk", "val_squared_error"):
        pd.testing.assert_series_equal(last.loc[stayed, name], lanes.loc[stayed, name])


def test_curves_are_the_arrays_until_a_lane_ended(ran):
    plan, trained, _, steps = ran
    curves = tidy.curves(steps, plan)
    assert set(curves) == {"risk", "squared_error"}
    for name, found in curves.items():
        of = [s.losses if name == "risk" else s.metrics[name] for s in trained]
        wanted = np.concatenate(of)
        for lane, segments in enumerate(np.concatenate([s.segments for s in trained])):
            np.testing.assert_array_equal(found[lane, :segments], wanted[lane, :segments])
            assert np.isnan(found[lane, segments:]).all()


def test_lanes_of_rounds_are_counted_on(ran):
    *_, lanes, steps = ran
    whole = tidy.joined([steps, steps], [len(lanes), len(lanes)])
    assert whole["lane"].nunique() == 2 * len(lanes)
    assert whole["lane"].iloc[len(steps)] == len(lanes)
    assert (
        whole.drop(columns="lane")
        .iloc[len(steps) :]
        .reset_index(drop=True)
        .equals(steps.drop(columns="lane"))
    )


def test_the_rungs_are_what_lanes_ran(finished):
    _, plan, _, findings = finished
    lanes, told = findings.lanes, budget.rungs(findings, plan)
    cuts = sorted(set(lanes.loc[lanes["status"] == "pruned", RAN]))
    assert set(cuts) in ({1}, {1, 3})
    spent = 0
    for row, start, end in zip(told["rows"], [0, *cuts], [*cuts, 9], strict=True):
        used = sum(min(epochs, end) - start for epochs in lanes[RAN] if epochs > start)
        spent += used
        here = lanes[lanes[RAN] > start]
        ended = here[here[RAN] <= end]
        diverged, pruned = (
            ended.loc[ended["status"] == how, "config"].nunique() for how in ("diverged", "pruned")
        )
        shares = [f"{100 * part / (18 * 9):.1f}%" for part in (used, spent)]
        assert row == [*map(str, (end, here["config"].nunique(), diverged, pruned, used)), *shares]
    most = lanes.groupby("config")[RAN].max()
    assert f"Halving trained {lanes[RAN].sum()} epochs of lanes" in told["said"]
    assert f"half of them at most {most.median():.0f}" in told["said"]


def test_a_full_sweep_has_no_rungs_and_one_that_pruned_nobody_has_one(finished):
    _, plan, _, findings = finished
    assert budget.rungs(findings, dataclasses.replace(plan, schedule="full")) is None
    steps = findings.steps.assign(status="done")
    ((*_, spent),) = budget.rungs(dataclasses.replace(findings, steps=steps), plan)["rows"]
    assert spent == f"{100 * findings.lanes[RAN].sum() / (18 * 9):.1f}%"


def test_the_page_has_rungs_and_lines(finished):
    out, plan, _, findings = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    rungs = page[page.index('id="rungs"') :]
    cells = re.findall(r">([^<]*)</t[hd]>", rungs[: rungs.index("</section>")])
    assert cells[7:] == [cell for row in budget.rungs(findings, plan)["rows"] for cell in row]
    assert 'id="parallel-title"' in page
    assert "9 configurations are too few to tell which settings matter" in page
    assert "steps.parquet a row per lane and evaluation" in page
