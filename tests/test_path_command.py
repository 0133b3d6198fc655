"""`python -m experiments.path`: files, choices, page, and one line for every mistake."""

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.utils.class_weight import compute_sample_weight

import jaxlr
from experiments.datasets.probes import load_probes
from experiments.kit import commands, pages, saved
from experiments.path import (
    __main__,
    certificates,
    choices,
    findings,
    metrics,
    page,
    penalties,
    problems,
    study,
)
from experiments.path import run as path
from experiments.path import settings as path_settings
from jaxlr import paths
from jaxlr.paths import march
from tests import path_cases

pytestmark = pytest.mark.once

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(7)
ROWS = RNG.normal(size=(60, 4))
LABELS = (ROWS[:, :3] + 0.3 * RNG.normal(size=(60, 3)) > 0).astype(int)


def main(*args):
    return __main__.main([str(arg) for arg in args])


def read(folder):
    summary = json.loads((folder / "summary.json").read_text())
    html = (folder / "report.html").read_text(encoding="utf-8")
    return pd.read_parquet(folder / "results.parquet"), summary, html


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """One true run: 3 folds × 5 ridge penalties on 353 rows."""
    out = tmp_path_factory.mktemp("path") / "diabetes"
    assert main("--data", "diabetes", "--lambdas", 5, "--folds", 3, "--seed", 3, "--out", out) == 0
    return out


def test_the_files_hold_what_they_promise(solved):
    assert sorted(p.name for p in solved.iterdir()) == [
        "coefficients.csv",
        "model.npz",
        "report.html",
        "results.parquet",
        "summary.json",
    ]
    lanes, summary, html = read(solved)
    assert list(lanes.columns) == [
        *("layer", "target", "fold", "l1_ratio", "lambda", "C", "risk", "gap", "decrement"),
        *("status", "num_steps", "nonzero", "held_out"),
    ]
    assert len(lanes) == summary["num_lanes"] == 15
    assert {"device", "jax", "compile_seconds", "run_seconds", "best"} <= set(summary)
    assert summary["settings"]["seed"] == 3
    assert summary["statuses"] == {"certified": 15}
    assert (lanes["gap"] <= 1e-6 * lanes["risk"]).all()
    means = lanes.groupby("lambda")["held_out"].mean()
    assert summary["best"]["lambda"] == pytest.approx(means.idxmin())
    assert summary["best"]["mean"] == pytest.approx(means.min())
    assert summary["probes"] == [summary["best"]]
    assert summary["test"]["r2"] > 0.3
    assert "<svg" in html


def test_every_lane_and_its_held_out_loss_are_scikit_learns(solved):
    lanes, _, _ = read(solved)
    settings = commands.parse(
        path.Settings, None, ["--data", "diabetes", "--lambdas", "5", "--folds", "3", "--seed", "3"]
    )
    probes, plan = load_probes(settings.data), path_settings.plan(settings)
    rows = problems.rows(probes, plan, settings.seed, settings.test_fraction)
    table = probes.layers["diabetes"]
    x, y = np.asarray(table.features, np.float64)[rows.train], table.labels[rows.train]
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    for lane in lanes.itertuples():
        train = rows.folds[lane.fold] > 0
        lam = lanes["lambda"][lane.Index]
        # mean square + λ/2 ‖w‖² times the rows; scikit-learn has no halves
        ridge = Ridge(alpha=lam * train.sum() / 2).fit(x[train], y[train])
        loss = np.mean((ridge.predict(x[train]) - y[train]) ** 2)
        assert lane.risk == pytest.approx(loss + lam / 2 * np.sum(ridge.coef_**2), rel=1e-5)
        held = np.mean((ridge.predict(x[~train]) - y[~train]) ** 2)
        assert lane.held_out == pytest.approx(held, rel=1e-5)
        assert pytest.approx(1 / (lam * train.sum())) == lane.C


