"""`python -m experiments.path --protocol`: files become splits, figures a page, mistakes a line."""

import inspect
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from sklearn.linear_model import LogisticRegression

from experiments.benchmarks import tables
from experiments.benchmarks.paths import protocols as benchmark
from experiments.datasets import DataError
from experiments.kit import saved
from experiments.kit.mistakes import SettingError
from experiments.path import __main__
from experiments.path.settings import Settings
from experiments.protocols import figures, mteb, page, reading, remarks, run, scores, table
from experiments.protocols.found import Found
from tests.test_path_command import SVG, well_formed

pytestmark = pytest.mark.once

RNG = np.random.default_rng(11)
X = RNG.normal(size=(60, 3)).astype(np.float32)
X /= np.linalg.norm(X, axis=1, keepdims=True)
Y = np.arange(60) % 3
NAMES = np.array(["red", "green", "blue"])
OTHERS = {"train_x": X, "train_y": Y, "test_x": X[:20], "test_y": Y[:20]}


def main(*args):
    return __main__.main([str(arg) for arg in args])


def read(protocol="mteb", **options):
    options = {k: v if isinstance(v, str) else tuple(v) for k, v in options.items()}
    return reading.entries(Settings(protocol=protocol, **options))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("colours_a.npz", **OTHERS, label_names=NAMES, dev_x=X[:9], dev_y=Y[:9])
    np.savez("colours_b.npz", **OTHERS | {"train_x": X[::-1], "test_x": 2 * X[:20]})
    for name, part in {
        "one": X,
        "two": X[:, :2],
        "one_test": X[:20],
        "two_test": X[:20, :2],
    }.items():
        np.save(f"{name}.npy", part)
    np.save("y.npy", Y)
    np.save("y_test.npy", Y[:20])
    return tmp_path


def test_an_npz_of_splits_is_a_model_on_a_task():
    (first, second), notes = read(data=["colours_a.npz", "colours_b.npz"])
    assert (first.model, first.splits.name) == ("a", "colours")
    assert first.splits.class_names == tuple(NAMES)
    assert second.splits.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(first.splits.validation.labels, Y[:9])
    np.testing.assert_array_equal(second.splits.test.x, 2 * X[:20])
    assert second.splits.validation is None
    assert notes == []


def test_labels_are_codes_of_the_training_rows_own_in_their_order():
    texts = np.array(["b", "a", "c"])[Y]
    np.savez("words_m.npz", **OTHERS | {"train_y": texts, "test_y": texts[:20]})
    ((entry,), _) = read(data=["words_m.npz"])
    assert entry.splits.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(entry.splits.test.labels, np.array([1, 0, 2])[Y[:20]])
    np.savez("below_m.npz", **OTHERS | {"train_y": Y - 1, "test_y": Y[:20] - 1})
    ((entry,), _) = read(data=["below_m.npz"])
    assert entry.splits.class_names == ("-1", "0", "1")


def test_a_folder_is_the_model_where_a_name_has_no_underscore(folder):
    (folder / "small").mkdir()
    np.savez("small/colours.npz", **OTHERS)
    ((entry,), _) = read(data=["small/colours.npz"])
    assert (entry.model, entry.splits.name) == ("small", "colours")


def test_plain_files_are_models_with_test_rows_in_files_of_their_own():
    given = {
        "labels": "y.npy",
        "test": ["one_test.npy", "two_test.npy"],
        "test_labels": "y_test.npy",
    }
    (one, two), _ = read(data=["one.npy", "two.npy"], **given)
    assert (one.model, two.model) == ("one", "two")
    assert two.splits.test.x.shape == (20, 2)
    np.testing.assert_array_equal(one.splits.test.labels, Y[:20])
    assert one.splits.train.x.dtype == np.float32


def test_parquet_layers_are_models_and_columns_tasks():
    def write(name, rows):
        columns = {"low": list(X[rows]), "high": list(2 * X[rows]), "colour": NAMES[Y[rows]]}
        pa.parquet.write_table(pa.table(columns | {"odd": Y[rows] % 2}), name)

    write("train.parquet", np.arange(60))
    write("test.parquet", np.arange(20))
    found, _ = read(data=["train.parquet"], test=["test.parquet"], target=["colour", "odd"])
    assert [(e.model, e.splits.name) for e in found] == [
        *(("low", "colour"), ("high", "colour"), ("low", "odd"), ("high", "odd")),
    ]
    assert found[0].splits.class_names == ("blue", "green", "red")
    np.testing.assert_array_equal(found[3].splits.test.x, 2 * X[:20])


