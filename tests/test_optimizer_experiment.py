"""`python -m experiments.optimizers`: equal budgets, exact statistics, true sentences."""

import dataclasses
import itertools
import json
from types import SimpleNamespace
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets import DataError, load
from experiments.kit import saved
from experiments.kit.optimizers import RULES, build
from experiments.kit.settings import MISSING_TEXTS
from experiments.optimizers import __main__, budget, page, ranking, ravine, run, study, words
from experiments.optimizers.settings import DEFAULT
from jaxlr import losses, models, training
from tests.report_cases import CLOCK, make_problem

pytestmark = pytest.mark.once

FAST = ["--points", "3", "--seeds", "2", "--epochs", "2", "--optimizers", "sgd", "adam"]
PLAN = SimpleNamespace(epochs=2, batch_size=16, seeds=2, l2=0.05)
EVERY_ORDER = np.array(list(itertools.permutations(range(5))))


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimizers")
    x = np.random.default_rng(0).normal(size=(150, 3))  # as many rows as iris: shared programs
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=x @ [1.0, -2.0, 0.5])
    table.to_csv(folder / "plane.csv", index=False)
    assert main("--data", "iris", folder / "plane.csv", "--out", folder / "o", *FAST) == 0
    return folder / "o"


@pytest.fixture(scope="module")
def lesson():
    return ravine.lesson()


@pytest.fixture(scope="module")
def studied():
    """A bench, its trials in rank order and their ranking."""
    on = study.bench("made", make_problem("multiclass", 3), PLAN, jax.random.key(4))
    trials = {name: study.trial(on, name, 4, 7) for name in ("sgd", "momentum")}
    ranked = ranking.ranking(on, list(trials.values()))
    return on, [trials[name] for name in ranked["optimizer"]], ranked


@given(st.lists(st.floats(0, 10), min_size=5, max_size=5))
def test_the_best_after_k_settings_is_that_of_all_orders_of_trying_them(values):
    best = np.minimum.accumulate(np.array(values)[EVERY_ORDER], axis=1)
    np.testing.assert_allclose(budget.expected_best(values), best.mean(axis=0), atol=1e-12)
    for q in (0.25, 0.5, 0.75):
        lowest = np.quantile(best, q, axis=0, method="inverted_cdf")
        np.testing.assert_array_equal(budget.quantile_of_best(values, q), lowest)


@pytest.mark.parametrize("name", RULES)
def test_each_gets_as_many_points_of_a_space_equally_wide(name):
    contestant = RULES[name]
    assert contestant.high / contestant.low == pytest.approx(1e4)
    assert set(DEFAULT) < set(RULES)
    hypers = study.points(name, 16, 0)
    rates = np.log10(hypers["learning_rate"] / contestant.low)
    assert ((rates >= 0) & (rates <= 4)).all()
    # Sixteen points of a Sobol design: one in each sixteenth of the range.
    np.testing.assert_array_equal(np.sort((rates * 4).astype(int)), np.arange(16))
    assert ("momentum" in hypers) == bool(contestant.memory)
    if contestant.memory:
        assert ((hypers["momentum"] >= 0) & (hypers["momentum"] <= 0.99)).all()
        assert (hypers["momentum"] < 0.9).mean() == 0.5, "as many memories below 10 steps as above"


@pytest.mark.parametrize("name", RULES)
def test_rate_and_memory_reach_the_rule(name):
    def two_steps(rate, memory):
        hyper = {"learning_rate": rate, "momentum": memory}
        init, update = build(name, hyper)
        w, state, walked = jnp.ones(2), init(jnp.ones(2)), []
        for g in (jnp.array([1.0, -0.5]), jnp.array([-0.05, -0.3])):
            updates, state = update(g, state, w)
            w = w + updates
            walked.append(updates)
        return np.array(walked)

    first = two_steps(0.01, 0.9)
    assert not np.allclose(first, two_steps(0.02, 0.9), rtol=1e-3, atol=0)
    heard = not np.allclose(first, two_steps(0.01, 0.2), rtol=1e-3, atol=0)
    assert heard == bool(RULES[name].memory or "momentum" in RULES[name].numbers)