@pytest.fixture
def quick(monkeypatch):
    """Paths as if solved; what the page shows of test rows has tests of its own."""
    for name in ("fit", "cross_validate", "lambda_grid"):
        monkeypatch.setattr(paths, name, getattr(path_cases, name))
    monkeypatch.setattr(page.tested, "of", lambda problem, test: None)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three layers, labels of three targets, and a table with two."""
    monkeypatch.chdir(tmp_path)
    for layer in range(3):
        x = ROWS + (3 - layer) * RNG.normal(size=ROWS.shape)
        np.save(f"layer{layer}.npy", x.astype(np.float16))
    np.save("y.npy", LABELS)
    np.save("short.npy", ROWS[:50])
    np.save("nan.npy", np.where(np.arange(60)[:, None] == 4, np.nan, ROWS))
    np.save("one.npy", np.ones(60, int))
    table = pd.DataFrame(ROWS, columns=list("abcd")).assign(kind=LABELS[:, 0], size=ROWS[:, 0])
    table.to_csv("table.csv", index=False)
    return tmp_path


LAYERS = ("--data", "layer0.npy", "layer1.npy", "layer2.npy", "--labels", "y.npy")
ONE = ["--data", "layer0.npy", "--labels", "y.npy", "--target", "labels[0]", "--lambdas", "9"]
FEW = ("--folds", 3, "--lambdas", 4)


def well_formed(html, folder=Path("o")):
    """The page as a tree: ids once, nothing from outside, every figure with words and numbers.

    A link leads into the page, or to a file of the folder.
    """
    root = ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>\n"))
    ids = Counter(node.get("id") for node in root.iter() if node.get("id"))
    assert set(ids.values()) == {1}
    for node in root.iter():
        for name, value in node.attrib.items():
            if name.split("}")[-1] in {"href", "src"}:
                is_file = (folder / value.partition("#")[0]).is_file()
                assert is_file or value.startswith("data:") or value.removeprefix("#") in ids
    for figure in root.iter("figure"):
        assert re.search(r"\d", "".join(figure.find("figcaption").itertext()))
    words = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", html, flags=re.DOTALL).lower()
    assert "nan" not in re.findall(r"\w+", words)
    assert not re.findall("#00000[1-6]", html)
    return root


def test_the_model_that_is_kept_gives_the_figures_that_were_printed(solved):
    """By the file alone, on raw rows: scikit-learn's R² of the rows that nobody touched."""
    _, summary, _ = read(solved)
    model = saved.load(solved / "model.npz")
    assert model.certificate["status"] == "certified"
    assert model.certificate["lambda"] == summary["best"]["refit"]["lambda"]
    x, y = load_diabetes(return_X_y=True, scaled=False)
    settings = commands.parse(path.Settings, None, ["--data", "diabetes", "--seed", "3"])
    rows = problems.rows(load_probes(("diabetes",)), path_settings.plan(settings), 3, 0.2)
    w, b, _ = saved.own_units(model)
    predicted = x[rows.test] @ w + b
    assert r2_score(y[rows.test], predicted) == pytest.approx(summary["test"]["r2"], rel=1e-5)
    kept = pd.read_csv(solved / "coefficients.csv")
    assert kept["own"].to_numpy()[:-1] == pytest.approx(w, rel=1e-6)
    assert kept["feature"].tolist()[-1] == "intercept"


def test_every_probe_has_a_page_and_a_model(files, quick):
    assert main(*LAYERS, *FEW, "--probe-pages", 4, "--out", "o") == 0
    names = {f"layer{layer}_labels-{t}" for layer in range(3) for t in range(3)}
    assert {file.stem for file in (files / "o" / "models").iterdir()} == names
    drawn = sorted((files / "o" / "probes").iterdir())
    assert len(drawn) == 4
    assert len({file.stem.split("_")[1] for file in drawn}) == 3  # each target's best layer first
    html = (files / "o" / "report.html").read_text(encoding="utf-8")
    for file in drawn:
        assert f'href="probes/{file.name}"' in html
        root = well_formed(file.read_text(encoding="utf-8"), file.parent)
        assert "".join(root.find(".//h1").itertext()).split(" on ")[1] == file.stem.split("_")[0]
        assert root.find(".//section[@id='coefficients']") is not None
    lead = saved.load(files / "o" / "model.npz")
    assert lead.target == "labels[0]"


