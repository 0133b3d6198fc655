"""`steps.parquet`: a row per lane and evaluation, beside plain loops over what was trained."""

import numpy as np
import pandas as pd
import pytest

from experiments.sweep import __main__, groups, tidy
from experiments.sweep import run as sweep
from jaxlr.results import Ending

pytestmark = pytest.mark.once

ASKED = (
    "--data diabetes --configs 9 --folds 2 --epochs 9 --batch-size 64 --seed 4"
    " --optimizer momentum sgd --schedule halving --learning-rate 0.01 1000"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(plan, what was trained of each group, lanes, steps)."""
    out, seen = tmp_path_factory.mktemp("tidy") / "o", []
    trained = groups.train

    def train(plan, *args, **options):
        seen.append((plan, trained(plan, *args, **options)))
        return seen[0][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "train", train)
        patch.setattr(sweep.page, "write", lambda path, *rest: path.write_text("a page"))
        assert __main__.main([*ASKED.split(), "--out", str(out)]) == 0
    return (*seen[0], *(pd.read_parquet(out / f"{name}.parquet") for name in ("results", "steps")))


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
    pd.testing.assert_series_equal(
        last["epoch"], lanes["epochs"], check_names=False, check_dtype=False
    )
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