def test_several_labels_a_row_are_one_task_where_the_protocol_takes_them():
    flags = np.stack([Y == 0, Y == 1], axis=1).astype(int)
    np.savez("flags_m.npz", **OTHERS | {"train_y": flags, "test_y": flags[:20]})
    ((entry,), _) = read("dinov3", data=["flags_m.npz"])
    assert entry.splits.train.labels.shape == (60, 2)
    assert entry.splits.class_names == ("label 0", "label 1")
    with pytest.raises(DataError, match="several labels a row, and --protocol mteb takes one"):
        read(data=["flags_m.npz"])
    with pytest.raises(DataError, match="--drop-classes: flags has several labels a row"):
        read("dinov3", data=["flags_m.npz"], drop_classes=["label 0"])
    np.save("flags.npy", flags)
    ((entry,), notes) = read("dinov3", data=["one.npy"], labels="flags.npy")
    assert entry.splits.test.labels.shape == (12, 2)
    assert "no test rows: 0.2 of its rows are set aside" in notes[0]
    found, _ = read(data=["one.npy"], labels="flags.npy")
    assert [e.splits.name for e in found] == ["labels[0]", "labels[1]"]


def test_classes_that_are_dropped_are_gone_from_every_role():
    ((entry,), _) = read(data=["colours_a.npz"], drop_classes=["red"])
    assert entry.splits.class_names == ("green", "blue")
    assert len(entry.splits.validation.x) == 6
    assert set(entry.splits.test.labels) == {0, 1}
    new = {"test_y": np.where(np.arange(20) < 4, 3, Y[:20]), "label_names": [*NAMES, "grey"]}
    np.savez("more_m.npz", **OTHERS | new)
    with pytest.raises(DataError, match=r"4 test rows are 'grey', .*--drop-classes grey"):
        read(data=["more_m.npz"])
    ((entry,), _) = read(data=["more_m.npz"], drop_classes=["grey"])  # as it is told
    assert entry.splits.class_names == tuple(NAMES)
    np.testing.assert_array_equal(entry.splits.test.labels, Y[4:20])
    np.savez("red_m.npz", **OTHERS | {"test_y": 0 * Y[:20]})
    with pytest.raises(DataError, match="red has no test rows left by --drop-classes; give some"):
        read(data=["red_m.npz"], drop_classes=["0"])


def test_any_table_of_numbers_will_do():
    ((entry,), notes) = read(data=["iris"])
    assert entry.splits.train.x.shape == (120, 4)
    assert len(entry.splits.test.x) == 30
    assert notes[-1] == "target has no test rows: 0.2 of its rows are set aside"


def test_rows_of_other_lengths_and_classes_without_test_rows_are_noted():
    np.savez("long_m.npz", **OTHERS | {"train_x": 3 * X, "test_y": np.maximum(Y[:20], 1)})
    found, _ = read(data=["colours_a.npz", "long_m.npz"])
    length, missing = remarks.of("mteb", found)
    assert length.startswith("rows of 'm' are not of length 1 (m: 3 to 3): --protocol mteb takes")
    assert missing == "no test row of long is '0'"
    assert remarks.of("dinov3", found) == [missing]