def test_what_guessing_has_stands_beside_what_chose(files, quick, capsys):
    frame = pd.DataFrame(ROWS, columns=list("abcd")).assign(y=np.where(ROWS[:, 0] > 0.7, "p", "q"))
    frame.to_csv("rare.csv", index=False)
    asked = ("--data", "rare.csv", *FEW, "--metric")
    for metric, guess in (("accuracy", None), ("roc_auc", 0.5), ("balanced_accuracy", 0.5)):
        assert main(*asked, metric, "--out", "o", "--overwrite") == 0
        told = re.search(r"(always|guessing) .*? gives ([\d.]+)", capsys.readouterr().out)
        value = float(told[2])
        lead = saved.load(files / "o" / "model.npz")
        assert lead.class_names == ("p", "q")
        if guess is None:
            assert value > 0.6
            assert f"{value:.3g}" in (files / "o" / "report.html").read_text(encoding="utf-8")
        else:
            assert value == guess


def test_layers_and_targets_are_crossed_and_compared(files, quick, capsys):
    assert main(*LAYERS, *FEW, "--out", "o") == 0
    lanes, summary, html = read(files / "o")
    assert len(lanes) == 3 * 3 * 3 * 4
    assert len(lanes.drop_duplicates(["layer", "target", "fold", "lambda"])) == len(lanes)
    assert [(p["layer"], p["target"]) for p in summary["probes"]] == [
        (f"layer{layer}", f"labels[{t}]") for layer in range(3) for t in range(3)
    ]
    assert summary["data"]["layers"] == {"layer0": 4, "layer1": 4, "layer2": 4}
    first = [p for p in summary["probes"] if p["target"] == "labels[0]"]
    assert summary["best"] == min(first, key=lambda p: p["mean"])
    root = well_formed(html)
    assert [node.get("id") for node in root.iter("section")][:6] == [
        *("layers", "choices", "validation", "coefficients", "weights", "certificates")
    ]
    said = capsys.readouterr().out
    assert "108 lanes = 3 layers x 3 targets x 3 folds x 4 penalties" in said
    assert len(re.findall(r"^layer\d ", said, re.MULTILINE)) == 9


def test_targets_of_two_kinds_share_a_table(files, quick):
    assert main("--data", "table.csv", "--target", "kind", "size", *FEW, "--out", "o") == 0
    _, summary, html = read(files / "o")
    assert summary["data"]["targets"] == {"kind": "binary", "size": "regression"}
    assert summary["data"]["features"] == list("abcd")
    well_formed(html)
    assert "Test R² of every layer and target" in html


def test_the_clip_protocol_keeps_c_from_validation_to_refit(files, quick):
    assert (
        main("--data", "layer2.npy", "--labels", "y.npy", "--protocol", "clip", "--out", "o") == 0
    )
    lanes, summary, html = read(files / "o")
    assert len(lanes) == 3 * 96
    np.testing.assert_allclose(lanes["C"][:96], np.geomspace(1e-6, 1e6, 96))
    kept = 1 / (lanes["C"] * lanes["lambda"])
    np.testing.assert_allclose(kept, kept[0])
    assert kept[0] < summary["data"]["num_train"] == 48
    for probe in summary["probes"]:
        mine = lanes[lanes["target"] == probe["target"]].set_index("C")
        refit = probe["refit"]
        assert mine["held_out"].max() == pytest.approx(probe["mean"])
        assert mine["held_out"].idxmax() == pytest.approx(refit["C"])
        assert refit["lambda"] == pytest.approx(1 / (refit["C"] * 48))
    well_formed(html)
    assert "By the CLIP protocol" in html


def test_class_weights_multiply_those_of_training_rows_and_of_no_other(files, quick, capsys):
    settings = commands.parse(path.Settings, None, [*LAYERS, "--class-weight", "balanced"])
    probes, plan = load_probes(settings.data, labels="y.npy"), path_settings.plan(settings)
    rows = problems.rows(probes, plan, 0, 0.2)
    x, encoder = problems.features(probes, "layer0", rows, "standard")
    for target in probes.targets:
        made = problems.problem(probes, "layer0", target, rows, x, encoder, plan)
        expected = compute_sample_weight("balanced", target.labels[rows.train])
        np.testing.assert_allclose(made.train.weights, expected, rtol=1e-6)
        assert (made.test.weights == 1).all()
        assert made.commonest == np.bincount(target.labels[rows.train]).argmax()
    assert main(*LAYERS, *FEW, "--class-weight", "1", "0.5", "--out", "o") == 0
    lanes, summary, _ = read(files / "o")
    assert len(lanes) == 3 * 3 * 3 * 4  # every target has weights of its own, and is a group
    assert "--class-weight 1 0.5" in summary["command"]
    assert "108 lanes" in capsys.readouterr().out


