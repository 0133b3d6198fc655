"""Every number on the page has a second witness: scikit-learn, scipy, or a count by hand."""

import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import calibration
from sklearn import metrics as peer
from sklearn.linear_model import LinearRegression

from experiments.kit import pages, style, words
from experiments.kit.report import classes, examine, regression, uncertainty
from experiments.sweep import curves, landscape, leaderboard, study
from experiments.sweep import headline as chosen_by
from tests.report_cases import case, make_problem, make_test

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def weighted_rows():
    problem = make_problem("multiclass", 5, rows=600, weighted=True)
    return problem, make_test(problem), examine.classified(problem, make_test(problem))


def test_confusion_and_losses_are_scikit_learns(weighted_rows):
    _, test, rows = weighted_rows
    expected = peer.confusion_matrix(
        test.labels, test.scores.argmax(1), sample_weight=test.weights, labels=range(5)
    )
    np.testing.assert_array_equal(rows.confusion, expected)
    (true, said), *_ = classes.mistakes(rows)
    assert expected[true, said] == np.max(expected - np.diag(np.diag(expected)))
    loss, _ = uncertainty.mean_and_error(rows.losses, rows.weights)
    probabilities = np.exp(test.scores - np.logaddexp.reduce(test.scores, axis=1, keepdims=True))
    witness = peer.log_loss(test.labels, probabilities, sample_weight=test.weights)
    np.testing.assert_allclose(loss, witness, rtol=1e-5)
    drawn = [text.get_text() for text in classes.confusion(rows, "abcde").axes[0].texts]
    counts = [int(text) for text in drawn if "%" not in text]
    np.testing.assert_array_equal(counts, expected[expected > 0])


def test_the_per_class_table_is_scikit_learns(weighted_rows):
    _, test, rows = weighted_rows
    page = str(pages.macros("tested.html").per_class(*classes.per_class(rows, tuple("abcde"))))
    cells = [re.findall(r">([^<]*)</t[hd]>", row) for row in page.split("<tr>")[2:]]
    figures = peer.precision_recall_fscore_support(
        test.labels, test.scores.argmax(1), sample_weight=test.weights
    )
    for c in range(5):
        precision, recall, f1, support = (float(part[c]) for part in figures)
        assert cells[c][1:4] == [words.percent(part) for part in (precision, recall, f1)]
        assert cells[c][5] == f"{support:.0f}"
    macro = peer.f1_score(
        test.labels, test.scores.argmax(1), sample_weight=test.weights, average="macro"
    )
    assert cells[5][3] == words.percent(macro)


def test_more_classes_than_fit_show_the_weakest_and_hide_none():
    problem, _, findings = case("100 classes")
    rows = examine.classified(problem, findings.test)
    scores = peer.f1_score(rows.labels, rows.predicted, average=None, labels=range(100))
    told = classes.per_class(rows, problem.table.class_names)
    short, whole = str(pages.macros("tested.html").per_class(*told)).split("<details>")
    assert f">{problem.table.class_names[scores.argmin()]}<" in short
    assert f">{problem.table.class_names[scores.argmax()]}<" not in short
    assert all(f">{name}<" in whole for name in problem.table.class_names)
    assert whole.startswith("<summary>All 100 classes</summary>")
    counts = rows.confusion
    for hits, seen, cells in zip(np.diag(counts), counts.sum(axis=1), told[0], strict=True):
        ends = stats.binomtest(int(hits), int(seen)).proportion_ci(method="wilson")
        assert cells[4] == words.interval(*ends, words.percent)


def test_regression_is_told_in_original_units():
    problem = make_problem("regression", weighted=True, rows=500)
    rows = examine.regressed(problem, make_test(problem))
    true = problem.test.labels.astype(float) * 40 + 150
    predicted = make_test(problem).scores.astype(float) * 40 + 150
    weights = problem.test.weights
    rmse = peer.root_mean_squared_error(true, predicted, sample_weight=weights)
    r2 = peer.r2_score(true, predicted, sample_weight=weights)
    figures = regression.figures(rows)
    np.testing.assert_allclose(regression.root_mean_square(rows), rmse, rtol=1e-6)
    error = peer.mean_absolute_error(true, predicted, sample_weight=weights)
    bias = np.average(predicted - true, weights=weights)
    told = [value for _, value, _ in figures]
    np.testing.assert_allclose(told, [rmse, r2, error, bias], rtol=1e-5)
    assert len(rows.true) == np.count_nonzero(weights)
    near = np.abs(true - predicted) <= rmse
    np.testing.assert_allclose(regression.inside(rows), np.average(near, weights=weights))
    line = LinearRegression().fit(predicted[:, None], true, weights)
    np.testing.assert_allclose(regression.slope(rows), line.coef_[0], rtol=1e-6)
    for _, value, (low, high) in figures:
        assert low < value < high
    # Normal errors in rows that weigh alike: the RMSE has a standard error of RMSE / √(2N).
    alike = rows._replace(weights=np.ones(len(rows.true)))
    (_, value, (low, high)), *_ = regression.figures(alike)
    error = value / np.sqrt(2 * len(rows.true))
    np.testing.assert_allclose(high - low, 2 * 1.96 * error, rtol=0.2)