NPZ = {
    "no_y": {"train_x": X, "train_y": Y, "test_x": X},
    "short": OTHERS | {"test_y": Y[:19]},
    "wide": OTHERS | {"test_x": np.ones((20, 4))},
    "nan": OTHERS | {"test_x": np.where(np.arange(20)[:, None] == 4, np.nan, X[:20])},
    "new": OTHERS | {"test_y": Y[:20] + 1},
    "same": OTHERS | {"train_y": 0 * Y, "test_y": 0 * Y[:20]},
    "odd": OTHERS | {"train_y": np.stack([Y, Y], 1), "test_y": np.stack([Y, Y], 1)[:20]},
}
PAIR = ["--data", "one.npy", "--labels", "y.npy", "--test"]
MISTAKES = [
    (["--data", "no_y_m.npz"], "holds test_x and no test_y; add its labels"),
    (["--data", "short_m.npz"], "short: 20 test rows and 19 labels; pair them"),
    (["--data", "wide_m.npz"], "wide: test rows have 4 features and training rows 3; give both"),
    (["--data", "nan_m.npz"], "layer 'nan_m test_x' is nan in row 5, column 0"),
    (["--data", "new_m.npz"], "new: 6 test rows are '3', which no training row is; mend the"),
    (["--data", "new_m.npz"], "leave these rows out: --drop-classes 3"),
    (["--data", "same_m.npz"], "same: every training row is '0'; give rows of a second class"),
    (["--protocol", "dinov3", "--data", "odd_m.npz"], "are 0 and 1 each, and one is 2"),
    (["--data", "colours_a.npz", "one.npy"], "'one.npy' holds no train_x and train_y, as others"),
    (
        ["--data", "colours_a.npz", "--test", "one.npy"],
        "--test: the files of --data hold their own",
    ),
    (["--data", "colours_a.npz", "--drop-classes", "rot"], "colours has no class 'rot'; it has"),
    (
        ["--data", "one.npy", "two.npy", *PAIR[2:], "one_test.npy"],
        "--test has 1 layers and --data 2; give",
    ),
    (
        [*PAIR[2:4], "--data", "one.npy", "one_test.npy"],
        "'one_test' has 20 rows and layer 'one' has",
    ),
    ([*PAIR, "one_test.npy"], "'one_test.npy' holds no labels; give them with --test-labels FILE"),
    ([*PAIR, "iris"], "'iris' is a table, and no layer beside others"),
    ([*PAIR, "two_test.npy", "--test-labels", "y_test.npy"], "have 2 features and training rows 3"),
    (["--data", "diabetes"], "target 'target' is a measurement, and --protocol mteb takes"),
    (["--data", "colours_a.npz", "colours_a.npz"], "--data gives colours by a twice; name"),
    (["--data", "colours_a.npz", "--lambdas", "5"], "--lambdas 5: --protocol mteb fixes it; leave"),
    (["--data", "colours_a.npz", "--no-intercept"], "--no-intercept: --protocol mteb fixes it"),
    (["--data", "colours_a.npz", "--few-shot", "5"], "--few-shot 5: --protocol mteb fixes it"),
    (["--data", "colours_a.npz", "--per-label", "0"], "--per-label 0: must be at least 1"),
    (["--protocol", "dinov3", "--tries", "2"], "--tries 2: counts draws of --few-shot; give both"),
    (["--protocol", "dinov3", "--few-shot", "0"], "--few-shot 0: must be above 0"),
    (["--protocol", "dinov3", "--few-shot", "1.5"], "--few-shot 1.5: must be a whole number of"),
    (["--protocol", "clip", "--data", "colours_a.npz"], "holds splits, as --protocol mteb takes"),
    (["--protocol", "clip", "--test", "one.npy"], "--test one.npy: --protocol clip fixes it"),
    (["--data", "colours_a.npz", "--class-weight", "1", "2"], "has 2 numbers, and there are 3 cla"),
    (["--data", "colours_a.npz", "--class-weight", "even"], "say balanced, or a number for each"),
    (["--data", "colours_a.npz", "--class-weight", "1", "-1", "0"], "are numbers from 0 on"),
    (["--protocol", "mtob"], "mtob"),
]