@pytest.mark.parametrize("rule", ["best", "one_standard_error"])
def test_no_penalty_on_separable_classes_is_said(quick, tmp_path, rule):
    args = ["--data", "iris", "--lambdas", 0.1, 0.01, 0, "--folds", 3, "--rule", rule]
    assert main(*args, "--out", tmp_path / "o") == 0
    lanes, summary, html = read(tmp_path / "o")
    assert summary["statuses"]["separable"] == 3
    assert np.isinf(lanes["gap"][lanes["status"] == "separable"]).all()
    assert np.isinf(lanes["C"][lanes["lambda"] == 0]).all()
    well_formed(html)
    assert pages.macros("path/words.html").ending("separable") in html
    assert "λ = 0 is drawn at the right end" in html
    assert (summary["best"]["refit"]["status"] == "separable") == (rule == "best")
    assert ("take a λ above 0" in html) == (rule == "best")


@pytest.mark.parametrize("rule", ["best", "one_standard_error"])
def test_several_l1_ratios_and_either_rule(quick, tmp_path, rule, capsys):
    args = ["--l1-ratio", 0, 1, "--metric", "accuracy", "--rule", rule, *FEW]
    assert main("--data", "breast_cancer", *args, "--out", tmp_path / "o") == 0
    lanes, summary, html = read(tmp_path / "o")
    assert len(lanes) == 3 * 2 * 4
    means = lanes.groupby(["l1_ratio", "lambda"])["held_out"].agg(["mean", "sem"])
    best = means.loc[means["mean"].idxmax()]
    if rule == "best":
        assert summary["best"]["mean"] == pytest.approx(best["mean"])
    else:
        assert summary["best"]["mean"] >= best["mean"] - best["sem"] - 1e-12
    well_formed(html)
    assert "l1 ratio" in capsys.readouterr().out


def test_a_single_penalty_has_no_curve(quick, tmp_path):
    args = ["--lambdas", 1, "--lambda-max", "0.1", "--folds", 2]
    assert main("--data", "diabetes", *args, "--out", tmp_path / "o") == 0
    lanes, _, html = read(tmp_path / "o")
    assert lanes["lambda"].tolist() == [0.1, 0.1]
    assert 'id="validation"' not in html
    well_formed(html)


def test_scores_that_are_no_number_choose_nothing(quick, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jaxlr.metrics, "r2_score", lambda *_, **__: np.nan)
    args = ["--metric", "r2", "--folds", 2, "--lambdas", 2]
    assert main("--data", "diabetes", *args, "--out", tmp_path / "o") == 1
    assert "1 of 1 probes have no finite --metric r2" in capsys.readouterr().out
    _, summary, html = read(tmp_path / "o")
    assert summary["best"] is None
    assert "No setting can be chosen" in html
    assert 'id="test"' not in html


@pytest.mark.parametrize("metric", sorted(set(metrics.METRICS) - {"loss"}))
def test_every_metric_reads_logits(metric):
    asked = metrics.METRICS[metric]
    for task in asked.tasks:
        labels = np.arange(12) % (3 if task == "multiclass" else 2)
        right = {
            "binary": 4.0 * labels - 2,
            "multiclass": 9.0 * np.eye(3)[labels],
            "regression": labels.astype(float),
        }[task].astype(np.float32)
        value = metrics.scorer(metric, task, int(labels.max()) + 1)(labels, right)
        assert float(value) == pytest.approx(1.0 if asked.maximise else 0.0)


