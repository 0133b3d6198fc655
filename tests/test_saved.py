"""Saved models: the same bits back, scikit-learn's pipeline as witness, own units on raw tables."""

import dataclasses

import jax
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from experiments.datasets import DataError, Table, encode
from experiments.kit import problems, saved
from experiments.kit.problems import Problem
from jaxlr import models
from jaxlr.pytypes import Batch
from jaxlr.results import files

pytestmark = pytest.mark.once

NAMES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
NUMBERS, TEXTS = ["age", "size"], ["colour"]


def mixed(seed=0, num_rows=60):
    """Two columns of numbers, one of them with gaps, and one of categories."""
    rng = np.random.default_rng(seed)
    age = np.where(rng.random(num_rows) < 0.2, np.nan, rng.normal(50, 20, num_rows))
    colour = pd.Categorical(rng.choice(["red", "green", "blue"], num_rows))
    return pd.DataFrame({"age": age, "size": rng.normal(-3, 0.1, num_rows), "colour": colour})


def table_of(frame, task="binary"):
    labels = np.random.default_rng(9).integers(0, max(len(NAMES[task]), 2), len(frame))
    labels = labels * 7.0 + 100 if task == "regression" else labels.astype(np.int32)
    return Table("made", frame, labels, task, NAMES[task], tuple(frame.columns), "answer")


def model_of(table, params, target_scale=(0.0, 1.0)):
    x, encoder = encode(table, np.arange(len(table.labels)))
    batch = Batch(x, table.labels, np.ones(len(x)))
    problem = Problem(table, batch, batch, encoder.names, target_scale, encoder)
    return saved.of(problem, params, certificate={"gap": 1e-9, "status": "certified"})


def random_params(num_features, num_outputs=None, seed=0):
    rng = np.random.default_rng(seed)
    outputs = () if num_outputs is None else (num_outputs,)
    return {"w": rng.normal(size=(num_features, *outputs)), "b": rng.normal(size=outputs)}


def pipeline_of(last):
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    gaps = SimpleImputer(strategy="median", add_indicator=True)
    only_gap = ColumnTransformer([("gap", gaps, ["age"])])
    parts = [("n", numbers, NUMBERS), ("gap", only_gap, ["age"]), ("t", OneHotEncoder(), TEXTS)]
    return make_pipeline(ColumnTransformer(parts), last)


def witness_params(fitted):
    """The coefficients without that of the imputed age, which stands there a second time."""
    w, b = np.atleast_2d(fitted[-1].coef_), np.atleast_1d(fitted[-1].intercept_)
    assert np.abs(w[:, 2]).max() == 0
    w = np.delete(w, 2, axis=1)
    return {"w": w[0], "b": b[0]} if len(w) == 1 else {"w": w.T, "b": b}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_pipeline_with_the_same_coefficients_scores_the_same(task, tmp_path):
    frame, table = mixed(), table_of(mixed(), task)
    last = LinearRegression() if task == "regression" else LogisticRegression(max_iter=10_000)
    pipeline = pipeline_of(last).fit(frame, table.labels)
    pipeline[-1].coef_.reshape(-1, 7)[:, 2] = 0
    scale = (100.0, 3.5) if task == "regression" else (0.0, 1.0)
    params = witness_params(pipeline)
    if task == "regression":
        params = {"w": params["w"] / 3.5, "b": (params["b"] - 100) / 3.5}
    saved.save(tmp_path / "model.npz", model_of(table, params, scale))
    model, new = saved.load(tmp_path / "model.npz"), mixed(1)
    scores = saved.scores(model, table_of(new, task))
    if task == "regression":
        np.testing.assert_allclose(scores, pipeline.predict(new), rtol=1e-6)
        np.testing.assert_array_equal(saved.predictions(model, scores), scores)
    else:
        np.testing.assert_allclose(scores, pipeline.decision_function(new), rtol=1e-5, atol=1e-5)
        expected = pipeline.predict_proba(new)
        np.testing.assert_allclose(problems.probabilities(model.task, scores), expected, atol=1e-6)
        named = np.array(NAMES[task])[pipeline.predict(new)]
        np.testing.assert_array_equal(saved.predictions(model, scores), named)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_own_units_score_the_raw_table(task):
    table = table_of(mixed(), task)
    num_outputs = 3 if task == "multiclass" else None
    model = model_of(table, random_params(6, num_outputs), (100.0, 3.5))
    if task != "regression":
        model = dataclasses.replace(model, target_scale=(0.0, 1.0))
    w, b, notes = saved.own_units(model)
    assert notes == ("an empty cell counts as the training median: 'age'",)
    new = mixed(1)
    raw = [new["age"].fillna(mixed()["age"].median()), new["size"], new["age"].isna()]
    raw += [new["colour"] == colour for colour in ("blue", "green", "red")]
    by_hand = np.column_stack(raw).astype(float) @ w + b
    np.testing.assert_allclose(saved.scores(model, table_of(new, task)), by_hand, atol=2e-5)


