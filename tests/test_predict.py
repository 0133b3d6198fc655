"""The predict command: columns by name, stated policies, metrics where there are labels."""

import bz2
import struct

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import dump_svmlight_file
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score

from experiments.datasets import encode, load
from experiments.datasets.probes import load_probes
from experiments.kit import problems, saved
from experiments.kit.problems import Problem
from experiments.predict.__main__ import main
from jaxlr.pytypes import Batch

pytestmark = pytest.mark.once

BODY = {"binary": "no yes", "multiclass": "a b c", "regression": ""}


def people(task="binary", num_rows=60, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(num_rows) < 0.2, np.nan, rng.normal(50, 20, num_rows)),
            "colour": rng.choice(["red", "green", "blue"], num_rows),
            "size": rng.normal(-3, 0.1, num_rows),
            "zip": rng.choice(["01", "02"], num_rows),
        }
    )
    names = BODY[task].split()
    frame["answer"] = rng.choice(names, num_rows) if names else rng.normal(100, 3, num_rows)
    return frame


def model_of(table):
    """Random params, which need no training."""
    x, encoder = encode(table, np.arange(len(table.labels)))
    rng = np.random.default_rng(5)
    outputs = (len(table.class_names),) if table.task == "multiclass" else ()
    params = {"w": rng.normal(size=(x.shape[1], *outputs)), "b": rng.normal(size=outputs)}
    batch = Batch(x, table.labels, np.ones(len(x)))
    scale = (100.0, 3.0) if table.task == "regression" else (0.0, 1.0)
    return saved.of(Problem(table, batch, batch, encoder.names, scale, encoder), params)


@pytest.fixture
def trained(tmp_path):
    """(task) -> the table of people and a result folder with a model of it."""

    def train(task="binary"):
        people(task).to_csv(tmp_path / "train.csv", index=False)
        table = load(tmp_path / "train.csv", target="answer", categorical=["zip"])
        (tmp_path / "result").mkdir()
        model = model_of(table)
        saved.save(tmp_path / "result" / "model.npz", model)
        return table, model

    return train


def predicted(tmp_path, frame, *options, name="new.csv", out="p.csv", folder="result"):
    if isinstance(frame, pd.DataFrame):
        frame.to_csv(tmp_path / name, index=False)
    args = [str(tmp_path / folder), "--data", str(tmp_path / name), "--out", str(tmp_path / out)]
    assert main([*args, *options]) == 0
    return (pd.read_csv if out.endswith("csv") else pd.read_parquet)(tmp_path / out)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_predictions_are_the_models_and_metrics_scikit_learns(task, trained, tmp_path, capsys):
    table, model = trained(task)
    found = predicted(tmp_path, people(task))
    scores = saved.scores(model, table)
    assert list(found["row"]) == list(range(1, 61))
    told = capsys.readouterr().out
    truth = people(task)["answer"]
    if task == "regression":
        np.testing.assert_allclose(found["prediction"], scores)
        assert f"R² {r2_score(truth, scores):.4f}" in told
        return
    shares = found[[f"probability_{name}" for name in BODY[task].split()]].to_numpy()
    np.testing.assert_allclose(shares, problems.probabilities(model.task, scores))
    np.testing.assert_array_equal(found["prediction"], saved.predictions(model, scores))
    assert f"accuracy {accuracy_score(truth, found['prediction']):.4f}" in told
    assert f"log loss {log_loss(truth, shares):.4f}" in told
    if task == "binary":
        assert f"AUC {roc_auc_score(truth == 'yes', shares[:, 1]):.4f}" in told


def test_columns_are_found_by_name_and_others_are_said(trained, tmp_path, capsys):
    trained()
    new = people(seed=1)
    plain = predicted(tmp_path, new)
    turned = new.drop(columns="answer")[["zip", "size", "colour", "age"]].assign(more=1, id="x")
    other = predicted(tmp_path, turned, out="q.parquet")
    pd.testing.assert_frame_equal(plain, other)
    captured = capsys.readouterr()
    assert "2 columns ignored, of which the model knows nothing: 'more', 'id'" in captured.err
    assert captured.out.count("accuracy") == 1  # the second file has no labels