def test_a_seed_is_a_fold_nobody_trains_on_and_an_order_of_the_others(studied):
    on, _, _ = studied
    folds = on.judging > 0
    assert folds.shape == (2, 120)
    assert not (folds[0] & folds[1]).any()
    for fold, block in zip(folds, np.asarray(on.orders), strict=True):
        assert not fold[block].any()
        assert len(np.unique(block[: len(block) // 2])) == 80  # an epoch: 5 batches of 16, no twice
    assert on.start_losses == pytest.approx([np.log(3)] * 2, rel=1e-6)


@pytest.mark.parametrize("which", [0, 1])
def test_a_lane_is_plain_descent_on_each_seed_alone(studied, which):
    on, trials, _ = studied
    ran, batch = trials[which], jax.tree.map(jnp.asarray, on.problem.train)
    risk = losses.risk(models.linear, losses.softmax_cross_entropy, l2=PLAN.l2)
    point = np.argsort(ran.hypers["learning_rate"])[-2]  # fast enough for the penalty to show
    hyper = {name: numbers[point] for name, numbers in ran.hypers.items()}
    rule = build(ran.optimizer, hyper)
    start = models.init_linear(3, 3, jnp.float32)
    for seed, order in enumerate(on.orders):
        fit = jax.jit(lambda order: training.fit(risk, rule, start, batch, order).params)
        params = jax.device_get(fit(order))
        held_out = on.judging[seed] > 0
        logits = (on.problem.train.x @ params["w"] + params["b"][None])[held_out].astype(np.float64)
        labels = on.problem.train.labels[held_out]
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        expected = -logs[np.arange(len(labels)), labels].mean()
        assert ran.final("log_loss")[point, seed] == pytest.approx(expected, rel=2e-5)


def counting(plain, traces):
    def lane(problem, settings):
        made = plain(problem, settings)

        def step(hyper, state, batch):
            traces.append(settings["optimizer"])
            return made.step(hyper, state, batch)

        return made._replace(step=step)

    return lane


def test_a_second_run_is_one_program_sees_no_test_row_and_gives_the_same_bits(studied, monkeypatch):
    on, trials, _ = studied
    traces = []
    monkeypatch.setattr(study.study, "lane", counting(study.study.lane, traces))
    problem = on.problem._replace(test=jax.tree.map(lambda leaf: leaf * np.nan, on.problem.test))
    again = study.bench("made", problem, PLAN, jax.random.key(4))
    ran = study.trial(again, "sgd", 4, 7)
    first = next(t for t in trials if t.optimizer == "sgd")
    np.testing.assert_array_equal(ran.curves["log_loss"], first.curves["log_loss"])
    assert traces == ["sgd"]


def test_a_setting_that_ends_above_the_start_is_worth_the_start(studied):
    on = dataclasses.replace(studied[0], start_losses=np.array([1.0, 1.0]))
    ends = np.array([[0.2, 0.4], [0.5, np.nan], [np.inf, 0.1], [3.0, 0.2]])
    ran = dataclasses.replace(studied[1][0], curves={"log_loss": ends[:, None]})
    np.testing.assert_allclose(study.worth(on, ran), [0.3, 1, 1, 1])


def test_the_ranking_is_what_the_rows_say(finished):
    lanes = pd.read_parquet(finished / "results.parquet")
    summary = json.loads((finished / "summary.json").read_text())
    assert len(lanes) == summary["num_lanes"] == 2 * 2 * 3 * 2
    assert summary["num_compilations"] == 4
    assert set(lanes["data"]) == set(summary["rankings"]) == {"iris", "plane.csv"}
    for data, column in (("iris", "val_log_loss"), ("plane.csv", "val_squared_error")):
        start = summary["start_losses"][data]
        rows = lanes[lanes["data"] == data]
        means = rows.groupby(["optimizer", "point"])[column].mean()
        means = means.where(np.isfinite(means), np.inf).clip(upper=start).unstack()
        ranked = pd.DataFrame(summary["rankings"][data])
        assert ranked["optimizer"].tolist() == means.min(axis=1).sort_values().index.tolist()
        assert summary["best"][data]["optimizer"] == ranked["optimizer"][0]
        for _, row in ranked.iterrows():
            mine = means.loc[row["optimizer"]]
            best = mine.min()
            assert row["mean"] == pytest.approx(best, rel=1e-6)
            assert row["near_own"] == pytest.approx((mine <= 1.05 * best).mean())
            near = (mine <= 1.05 * means.to_numpy().min()).mean()
            assert row["near_all"] == pytest.approx(near)
            assert row["useless"] == pytest.approx((mine >= start).mean())
            seeds = rows[(rows["optimizer"] == row["optimizer"]) & (rows["point"] == row["point"])]
            assert row["se"] == pytest.approx(seeds[column].sem(), rel=1e-5)
            assert row["learning_rate"] == pytest.approx(seeds["learning_rate"].iloc[0])


def test_the_first_of_each_ranking_is_saved(finished):
    best = json.loads((finished / "summary.json").read_text())["best"]
    for data, first in best.items():
        model = saved.load(finished / "models" / f"{data}.npz")
        told = model.provenance["best"]
        assert told["optimizer"] == first["optimizer"]
        assert told["learning_rate"] == pytest.approx(first["learning_rate"])
    model, table = saved.load(finished / "models" / "iris.npz"), load("iris")
    right = saved.predictions(model, saved.scores(model, table))
    assert (right == np.array(table.class_names)[table.labels]).mean() > 0.7
    page = (finished / "report.html").read_text()
    assert "models/plane.csv.npz is the model itself" in " ".join(page.split())


def test_shares_count_settings(studied):
    on, trials, _ = studied
    ends = ([0.30, 0.314, 0.316, 9.0], [0.33, np.nan, 0.34, 0.3149])
    made = [
        dataclasses.replace(ran, best=best, curves={"log_loss": np.array([v, v]).T[:, None]})
        for ran, best, v in zip(trials, (0, 3), ends, strict=True)
    ]
    first, second = (row for _, row in ranking.ranking(on, made).iterrows())
    shares = ["near_own", "near_all", "useless", "diverged"]
    assert first[shares].tolist() == [0.5, 0.5, 0.25, 0.0]
    assert second[shares].tolist() == [0.5, 0.25, 0.25, 0.25]
    assert second["few"] == pytest.approx(0.3149), "of eight, where there are four"


def test_the_gap_to_the_first_is_taken_row_by_row(studied):
    on, trials, ranked = studied
    gaps = []
    for seed in range(2):
        judged = on.judging[seed] > 0
        gaps.append((trials[1].row_losses - trials[0].row_losses)[seed, judged])
    gaps = np.concatenate(gaps).astype(np.float64)
    assert ranked["behind"].tolist() == [0, pytest.approx(gaps.mean())]
    assert ranked["behind_se"][1] == pytest.approx(gaps.std(ddof=1) / np.sqrt(len(gaps)))
    assert ranked["tied"].tolist() == [True, abs(gaps.mean()) <= 2 * ranked["behind_se"][1]]
    assert ranked["mean"][1] - ranked["mean"][0] == pytest.approx(gaps.mean(), abs=1e-6)


def test_paths_down_the_ravine_are_the_textbooks(lesson):
    hessian = ravine.ROOT.T @ ravine.ROOT
    curvatures, axes = np.linalg.eigh(hessian)
    np.testing.assert_allclose(curvatures, [1 / ravine.CONDITION, 1], rtol=1e-12)
    assert abs(axes[:, 1] @ ravine.ACROSS) == pytest.approx(1)
    plain, memory, _ = lesson
    w, v = ravine.START, np.zeros(2)
    for t in range(ravine.STEPS):
        power = np.linalg.matrix_power(np.eye(2) - ravine.BEST_FIXED_RATE * hessian, t)
        np.testing.assert_allclose(plain.path[t], power @ ravine.START, atol=2e-5)
        np.testing.assert_allclose(memory.path[t], w, atol=2e-5)
        v = 0.9 * v + 0.1 * hessian @ w
        w = w - ravine.BEST_FIXED_RATE * v
    np.testing.assert_allclose(ravine.value(w), w @ hessian @ w / 2)


def test_plain_descent_zig_zags_and_memory_does_not(lesson):
    plain, *others = lesson
    assert plain.turns == ravine.STEPS - 1, "every step goes back across"
    for walk in others:
        assert walk.turns < plain.turns / 5
        assert walk.detour < plain.detour / 5
        assert walk.values[-1] < plain.values[-1], "and gets further"
    assert "turns back 39 times in 40 steps" in words.sentences.in_short(lesson, ravine.STEPS)
    text = words.sentences.lesson(lesson, ravine)
    assert f"{plain.turns} times out of 39" in text
    assert "Memory moves forward" in text
    assert "Memory does not help" in words.sentences.lesson([others[0], plain], ravine)


def test_turns_detour_and_arrival_by_hand():
    across = np.array([1.0, -0.5, 0.25, 0.25, 0.0, 0.0])
    path = across[:, None] * ravine.ACROSS
    walk = ravine.Walk("by hand", {}, path, np.array([100, 0.5, 2, 0.9, 0.1, 0]))
    assert walk.turns == 1
    assert walk.detour == pytest.approx(1.5 + 0.75 + 0.25)
    assert walk.arrival == 3
    assert dataclasses.replace(walk, values=np.array([1, np.nan])).arrival is None


def test_a_tuned_walk_is_the_lowest_of_its_settings():
    hypers = study.points("sgd", 4, 2)
    ends = ravine.value(ravine.walks("sgd", hypers)[:, -1])
    walk = ravine.tuned("sgd", 4, 2)
    assert walk.values[-1] == ends[np.isfinite(ends)].min()
    assert walk.hyper["learning_rate"] == hypers["learning_rate"][np.nanargmin(ends)]


def test_the_page_is_well_formed_and_needs_nothing_else(finished):
    html = (finished / "report.html").read_text()
    root = ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>\n"))
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(set(ids)) == len(ids)
    figures = root.findall(".//figure")
    assert len(figures) == 1 + 2 * 3 + 2
    for figure in figures:
        assert figure.find("figcaption") is not None
        assert figure.find(".//{http://www.w3.org/2000/svg}title").text
    text = " ".join("".join(root.find("body").itertext()).split())
    told = text.replace(", ".join(MISSING_TEXTS), "")  # a setting that has the word None
    assert not {"nan", "inf", "None"} & set(told.split())
    assert "2 optimizers × 3 settings × 2 seeds on 2 data sets: 24 linear models" in text


def write(part, path, points=4, remarks=()):
    walks = [ravine.Walk(n, {"learning_rate": 0.1}, *falling()) for n in part[2]["optimizer"]]
    summary = {"settings": {"points": points, "seeds": 2, "epochs": 2}, "num_lanes": 16}
    summary |= {"num_compilations": 2, "compile_seconds": 1.0, "run_seconds": 1.0}
    summary |= {"device": "a device", "versions": {}, "command": "python", "remarks": remarks}
    page.write(path, [part], walks[:1] * 2, walks, {}, summary, CLOCK)
    return " ".join(path.read_text().split())


def falling():
    path = ravine.START * 0.9 ** np.arange(ravine.STEPS + 1)[:, None]
    return path, ravine.value(path)


def test_a_page_where_nothing_beat_the_start_says_so(studied, tmp_path):
    on, trials, _ = studied
    hopeless = dataclasses.replace(on, start_losses=np.array([1e-3, 1e-3]))
    ranked = ranking.ranking(hopeless, trials)
    assert (ranked["useless"] == 1).all()
    html = write((hopeless, trials, ranked), tmp_path / "page.html", remarks=["nr counts the rows"])
    assert "nr counts the rows</li>" in html[: html.index("</header>")]
    assert "No setting of any optimizer beat the start" in html
    assert "no setting of sgd and momentum beat" in html.replace(
        "momentum and sgd", "sgd and momentum"
    )


def test_sentences_follow_the_numbers(studied):
    _, _, ranked = studied
    ranked = pd.concat([ranked, ranked.assign(optimizer="lion")], ignore_index=True).head(3)
    ranked = ranked.assign(mean=[0.1, 0.2, 0.3], median=[0.11, 0.21, 0.31], few=[0.5, 0.3, 0.4])
    ranked = ranked.assign(rank=[1, 2, 3], tied=[True, True, False], useless=0.0)

    def said(*tables):
        named = dict(zip(("one", "other"), tables, strict=False))
        return " ".join(words.findings(named, 64))

    name = ranked["optimizer"]
    assert f"only {name[2]} is behind" in said(ranked)
    assert f"the best bet is {name[1]} (0.300 expected); {name[0]} is number 3" in said(ranked)
    assert "The choice matters more than tuning" in said(ranked)
    assert "Tuning matters more" in said(ranked.assign(median=1.0))
    assert "It is also the best bet" in said(ranked.assign(few=[0.1, 0.2, 0.3]))
    assert "nobody is told from it" in said(ranked.assign(tied=True))
    assert "correlate with 1.00 (Spearman): what wins on one tends to win" in said(ranked, ranked)
    turned = ranked.assign(rank=[3, 2, 1])
    assert "correlate with −1.00 (Spearman): what wins on one tends to lose" in said(ranked, turned)
    ranked = ranked.assign(tied=[True, False, False], at_edge="")
    assert not words.cautions({"one": ranked})
    (note,) = words.cautions({"one": ranked.assign(tied=True)})
    assert "will shuffle the first and the 2 that cannot be told from it" in note
    (note,) = words.cautions({"one": ranked.assign(at_edge=["", "upper", ""])})
    assert f"best learning rate of {name[1]} lies at the upper end" in note


def test_the_least_that_can_be_asked_for_has_a_page(lesson, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ravine, "lesson", lambda: lesson)
    args = ["--optimizers", "sgd", "--points", 1, "--seeds", 1, "--epochs", 1, "--data", "iris"]
    assert main(*args, "--out", tmp_path / "o", "--seed", 5) == 0
    assert "0 of 0 others" in capsys.readouterr().out
    assert len(pd.read_parquet(tmp_path / "o" / "results.parquet")) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--optimizers", "adm"], "'adm' is unknown (did you mean 'adam'?)"),
        (["--optimizers"], "--optimizers: name at least one"),
        (["--data", "digit"], "did you mean 'digits'"),
        (["--data"], "--data: name at least one"),
        (["--points", "0"], "--points 0: must be at least 1"),
        (["--seeds", "0"], "--seeds 0: must be at least 1"),
        (["--epochs", "0"], "--epochs 0: must be at least 1"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--batch-size", "0"], "--batch-size 0: must be at least 1"),
        (["--points", "many"], "many"),
        (["--no-such-option"], "no-such-option"),
        (["--l2", "-1"], "--l2 -1: must lie in"),
        (["--l2", "nan"], "--l2 nan: must lie in"),
        (["--test-fraction", "1"], "--test-fraction 1.0: must lie between"),
        (["--data", "iris", "--batch-size", "99"], "larger than the 90 rows of iris that a seed"),
        (["--data", "iris", "--seeds", "50"], "class 'setosa' of iris has 40 training rows"),
        (["--data", "iris", "diabetes", "--target", "foo"], "no column 'foo'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(args, said, tmp_path, capsys):
    assert main(*args, "--out", tmp_path / "o") == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert said in told.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_taken_keeps_what_it_holds(finished, tmp_path, capsys):
    before = (finished / "results.parquet").read_bytes()
    assert main("--data", "iris", "--out", finished, *FAST) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (finished / "results.parquet").read_bytes() == before
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main("--data", "iris", "--out", tmp_path, "--overwrite", *FAST) == 2
    assert "holds other files" in capsys.readouterr().err


def test_what_was_interrupted_goes_on_to_the_same_results(finished, tmp_path, monkeypatch, capsys):
    asked = ["--data", "iris", finished.parent / "plane.csv", "--out", tmp_path / "o", *FAST]
    trial, trials = study.trial, []

    def stop_at_the_third(*args):
        trials.append(args)
        if len(trials) == 3:
            raise KeyboardInterrupt
        return trial(*args)

    with monkeypatch.context() as patched:
        patched.setattr(study, "trial", stop_at_the_third)
        assert main(*asked) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        f"interrupted: what had been done is kept in {tmp_path}/o.partial; to go"
    )
    kept = {path.parent.name for path in tmp_path.glob("o.partial/*/*.npz")}
    assert kept == {"0-sgd-0", "0-sgd-1", "0-adam-0", "0-adam-1"}
    assert main(*asked, "--resume") == 0
    before, after = (pd.read_parquet(o / "results.parquet") for o in (finished, tmp_path / "o"))
    pd.testing.assert_frame_equal(after, before)
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def test_too_few_rows_for_the_folds_is_said_of_a_regression_too():
    problem = make_problem("regression", rows=6)
    with pytest.raises(DataError, match="made has 3 training rows, fewer than the 4 folds"):
        study.bench("made", problem, PLAN, jax.random.key(0))


def test_classes_and_columns_are_left_out_and_suspects_noted(tmp_path, capsys, monkeypatch):
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(63, 2)), columns=["a", "b"]).assign(nr=range(63))
    table = table.assign(y=np.where(np.arange(63) < 3, "rare", np.where(table["a"] > 0, "p", "q")))
    table.to_csv(tmp_path / "t.csv", index=False)
    asked = ["--data", tmp_path / "t.csv", "--out", tmp_path / "o", "--batch-size", 8]
    assert main(*asked) == 2
    assert "take fewer seeds or more rows, or --drop-classes rare" in capsys.readouterr().err

    def compared(settings, benches, clock, on_lanes):
        (bench,) = benches
        assert bench.problem.table.class_names == ("p", "q")
        assert bench.problem.feature_names == ("a", "b", "nr")
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "compare", compared)
    assert main(*asked, "--drop-classes", "rare") == 130
    assert "note: t.csv: 'nr' counts the rows; --drop nr leaves it out" in capsys.readouterr().err