MISTAKES = [
    (["--data", "digit"], "did you mean 'digits'"),
    (["--data", "iris", "--target", "foo"], "no column 'foo'"),
    (["--data", "iris", "--lambdas", "1", "-1"], "--lambdas -1: a penalty is a number from 0 on"),
    (["--lambdas", "1", "nan"], "--lambdas nan: a penalty is a number from 0 on"),
    (["--lambdas", "0.01", "1", "0.1"], "--lambdas 0.01 1: give penalties from strong to weak"),
    (["--lambdas", "0.01", "1", "0.1"], "--lambdas 1 0.1 0.01"),
    (["--lambdas", "0.5"], "--lambdas 0.5: one value says how many penalties"),
    (["--lambdas", "0"], "--lambdas 0: one value says how many penalties"),
    (["--lambdas", "many"], "many"),
    (["--lambdas", "2", "1", "--lambda-max", "3"], "--lambda-max 3: --lambdas gives the penalties"),
    (["--lambda-min", "0"], "--lambda-min 0: must be above 0"),
    (["--lambda-max", "1", "--lambda-min", "2"], "--lambda-min 2: must be below --lambda-max 1"),
    (["--l1-ratio", "0.5", "1.5"], "--l1-ratio 1.5: must lie in [0, 1]"),
    (["--folds", "1"], "--folds 1: must be at least 2"),
    (["--data", "iris", "--folds", "121"], "--folds 121: there are only 120 training rows; take"),
    (["--seed", "-1"], "--seed -1: must be at least 0"),
    (["--tol", "0"], "--tol 0: must lie between 0 and 1"),
    (["--test-fraction", "1.5"], "--test-fraction 1.5: must lie between 0 and 1"),
    (["--metric", "acuracy"], "acuracy"),
    (["--data", "diabetes", "--metric", "roc_auc"], "not for target 'target', a regression task"),
    (["--data", "diabetes", "--protocol", "clip"], "--protocol clip, which chooses by accuracy"),
    (["--protocol", "clip", "--folds", "3"], "--folds 3: --protocol clip fixes it"),
    (["--protocol", "clip", "--l1-ratio", "1"], "--l1-ratio 1: --protocol clip fixes it"),
    (["--data", "diabetes", "--class-weight", "balanced"], "is a number and has no classes"),
    (["--data", "iris", "--class-weight", "1", "2"], "has 2 numbers, and there are 3 classes"),
    (["--no-such-option"], "no-such-option"),
    (["--data", "layer0.npy"], "holds no labels; give them with --labels"),
    (["--data", "layer0.npy", "short.npy", "--labels", "y.npy"], "'short' has 50 rows and layer"),
    (["--data", "layer0.npy", "nan.npy", "--labels", "y.npy"], "'nan' is nan in row 5"),
    (["--data", "short.npy", "--labels", "y.npy"], "60 values of 'labels[0]' in 'y.npy', but 50"),
    (["--data", "layer0.npy", "--labels", "one.npy"], "'labels' is 1 in every row"),
    (["--data", "adult.csv", "--protocol", "clip"], "features as they are (--scaling none,"),
    (["--data", "heavy.csv", "--weights", "w"], "--weights are 0 in each of the"),
    (["--data", "rare.csv"], "class 'b' of target 'y' has 1 training row"),
]