def test_guessing_is_the_best_constant_answer():
    problem = make_problem("multiclass", 3, weighted=True)
    labels, weights = problem.train.labels, problem.train.weights
    shares = [weights[labels == c].sum() / weights.sum() for c in range(3)]
    constant = np.tile(shares, (len(labels), 1))
    expected = peer.log_loss(labels, constant, sample_weight=weights)
    np.testing.assert_allclose(examine.guessing_loss(problem), expected, rtol=1e-6)
    regressed = make_problem("regression")
    np.testing.assert_allclose(
        examine.guessing_loss(regressed), regressed.train.labels.var(), rtol=1e-5
    )


# How sure.


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_is_scipys(rows, share):
    hits = round(share * rows)
    low, high = uncertainty.wilson(hits / rows, rows)
    expected = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    np.testing.assert_allclose([low, high], [expected.low, expected.high], atol=1e-9)


def test_reliability_is_scikit_learns_curve():
    rng = np.random.default_rng(0)
    stated = rng.random(500)
    came_true = rng.random(500) < stated**2
    found = uncertainty.reliability(stated, came_true, np.ones(500))
    share, mean = calibration.calibration_curve(came_true, stated, n_bins=10)
    np.testing.assert_allclose(found.true, share)
    np.testing.assert_allclose(found.stated, mean)
    error = np.sum(found.rows * np.abs(share - mean)) / 500
    np.testing.assert_allclose(found.error, error)
    assert found.error > found.luck[1]  # p squared is not p
    coins = uncertainty.reliability(stated, np.arange(500) % 2, np.ones(500))
    assert coins.error > 0.15  # too low here and too high there don't cancel


def test_weights_in_reliability_are_repetition():
    rng = np.random.default_rng(1)
    stated, weights = rng.random(300), rng.integers(0, 4, 300)
    came_true = (rng.random(300) < stated).astype(float)
    weighted = uncertainty.reliability(stated, came_true, weights)
    repeated = uncertainty.reliability(
        *(np.repeat(v, weights) for v in (stated, came_true)), np.ones(weights.sum())
    )
    for name in ("stated", "true", "error"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name))
    # Repeating rows tells nothing new: the intervals know how many rows there were.
    assert np.all(weighted.high - weighted.low > repeated.high - repeated.low)


def test_luck_is_what_a_calibrated_model_shows():
    rng = np.random.default_rng(2)
    above = []
    for _ in range(100):
        stated = rng.random(200)
        found = uncertainty.reliability(stated, rng.random(200) < stated, np.ones(200), rounds=100)
        above.append(found.error > found.luck[1])
    assert 0 < np.mean(above) < 0.15  # 5 of 100, give or take


def test_mean_and_error_are_scipys_and_free_of_scale():
    values = np.random.default_rng(3).normal(size=80)
    mean, error = uncertainty.mean_and_error(values, np.ones(80))
    np.testing.assert_allclose([mean, error], [values.mean(), stats.sem(values)], rtol=1e-12)
    doubled = uncertainty.mean_and_error(values, np.full(80, 2.0))
    np.testing.assert_allclose(doubled, [mean, error], rtol=1e-12)


# Words, ticks, curves and cautions.


@given(st.floats(1e-30, 1e30), st.booleans())
def test_a_number_reads_back(value, negative):
    value = -value if negative else value
    text = words.number(value)
    np.testing.assert_allclose(float(text.replace(",", "")), value, rtol=5.01e-3)
    assert float(words.tidy(value).replace(",", "")) == float(text.replace(",", ""))
    assert len(text) <= 9


def test_numbers_that_are_none():
    assert [words.number(v) for v in (np.nan, np.inf, 0)] == ["none", "∞", "0"]
    assert [words.span(1.0, high) for high in (1.0001, 2)] == ["1.00", "1.00 to 2.00"]
    assert words.plus_minus(0.12345, 0.0123) == "0.123 ± 0.012"
    assert words.plus_minus(0.5, np.nan) == "0.5000"