def test_an_unknown_category_counts_as_none_of_the_known(trained, tmp_path, capsys):
    _, model = trained()
    new = people(seed=1)[:4].drop(columns="answer")
    new["colour"], new["zip"] = ["red", "pink", "pink", None], ["01", "02", "07", "1"]
    found = predicted(tmp_path, new)
    told = capsys.readouterr().err
    assert "'colour': 2 rows of categories that training never met ('pink'), which count" in told
    assert "'colour': 1 empty cell, which training never met, and which count as none" in told
    assert "'zip': 2 rows of categories that training never met ('07', '1')" in told
    weight = dict(zip(model.feature_names, model.params["w"], strict=True))
    logits = np.log(found["probability_yes"] / found["probability_no"])
    known = {"colour": ["red", None, None, None], "zip": ["01", "02", None, None]}
    age = new["age"].fillna(model.encoder.fills[0])
    expected = weight["age_missing"] * new["age"].isna() + model.params["b"]
    for j, (name, column) in enumerate((("age", age), ("size", new["size"]))):
        scaled = (column - model.encoder.means[j]) / model.encoder.scales[j]
        expected += weight[name] * scaled
    for name, values in known.items():
        expected += [0 if v is None else weight[f"{name}={v}"] for v in values]
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_a_missing_column_is_refused_or_imputed(trained, tmp_path, capsys):
    trained()
    new = people(seed=1).drop(columns="answer")
    emptied = new.assign(age=np.nan, colour=None)
    lacking = emptied.drop(columns=["age", "colour"])
    lacking.to_csv(tmp_path / "new.csv", index=False)
    args = [str(tmp_path / "result"), "--data", str(tmp_path / "new.csv")]
    assert main([*args, "--out", str(tmp_path / "p.csv")]) == 2
    assert (
        "lacks 2 columns of the model's 4: 'age', 'colour'; add them, or say --missing-columns"
        in (capsys.readouterr().err)
    )
    assert not (tmp_path / "p.csv").exists()
    found = predicted(tmp_path, lacking, "--missing-columns", "impute")
    assert "empty in every row, as the file has no such column: 'age', 'colour'" in (
        capsys.readouterr().err
    )
    pd.testing.assert_frame_equal(found, predicted(tmp_path, emptied, out="q.csv"))


def test_labels_the_model_does_not_know_are_left_out(trained, tmp_path, capsys):
    trained()
    new = people(seed=1)
    new.loc[:1, "answer"] = ["perhaps", None]
    found = predicted(tmp_path, new)
    told = capsys.readouterr().out
    right = accuracy_score(new["answer"][2:], found["prediction"][2:])
    assert f"of 58 rows: accuracy {right:.4f}" in told
    assert "; 2 rows left out, without a label or of a class that training never met: 'per" in told
    new["answer"] = "perhaps"
    predicted(tmp_path, new, out="q.csv")
    assert "no metrics: no row has a label of 'answer' that the model knows" in (
        capsys.readouterr().out
    )


def test_reading_options_are_those_of_training(trained, tmp_path):
    trained()
    new = people(seed=1)
    plain = predicted(tmp_path, new)
    text = new.to_csv(index=False, sep=";", decimal=",", na_rep="gone")
    (tmp_path / "odd.csv").write_text("% made\n" + text)
    options = ("--missing-values", "gone", "--comment", "%", "--decimal", ",")
    other = predicted(tmp_path, None, *options, name="odd.csv", out="q.csv")
    pd.testing.assert_frame_equal(plain, other)


def test_one_column_and_one_row_will_do(tmp_path):
    frame = people()[["size", "answer"]]
    frame.to_csv(tmp_path / "train.csv", index=False)
    model = model_of(load(tmp_path / "train.csv"))
    saved.save(tmp_path / "model.npz", model)
    found = predicted(tmp_path, frame[["size"]][:1], folder="model.npz")
    (expected,) = saved.scores(model, load(tmp_path / "train.csv"))[:1]
    assert found["probability_yes"][0] == pytest.approx(1 / (1 + np.exp(-expected)))


def test_models_are_chosen_by_name(trained, tmp_path):
    trained()
    result = tmp_path / "result"
    (result / "models").mkdir()
    (result / "model.npz").rename(result / "models" / "layer0.npz")
    assert len(predicted(tmp_path, people(), "--model", "layer0")) == 60


X = np.random.default_rng(3).normal(size=(40, 5)).round(3)
Y = np.random.default_rng(4).integers(0, 3, 40)


def write_idx(path, array):
    array = np.asarray(array, np.uint8)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(head + array.tobytes())