@pytest.mark.parametrize(("args", "said"), MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(args, said, files, capsys):
    words = pd.DataFrame({"c": list("xyz") * 20, "d": range(60), "y": LABELS[:, 0]})
    words.to_csv("adult.csv", index=False)
    words[["d", "y"]].assign(w=1.0 * (np.arange(60) == 1)).to_csv("heavy.csv", index=False)
    rare = np.where(np.arange(60) < 1, "b", "a")
    words[["d"]].assign(y=rare).to_csv("rare.csv", index=False)
    assert main(*args, "--out", files / "out" / "o") == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert said in told.err
    assert not list((files / "out").iterdir()) if (files / "out").exists() else True


def test_a_range_below_the_data_s_own_is_refused(quick, tmp_path, capsys):
    assert main("--data", "iris", "--lambda-min", "99", *FEW, "--out", tmp_path / "o") == 2
    assert "--lambda-min 99: must be below the strongest penalty, 3 for" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_to_learn_is_w_0_and_one_line(files, quick, capsys):
    pd.DataFrame({"a": 7.0, "b": 3, "y": LABELS[:, 0]}).to_csv("flat.csv", index=False)
    assert main("--data", "flat.csv", *FEW, "--out", "o") == 0
    said = "Nothing to learn: no feature of flat.csv varies with 'y' in the training rows, so w = 0"
    assert said in capsys.readouterr().err
    lanes, summary, html = read(files / "o")
    assert (lanes["nonzero"] == 0).all()
    assert summary["data"]["remarks"][-1].startswith(said)
    assert html.count("Nothing to learn") == 1


@pytest.mark.parametrize(("means", "end"), [([0.5] * 4, None), ([0.5, 0.6, 0.7, 0.8], "strongest")])
def test_an_end_of_the_penalties_is_one_where_others_are_worse(means, end):
    assert findings.edge(np.geomspace(1, 0.1, 4), np.array([means]), (0, 0)) == end


def test_suspect_columns_are_noted_beside_the_headline_and_on_stderr(files, quick, capsys):
    table = pd.DataFrame(ROWS, columns=list("abcd")).assign(code=LABELS[:, 0] + 5)
    table.assign(nr=range(60), target=LABELS[:, 0]).to_csv("proud.csv", index=False)
    assert main("--data", "proud.csv", *FEW, "--out", "o") == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert notes[0] == "note: 'nr' counts the rows; --drop nr leaves it out"
    assert notes[1].startswith("note: 'code' alone tells 'target' (nearly) exactly")
    _, summary, html = read(files / "o")
    assert summary["data"]["remarks"] == [note.removeprefix("note: ") for note in notes]
    header = html[html.index("<header") : html.index("</header")]
    assert "--drop nr leaves it out" in header
    assert "--drop code leaves it out" in header


def test_without_an_intercept_nothing_is_centred(files, quick):
    x = ROWS + 5
    table = pd.DataFrame(x, columns=list("abcd")).assign(y=x @ [1.0, 2.0, 0.0, 0.0])
    table.to_csv("origin.csv", index=False)
    settings = commands.parse(
        path.Settings, None, ["--data", "origin.csv", "--no-intercept", "--lambdas", "2"]
    )
    probes, plan = load_probes(settings.data), path_settings.plan(settings)
    rows = problems.rows(probes, plan, 0, 0.2)
    (probe,) = study.run(probes, rows, plan).probes
    batch, (mean, std) = probe.problem.train, probe.problem.target_scale
    assert mean == 0
    np.testing.assert_allclose(batch.labels * std, table["y"][rows.train], rtol=1e-6)
    np.testing.assert_allclose(batch.x, x[rows.train], rtol=1e-6)
    assert probe.test.params["b"] == 0
    assert main("--data", "origin.csv", "--no-intercept", *FEW, "--out", "o") == 0
    assert "linear regressions through the origin on" in read(files / "o")[2]


def test_r_squared_of_single_rows_is_refused(files, capsys):
    args = ["--data", "table.csv", "--target", "size", "--folds", 48, "--metric", "r2"]
    assert main(*args, "--out", "o") == 2
    said = "--metric r2: fold 0 holds out 1 row, and R² needs two; take --folds 24 or fewer, or"
    assert f"{said} --metric loss, absolute_error\n" in capsys.readouterr().err


def test_what_no_fold_can_judge_is_refused_with_the_other_metrics(
    files, quick, monkeypatch, capsys
):
    def refuse(*args, **options):
        raise ValueError("no setting has a finite mean:\n folds 0, 2 have one class")

    monkeypatch.setattr(paths, "cross_validate", refuse)
    args = ["--data", "table.csv", "--target", "kind", "--metric", "roc_auc"]
    assert main(*args, *FEW, "--out", "o") == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: --metric roc_auc with --folds 3: no setting has a finite mean: folds 0, 2 have one"
        " class; take fewer --folds, or --metric loss, accuracy, balanced_accuracy, f1, matthews,"
        " average_precision"
    )
    assert not (files / "o").exists()


def test_what_was_interrupted_is_kept_and_resumed_to_the_same_results(files, monkeypatch, capsys):
    assert main(*ONE, "--out", "whole") == 0
    solved, blocks = march._solved, []

    def stop_at_the_third(*args, **options):
        blocks.append(args)
        if len(blocks) == 3:
            raise KeyboardInterrupt
        return solved(*args, **options)

    monkeypatch.setattr(march, "_solved", stop_at_the_third)
    assert main(*ONE, "--out", "o") == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"interrupted: what had been done is kept in {files}/o.partial; to")
    assert "--out o --resume" in said
    assert len(list(files.glob("o.partial/blocks/*"))) == 2
    assert not (files / "o").exists()
    assert main(*ONE, "--out", "o") == 2
    assert "say --resume to go on with it, or --overwrite" in capsys.readouterr().err
    assert main(*ONE, "--out", "o", "--resume") == 0
    lanes = (pd.read_parquet(f"{folder}/results.parquet") for folder in ("o", "whole"))
    pd.testing.assert_frame_equal(*lanes)
    summaries = [json.loads((files / o / "summary.json").read_text()) for o in ("o", "whole")]
    assert summaries[0]["probes"] == summaries[1]["probes"]
    assert "resume" not in summaries[0]["command"]
    assert not (files / "o.partial").exists()