@pytest.mark.parametrize(("args", "said"), MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(args, said, folder, capsys):
    for name, arrays in NPZ.items():
        np.savez(f"{name}_m.npz", **arrays)
    protocol = [] if "--protocol" in args else ["--protocol", "mteb"]
    assert main(*args, *protocol, "--out", folder / "out" / "o") == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not list((folder / "out").iterdir()) if (folder / "out").exists() else True


def test_a_note_says_whose_it_is_where_others_do_not_say_it():
    two = [(SimpleNamespace(model=m, splits=SimpleNamespace(name="t")), m) for m in "ab"]
    said = {"a": ("both", "one"), "b": ("both",)}
    findings = [(of, SimpleNamespace(notes=said[m])) for of, m in two]
    assert page.noted(findings) == ["both", "t by a: one"]


def test_the_card_is_of_the_model_that_the_table_marks_and_nothing_is_a_column_of_nothing():
    cells = {("m", "a"): 0.8, ("n", "a"): 0.9, ("m", "b"): 0.7}
    of = SimpleNamespace(class_names=("x", "y"), train=SimpleNamespace(x=X), test=None)
    findings = [
        (
            SimpleNamespace(model=model, splits=SimpleNamespace(name=task, **vars(of))),
            Found({"accuracy": value, "top5": np.nan}, pd.DataFrame()),
        )
        for (model, task), value in cells.items()
    ]
    table = scores.cells(scores.pivot(findings))
    assert table.rows[table.marked[0]][0] == scores.best(findings)[0].model == "m"
    assert scores.best(findings[1:2])[0].model == "n"
    assert scores.each(findings).head == ["model", "task", "accuracy", "classes", "train", "test"]
    ((_, figure, _),) = figures.board(scores.pivot(findings), "accuracy")
    texts = {text.get_text(): text.xy[1] for text in figure.axes[0].texts}
    assert set(texts) == {"a", "b"}
    assert np.isfinite(list(texts.values())).all()


def test_a_layer_of_two_logits_is_kept_as_the_one_that_says_the_same(folder, capsys):
    np.savez("two_m.npz", **OTHERS | {"train_y": Y % 2, "test_y": Y[:20] % 2})
    args = ["--protocol", "dinov2-heads", "--iterations", 4, "--batch-size", 8]
    assert main(*args, "--data", "two_m.npz", "--out", "o") == 0
    model, heads = saved.load(Path("o/model.npz")), pd.read_parquet("o/results.parquet")
    said = X[:20] @ model.params["w"] + model.params["b"] > 0
    assert np.mean(said == Y[:20] % 2) == heads["test"][heads["chosen"]].item()
    assert model.task == "binary"


def test_options_of_protocols_go_with_one(capsys):
    assert main("--per-label", 4) == 2
    assert "--per-label 4: goes with --protocol; name one" in capsys.readouterr().err


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name.rsplit(".")[-1])

    monkeypatch.setattr(run.importlib, "import_module", missing)
    with pytest.raises(SettingError, match=r"needs mteb, which is not installed: pip install"):
        run.module("mteb")


def test_the_protocol_gets_the_options_that_were_given_and_no_others():
    settings = Settings(protocol="mteb", per_label=4, tol=1e-8, seed=3, class_weight=("balanced",))
    told = {"seed": 3, "per_label": 4, "tol": 1e-8, "class_weight": ("balanced",)}
    assert run.options(settings) == told
    assert run.options(Settings(protocol="senteval")) == {}
    assert set(table.FIXED) | set(table.OWN) | set(table.FILES) < set(vars(settings))


def test_one_true_run_on_two_models_is_kept_and_shown(folder, capsys):
    assert main("--protocol", "mteb", "--data", "colours_a.npz", "colours_b.npz", "--out", "o") == 0
    told = capsys.readouterr()
    assert "of length 1" not in told.err
    assert "20 exact fits" in told.err
    assert "fits: 20 certified" in told.out
    lanes, summary = (
        pd.read_parquet("o/results.parquet"),
        json.loads(Path("o/summary.json").read_text()),
    )
    assert len(lanes) == summary["num_lanes"] == 20
    assert {"device", "jax", "compile_seconds", "run_seconds", "best", "settings"} <= set(summary)
    assert summary["statuses"] == {"certified": 20}
    for of in summary["evaluations"]:
        mine = lanes[lanes["model"] == of["model"]]
        assert of["scores"]["accuracy"] == pytest.approx(mine["accuracy"].mean())
    assert "--protocol mteb" in summary["command"]
    html = (folder / "o" / "report.html").read_text(encoding="utf-8")
    root = well_formed(html)
    ids = [node.get("id") for node in root.iter("section")]
    assert ids == ["rule", "scores", "experiments", "certificates", "reproduce", "settings"]
    assert "a few rows of each label, ten times over" in html
    assert sorted(p.name for p in (folder / "o").iterdir()) == [
        *("report.html", "results.parquet", "summary.json"),
    ]


def found(seed):
    """What a protocol that chooses could find: a curve, a choice, weights, something published."""
    curve = pd.DataFrame({"C": [0.1, 1.0, 10.0], "validation accuracy": [0.5, 0.75, 0.6]})
    curve["searched"] = [True, True, False]
    w = np.random.default_rng(seed).normal(size=(3, 3))
    return Found(
        {"accuracy": 0.7, "auc": 0.8, "top5": float("nan")},
        pd.DataFrame({"try": [0, 1], "accuracy": [0.6, 0.8]}),
        curve.assign(chosen=[False, True, False]),
        chosen={"C": 1.0},
        params={"w": w, "b": np.zeros(3)},
        statuses=Counter(certified=2, solved=1),
        worst_gap=1e-5,
        notes=("Drawn by a generator of its own.",),
        published={"of": "somebody", "accuracy": 0.71},
    )