def test_embeddings_layers_and_arrays_need_no_labels(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, labels=Y)
    model = model_of(load_probes([str(tmp_path / "a.npz")]).layers["a"])
    (tmp_path / "result").mkdir()
    saved.save(tmp_path / "result" / "model.npz", model)
    plain = predicted(tmp_path, None, name="a.npz")
    np.save(tmp_path / "b.npy", X.astype(np.float64))
    np.savez(tmp_path / "c.npz", features=X)
    lists = pd.DataFrame({"other": list(-X), "a": list(X)})
    lists.to_parquet(tmp_path / "d.parquet")
    pd.DataFrame(X, columns=[f"x{i}" for i in range(5)]).to_csv(tmp_path / "e.csv", index=False)
    for i, name in enumerate(("b.npy", "c.npz", "d.parquet", "e.csv")):
        found = predicted(tmp_path, None, name=name, out=f"{i}.csv")
        pd.testing.assert_frame_equal(plain, found)


def test_what_a_libsvm_file_never_mentions_is_zero(tmp_path):
    x = X.copy()
    dump_svmlight_file(x, Y, str(tmp_path / "train.svm"), zero_based=False)
    (tmp_path / "result").mkdir()
    model = model_of(load(tmp_path / "train.svm"))
    saved.save(tmp_path / "result" / "model.npz", model)
    x[:, 4] = 0  # so that nothing says that there is a fifth
    dump_svmlight_file(x, Y, str(tmp_path / "new.svm"), zero_based=False)
    found = predicted(tmp_path, None, name="new.svm")
    x = (x - model.encoder.means) / model.encoder.scales
    scores = x @ model.params["w"] + model.params["b"]
    np.testing.assert_array_equal(found["prediction"], scores.argmax(axis=1))


def test_images_need_no_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (40, 3, 2))
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", Y)
    (tmp_path / "result").mkdir()
    model = model_of(load(tmp_path / "train-images-idx3-ubyte"))
    saved.save(tmp_path / "result" / "model.npz", model)
    write_idx(tmp_path / "more", images)
    (tmp_path / "more.bz2").write_bytes(bz2.compress((tmp_path / "more").read_bytes()))
    found = predicted(tmp_path, None, name="more.bz2")
    scores = saved.scores(model, load(tmp_path / "train-images-idx3-ubyte"))
    np.testing.assert_array_equal(found["prediction"], scores.argmax(axis=1))


def test_mistakes_are_one_line_and_leave_nothing(trained, tmp_path, capsys):
    trained()
    people().to_csv(tmp_path / "new.csv", index=False)
    texts = people().assign(age="old", size="big")
    texts.to_csv(tmp_path / "texts.csv", index=False)
    (tmp_path / "kept.csv").write_text("mine")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "layer0.npz").write_bytes(b"PK")
    cases = [
        ({"data": "no.csv", "out": "deep/er/p.csv"}, "no file "),
        ({"data": "wine"}, "has none of the model's 4 columns ('age', 'size', 'colour', 'zip')"),
        (
            {"data": "texts.csv"},
            "column 'age' holds texts ('old') where the model has numbers, col",
        ),
        ({"out": "p.txt"}, "p.txt: must end with .csv or .parquet"),
        ({"out": "kept.csv"}, "exists; choose another file, or say --overwrite"),
        ({"out": "new.csv/p.csv"}, "cannot be written"),
        ({"folder": "away"}, "no result folder "),
        ({"folder": "models"}, "holds no model.npz; give a result folder"),
        ({"folder": "."}, "holds no model.npz; choose one with --model: 'layer0'"),
        ({"folder": ".", "model": "layer1"}, "no model 'layer1' (did you mean 'layer0'?); its mo"),
        ({"folder": ".", "model": "layer0"}, "is no result of jaxlr, or was cut short"),
        ({"folder": "new.csv"}, "is no result of jaxlr, or was cut short"),
        ({"model": "x"}, "no model 'x'; it holds only its model.npz"),
        ({"missing-columns": "guess"}, "--missing-columns"),
    ]
    before = sorted(tmp_path.rglob("*"))
    for change, message in cases:
        given = {"folder": "result", "data": "new.csv", "out": "p.csv"} | change
        for name in ("folder", "data", "out"):
            given[name] = given[name] if given[name] == "wine" else str(tmp_path / given[name])
        folder = given.pop("folder")
        assert main([folder, *(w for k, v in given.items() for w in (f"--{k}", v))]) == 2
        told = capsys.readouterr().err
        assert message in told
        assert told.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "kept.csv").read_text() == "mine"
    assert len(predicted(tmp_path, people(), "--overwrite", out="kept.csv")) == 60