def test_coefficients_name_every_feature_and_class():
    table = table_of(mixed(), "multiclass")
    params = random_params(6, 3)
    told = saved.coefficients(model_of(table, params))
    assert list(told) == ["feature", "class", "weight", "own", "kind"]
    assert len(told) == 7 * 3
    rows = told[told["class"] == "b"].set_index("feature")
    kinds = ["number"] * 2 + ["indicator"] + ["category"] * 3 + ["intercept"]
    assert list(rows["kind"]) == kinds
    np.testing.assert_array_equal(rows["weight"], [*params["w"][:, 1], params["b"][1]])
    deviation = mixed()["size"].std(ddof=0)
    assert rows.at["size", "own"] == pytest.approx(rows.at["size", "weight"] / deviation)
    assert rows.at["colour=red", "own"] == rows.at["colour=red", "weight"]
    binary = saved.coefficients(model_of(table_of(mixed()), random_params(6)))
    assert set(binary["class"]) == {"yes"}
    regression = model_of(table_of(mixed(), "regression"), random_params(6), (100.0, 3.5))
    told = saved.coefficients(regression).set_index("feature")
    assert told.at["age", "weight"] == pytest.approx(3.5 * regression.params["w"][0])


def test_what_own_units_cannot_say_is_said():
    frame = pd.DataFrame({"same": np.ones(9), "far": 1e9 + np.arange(9.0), "x": np.arange(9.0)})
    own = saved.own_units(model_of(table_of(frame), {"w": np.ones(3), "b": np.float64(0)}))
    assert own.w[0] == 0
    assert [note.split("'")[1] for note in own.notes] == ["same", "far"]
    stages = [random_params(3, 2), random_params(2)]
    for ask in (saved.own_units, saved.coefficients):
        with pytest.raises(ValueError, match="an mlp has no weight for each feature"):
            ask(model_of(table_of(frame), stages))


def test_an_mlp_scores_as_ours_and_as_scikit_learns(tmp_path):
    frame = mixed()[["size"]].assign(other=np.arange(60.0))
    table = table_of(frame, "multiclass")
    x, _ = encode(table, np.arange(60))
    fitted = MLPClassifier((5, 4), activation="tanh", random_state=0)
    fitted.partial_fit(x.astype(float), table.labels, classes=[0, 1, 2])
    stages = [{"w": w, "b": b} for w, b in zip(fitted.coefs_, fitted.intercepts_, strict=True)]
    saved.save(tmp_path / "m.npz", model_of(table, stages))
    model = saved.load(tmp_path / "m.npz")
    scores = saved.scores(model, table)
    expected = fitted.predict_proba(x.astype(float))
    np.testing.assert_allclose(problems.probabilities(model.task, scores), expected, atol=1e-6)
    ours = jax.vmap(models.mlp, in_axes=(None, 0))(jax.tree.map(np.float32, stages), x)
    np.testing.assert_allclose(scores, ours, atol=1e-5)


def test_blocks_leave_no_seam(monkeypatch):
    model = model_of(table_of(mixed()), random_params(6))
    whole = saved.scores(model, table_of(mixed(1)))
    monkeypatch.setattr(saved, "_BLOCK", 7)
    np.testing.assert_allclose(saved.scores(model, table_of(mixed(1))), whole, rtol=1e-12)


def test_every_bit_comes_back(tmp_path):
    model = model_of(table_of(mixed()), random_params(6))
    model = dataclasses.replace(model, provenance={"command": "x", "settings": {"folds": None}})
    saved.save(tmp_path / "model.npz", model)
    kept = saved.load(tmp_path / "model.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]
    same = (dataclasses.asdict(one) for one in (model, kept))
    np.testing.assert_equal(*same)
    assert kept.encoder.names == model.feature_names
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fU" for name in arrays)


def test_what_is_no_saved_model_is_refused_in_one_line(tmp_path):
    good, bad = tmp_path / "model.npz", tmp_path / "bad.npz"
    saved.save(good, model_of(table_of(mixed()), random_params(6)))
    told = files.load(good)
    cases = [
        (lambda: bad.write_bytes(good.read_bytes()[:900]), "no result of jaxlr, or was cut short"),
        (lambda: bad.write_bytes(b"a,b\n1,2\n"), "no result of jaxlr, or was cut short"),
        (lambda: np.savez(bad, x=np.ones(3)), "no result of jaxlr, or was cut short"),
        (lambda: files.save(bad, {"w": np.ones(3)}), "bad.npz' holds no saved model; give"),
        (lambda: files.save(bad, {**told, "model": 9}), "is a model of version 9, and this jaxlr"),
        (bad.unlink, "cannot read .*bad.npz': No such file or directory; give a result folder"),
    ]
    for make, message in cases:
        make()
        with pytest.raises(DataError, match=message) as caught:
            saved.load(bad)
        assert "\n" not in str(caught.value)