def test_a_choice_is_drawn_kept_and_told(folder, monkeypatch, capsys):
    fake = SimpleNamespace(
        run=lambda splits, **_: found(len(splits.name)), __doc__="A rule.\n\nIt `says` and *means*."
    )
    monkeypatch.setattr(run, "module", lambda name: fake)
    np.savez("sub tints_a.npz", **OTHERS)
    args = ["--data", "colours_a.npz", "colours_b.npz", "sub tints_a.npz", "--protocol", "dinov3"]
    assert main(*args, "--out", "o") == 0
    said = capsys.readouterr().out
    assert "certified" in said
    assert "70.00%" in said
    html = (folder / "o" / "report.html").read_text(encoding="utf-8")
    root = well_formed(html)
    assert len(root.findall(f".//section[@id='choice']//{SVG}svg")) == 3
    assert "published 71.00% for somebody" in html
    assert "Drawn by a generator of its own." in html
    assert "<code>says</code> and <em>means</em>" in html
    assert "looked at by the original's search" in html
    assert {p.stem for p in (folder / "o" / "models").iterdir()} == {
        *("colours_a", "colours_b", "sub-tints_a"),
    }
    model = saved.load(folder / "o" / "model.npz")
    exported = pytest.importorskip("safetensors.numpy").load_file(folder / "o/model.safetensors")
    for name, leaf in exported.items():
        np.testing.assert_array_equal(leaf, model.params[name])
    assert model.class_names == tuple(NAMES)
    np.testing.assert_array_equal(model.params["w"], found(7).params["w"])
    np.save("new.npy", X)
    lanes = pd.read_parquet("o/results.parquet")
    assert len(lanes) == 9


def test_a_benchmark_scales_what_does_a_part_and_tells_who_scores_what():
    peers = {"half": (lambda: np.array([0.2, 0.4]), 0.5), "whole": (lambda: np.array([0.6]), 1.0)}
    entry = benchmark.Entry("3 fits", lambda: found(1), peers)
    told = benchmark.measured(entry, rounds=2)
    who = told["contestants"]
    assert who["whole"]["score"] == 0.6
    assert who["jaxlr"]["score"] == 0.7
    assert who["half"]["score"] is None
    page = tables.page("paths/protocols.md", problems={"mteb": told})
    assert "half (50 % of it, scaled)" in page
    assert "2 certified, 1 solved, at most 1e-05 of the risk" in page


def test_the_loops_that_are_beaten_are_the_protocols_own():
    splits = reading.entries(Settings(protocol="mteb", data=("colours_a.npz",)))[0][0].splits
    rows = mteb.draws(splits.train.labels)
    call, share = benchmark.of_mteb(splits).peers["newton-cg, tol 1e-8"]
    fits = [LogisticRegression(tol=1e-8).fit(X[own].astype(float), Y[own]) for own in rows]
    assert call().tolist() == [fit.score(X[:20], Y[:20]) for fit in fits]
    assert share == 1
    call, share = benchmark.of_dinov3(splits).peers["L-BFGS, tol 1e-12, 1,000 iterations"]
    assert len(call()) == 45 * share == 3
    (call, _) = benchmark.of_senteval(splits).peers["as it comes"]
    assert call().shape == (10,)


def test_what_was_interrupted_goes_on_from_the_fits_that_had_ended(monkeypatch, capsys):
    args = ["--protocol", "mteb", "--data", "colours_a.npz", "colours_b.npz", "--out", "o"]

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "keep", stopped)
        assert main(*args) == 130
    assert "what had been done is kept" in capsys.readouterr().err
    assert not Path("o").exists()
    assert list(Path("o.partial").glob("blocks/*.npz"))
    assert main(*args, "--resume") == 0
    assert len(pd.read_parquet("o/results.parquet")) == 20
    assert not Path("o.partial").exists()


@pytest.mark.parametrize("name", [n for n, p in table.PROTOCOLS.items() if not p.is_path])
def test_every_protocol_has_a_rule_that_takes_its_options(name):
    rule = run.module(name)
    taken = inspect.signature(rule.run).parameters
    assert {"seed", *table.PROTOCOLS[name].takes} <= set(taken)
    assert len(rule.__doc__.split("\n\n")) > 1  # a title, and the rule


@pytest.mark.parametrize("name", table.PROTOCOLS)
def test_every_protocol_is_told_in_help(name, capsys):
    with pytest.raises(SystemExit):
        main("--help")
    assert f"{name}:" in " ".join(capsys.readouterr().out.split())