@given(st.floats(-12, 6), st.floats(0.05, 12))
def test_log_ticks_are_few_round_and_inside(start, decades):
    low, high = 10**start, 10 ** (start + decades)
    ticks = style.log_ticks(low, high)
    assert 2 <= len(ticks) <= 10
    assert ticks == sorted(ticks)
    assert all(low <= tick * (1 + 0.05) and tick <= high * (1 + 0.05) for tick in ticks)


def test_a_curve_ends_when_its_first_fold_dies():
    *_, findings = case("ten classes")
    lanes = findings.lanes
    dead = lanes.loc[lanes["status"] == "diverged", "config"].iloc[0]
    line = curves.per_config(findings, "log_loss").loc[dead]
    folds = findings.curves["log_loss"][(lanes["config"] == dead).to_numpy()]
    np.testing.assert_allclose(line[:3], folds[:, :3].mean(axis=0))
    assert line[3:].isna().all()


def test_each_configuration_plays_one_role():
    configs = case("ten classes")[2].configs
    cast = curves.roles(configs, configs["config"].iloc[0])
    assert list(cast) == ["best", "median", "worst finite"]
    means = configs.set_index("config")["mean"]
    assert means[cast["best"]] == means.min()
    assert means[cast["worst finite"]] == means.max()
    assert curves.roles(configs.iloc[:1], configs["config"].iloc[0]) == {"best": cast["best"]}


@pytest.mark.parametrize(("rate", "end"), [(0.00101, "lower"), (0.1, None), (0.98, "upper")])
def test_a_choice_at_the_edge_of_its_range_is_told(rate, end):
    problem, _, findings = case("binary")
    chosen = findings.chosen | {"learning_rate": rate, "momentum": 0.5, "l2": 1e-3}
    moved = study.Findings(**{**vars(findings), "chosen": chosen})
    settings = {"learning_rate": (1e-3, 1.0), "momentum": (0.0, 0.99), "l2": (1e-6, 1e-1)}
    notes = chosen_by.cautions(problem, moved, {"settings": settings})
    told = [note for note in notes if "edge of its range" in note]
    assert len(told) == (end is not None)
    assert all(f"lies at the {end} edge" in note for note in told)


def test_step_sizes_count_heavy_balls_in_full():
    configs = case("binary")[2].configs
    steps, label = landscape.step_sizes(configs, "learning_rate")
    np.testing.assert_allclose(steps, configs["learning_rate"] / (1 - configs["momentum"]))
    assert label == "learning rate / (1 − momentum)"
    averaged = configs.assign(optimizer="momentum_ema")
    assert landscape.step_sizes(averaged, "learning_rate")[1] == "learning rate"


def test_marks_tell_static_settings_apart_while_they_suffice():
    configs = case("groups")[2].configs
    assert set(landscape.shapes(configs)) == {"linear", "mlp"}  # 8 combinations, 5 marks
    two = configs.assign(batch_size=16, epochs=20)
    assert set(landscape.shapes(two)) == {"linear, adam", "linear, momentum"} | {
        "mlp, adam",
        "mlp, momentum",
    }
    assert set(landscape.shapes(case("binary")[2].configs)) == {""}
    shapes = np.where(configs["model"] == "mlp", "8x4", "")
    two = configs.assign(batch_size=16, optimizer="adam", hidden=shapes)
    assert set(landscape.shapes(two)) == {
        f"{model}, epochs {epochs}"
        for model in ("linear", "mlp, hidden 8x4")
        for epochs in (10, 20)
    }
    named = ["epochs 5", "epochs 20", "hidden 8, epochs 5", "hidden 16x4, epochs 5"]
    assert sorted(sorted(named), key=leaderboard.by_number) == named


@matplotlib.rc_context(style.RC)
def test_a_picture_of_too_many_lines_is_an_image_under_words():
    rng = np.random.default_rng(0)
    figure, axes = style.panel(10.5, 4.6)
    axes.plot(np.cumsum(rng.normal(size=(100, 300)), axis=0), color=style.MUTED, lw=0.5)
    axes.scatter(np.arange(99), np.arange(99), color=style.WARM, edgecolors=style.PAPER)
    axes.set_title("Many", color=style.INK)
    drawn = str(style.picture("many", figure, "Many lines"))
    assert len(drawn) < 300_000
    assert "data:image/png;base64" in drawn
    assert ">Many</text>" in drawn
    assert not re.findall("#00000[1-6]", drawn)
    few, axes = style.panel()
    axes.plot([0, 1], [0, 1 / 3])
    assert "image/png" not in (drawn := str(style.picture("few", few, "One line")))
    assert not re.search(r' d="[^"]*\d\.\d{3}', drawn)