def test_means_name_the_folds_that_they_leave_out(files, quick, monkeypatch):
    solved, cut = paths.cross_validate, problems.strata.folds

    def without_fold_1(*args, **options):
        found = solved(*args, **options)
        found.scores[:, 1] = np.nan
        return found._replace(mean=np.nanmean(found.scores, axis=1))

    def hold_out_one_class(key, targets, heard, num_folds):
        folds = cut(key, targets, heard, num_folds)
        folds[1] = 1 - targets[0].labels
        return folds

    monkeypatch.setattr(paths, "cross_validate", without_fold_1)
    monkeypatch.setattr(problems.strata, "folds", hold_out_one_class)
    assert main("--data", "table.csv", "--target", "kind", *FEW, "--out", "o") == 0
    _, summary, html = read(files / "o")
    assert summary["best"]["left_out"] == [
        {"fold": 1, "trains_without": ["1"], "holds_out_without": ["0"]}
    ]
    said = "Means leave out fold 1, which trains without “1” and holds out none of “0”: no figure"
    assert said in html[: html.index("</header>")]


def test_classes_are_left_out_by_name(files, quick, capsys):
    words = np.where(np.arange(60) < 1, "rare", np.where(LABELS[:, 0], "p", "q"))
    pd.DataFrame(ROWS, columns=list("abcd")).assign(y=words).to_csv("three.csv", index=False)
    assert main("--data", "three.csv", *FEW, "--out", "o") == 2
    assert "--drop-classes rare" in capsys.readouterr().err
    assert main("--data", "three.csv", *FEW, "--drop-classes", "rare", "--out", "o") == 0
    assert "1 rows left out for 'rare' in 'y'" in capsys.readouterr().out
    _, summary, _ = read(files / "o")
    assert (summary["data"]["task"], summary["data"]["classes"]) == ("binary", ["p", "q"])


def test_labels_at_the_end_of_lines_keep_apart_and_in_order():
    heights = np.array([0.0, 0.01, 0.02, 5.0, -3.0])
    placed = penalties.spread(heights, 0.5, -4, 6)
    assert np.all(np.diff(np.sort(placed)) >= 0.5 - 1e-12)
    assert np.array_equal(np.argsort(placed), np.argsort(heights))
    np.testing.assert_allclose(placed[3:], heights[3:])
    np.testing.assert_allclose(placed[:3].mean(), 0.01)


def test_many_probes_are_told_by_each_target_s_best_layer():
    def probe(layer, target, mean):
        made = object.__new__(findings.Probe)
        for name, value in {"layer": layer, "mean": np.array([[mean]]), "chosen": (0, 0)}.items():
            object.__setattr__(made, name, value)
        problem = type("P", (), {"table": type("T", (), {"target": target})})
        object.__setattr__(made, "problem", problem)
        return made

    made = [probe(f"l{i}", t, (i - 3) ** 2 + (t == "b")) for i in range(9) for t in "ab"]
    found = findings.Findings(made, None, made[0])
    plan = path_settings.plan(path_settings.Settings())
    assert [(p.layer, p.target) for p in choices.short(found, plan, 5)] == [
        ("l3", "a"),
        ("l3", "b"),
    ]
    assert len(choices.short(found, plan, 18)) == 18


def test_lanes_of_one_penalty_lie_side_by_side_within_the_axes():
    lanes = pd.DataFrame({"lambda": 0.01, "risk": 1.0, "gap": 1e-8, "decrement": 1e-9}, range(10))
    (axes,) = certificates.draw(lanes.assign(status="certified"), 1e-6).axes
    drawn = np.concatenate([dots.get_offsets()[:, 0] for dots in axes.collections[1:]])
    left, right = axes.get_xlim()  # strong penalties are on the left
    assert right < drawn.min() < drawn.max() < left
