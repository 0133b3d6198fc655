"""What paths and sweeps return: axes by name, a table, predictions, and one file to keep them."""

import dataclasses
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from jaxlr import Batch, losses, models, optimizers, paths, results, sweeps
from jaxlr.results import files
from jaxlr.results.axes import AXES
from jaxlr.results.path import About
from jaxlr.results.predictions import loss_name

pytestmark = pytest.mark.float64

SIZES = {"target": 2, "dataset": 3, "fold": 2, "l1_ratio": 2, "lambda": 4}
LAMBDAS, RATIOS = np.array([0.3, 0.1, 0.01, 0.1 / 3]), np.array([0.0, 0.5])
X = np.random.default_rng(1).normal(size=(7, 5))


def made(*names, loss="log_loss", classes=()):
    """A path with these axes and random numbers for answers."""
    rng, shape = np.random.default_rng(0), tuple(SIZES[name] for name in names)
    params = {"w": rng.normal(size=(*shape, 5, *classes)), "b": rng.normal(size=(*shape, *classes))}
    endings = rng.uniform(size=(3, *shape))
    status, steps = rng.integers(0, 6, (2, *shape)).astype(np.int32)
    lambdas = LAMBDAS if "lambda" in names else rng.uniform(size=shape)
    ratios = RATIOS if "l1_ratio" in names else np.array(0.25)
    return results.Path(params, *endings, status, steps, lambdas, ratios, About(loss, names))


def test_axes_are_in_one_order_and_lambda_is_last():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.integers(0, 2, (2, 30))
    folds = np.stack([np.arange(30) % 2, np.ones(30)])
    path = paths.fit(Batch(x, y), [0.1, 1.0], loss=losses.log_loss, fold_weights=folds)
    assert path.axes == ("target", "fold", "lambda")
    assert path.risk.shape == (2, 2, 2)
    assert path.lambdas.tolist() == [0.1, 1.0]
    assert path.l1_ratios == 0
    assert path.about.loss == "log_loss"
    assert (path.risk[..., 1] > path.risk[..., 0]).all()


def test_a_row_of_the_table_is_a_lane():
    path = made(*AXES)
    frame = path.frame()
    assert list(frame.columns) == [*AXES, "risk", "gap", "decrement", "status", "num_steps"]
    assert len(frame) == path.risk.size
    for row, at in zip(frame.itertuples(index=False), np.ndindex(path.risk.shape), strict=True):
        assert row[:5] == (*at[:3], RATIOS[at[3]], LAMBDAS[at[4]])
        assert row[5:8] == (path.risk[at], path.gap[at], path.decrement[at])
        assert row[8:] == (paths.Status(path.status[at]).name, path.num_steps[at])
    refit = made("target").frame()
    np.testing.assert_array_equal(refit["lambda"], made("target").lambdas)
    assert (refit["l1_ratio"] == 0.25).all()


def test_a_lane_is_found_by_what_it_is():
    path = made(*AXES)
    one = path.at(lambda_=1 / 10, l1_ratio=0.5, fold=1, dataset=2, target=0)
    assert one.risk == path.risk[0, 2, 1, 1, 1]
    np.testing.assert_array_equal(one.params["w"], path.params["w"][0, 2, 1, 1, 1])
    assert (one.axes, one.lambdas, one.l1_ratios) == ((), 0.1, 0.5)
    some = path.at(fold=-1)
    np.testing.assert_array_equal(some.gap, path.gap[:, :, 1])
    assert some.axes == ("target", "dataset", "l1_ratio", "lambda")
    refit = made("target", "dataset")
    assert refit.at(dataset=1).at(target=1).lambdas == refit.lambdas[1, 1]
    assert made("lambda").at(l1_ratio=0.25).risk.shape == (4,)
    assert len(path.at(lambda_=0.1 * (1 + 1e-15)).frame()) == path.risk.size / 4


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"lambda_": 0.11}, "no lambda is 0.11; the nearest is 0.1"),
        ({"lambda_": "big"}, "lambda must be a number, and is 'big'"),
        ({"l1_ratio": 1}, "no l1_ratio is 1; the nearest is 0.5"),
        ({"fold": 2}, "fold must be a whole number from 0 to 1, and is 2"),
        ({"target": 0}, r"target is no axis of this path, which has \['fold', 'l1_ratio', 'lam"),
    ],
)
def test_what_is_not_there_is_said_and_the_nearest_is_never_taken(where, message):
    with pytest.raises(ValueError, match=message):
        made("fold", "l1_ratio", "lambda").at(**where)


def test_a_path_has_no_best_and_a_refit_is_its_own():
    assert made("target").best.axes == ("target",)
    with pytest.raises(AttributeError, match=r"choose with paths.cross_validate, or take .at"):
        _ = made("lambda").best


def fitted(kind, w, b):
    """scikit-learn's model with these params."""
    model = kind()
    model.coef_, model.intercept_ = np.atleast_2d(w.T), np.atleast_1d(b)
    model.classes_ = np.arange(max(2, len(model.coef_)))
    return model


@pytest.mark.parametrize("num_classes", [None, 3, 5])  # 5: as many as columns
def test_logits_and_probabilities_are_scikit_learns(num_classes):
    classes = (num_classes,) if num_classes else ()
    loss = "softmax_cross_entropy" if num_classes else "log_loss"
    path = made("target", "fold", "lambda", loss=loss, classes=classes)
    logits, chances = path.predict(X), path.probabilities(X)
    assert logits.shape == chances.shape == (2, 2, 4, 7, *classes)
    for at in np.ndindex(2, 2, 4):
        peer = fitted(LogisticRegression, path.params["w"][at], path.params["b"][at])
        np.testing.assert_allclose(logits[at], peer.decision_function(X), rtol=1e-12)
        theirs = peer.predict_proba(X)
        theirs = theirs if num_classes else theirs[:, 1]
        np.testing.assert_allclose(chances[at], theirs, rtol=1e-10)
    alone = path.at(target=1, fold=0, lambda_=0.3)
    np.testing.assert_allclose(alone.predict(X), logits[1, 0, 0], rtol=1e-12)


def test_numbers_have_no_probabilities():
    path = made("lambda", loss="squared_error")
    peer = fitted(LinearRegression, path.params["w"][2], path.params["b"][2])
    np.testing.assert_allclose(path.predict(X)[2], peer.predict(X).ravel(), rtol=1e-12)
    message = "logits of squared_error have no probabilities, those of log_loss and softmax_cross"
    with pytest.raises(ValueError, match=message):
        path.probabilities(X)


def test_a_loss_is_known_by_what_it_is_and_not_by_its_name():
    def log_loss(logit, label):
        return (logit - label) ** 2

    assert loss_name(losses.log_loss) == "log_loss"
    assert loss_name(log_loss) not in ("log_loss", "softmax_cross_entropy")


def test_data_sets_may_have_rows_of_their_own():
    path = made("target", "dataset", "lambda")
    own = np.random.default_rng(2).normal(size=(3, 7, 5))
    logits = path.predict(own)
    for s in range(3):
        np.testing.assert_allclose(logits[:, s], path.predict(own[s])[:, s], rtol=1e-12)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[:, :4], r"x must be \[M, D\] with D = 5, as what was fitted; its shape is \(7, 4\)"),
        (X[0], r"its shape is \(5,\)"),
        (X[None], r"x must be \[M, D\]; its shape is \(1, 7, 5\)"),
        (X.astype(str)[:, :1] + "a", "x must be numbers"),
    ],
)
def test_rows_of_another_shape_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        made("fold", "lambda").predict(x)


@pytest.fixture(scope="module")
def swept():
    rng = np.random.default_rng(0)
    batch = Batch(jnp.asarray(rng.normal(size=(12, 3))), jnp.asarray(rng.integers(0, 2, 12)))
    risk = losses.risk(models.linear, losses.log_loss)

    def metrics(params, batch):
        return {"loss": risk(params, batch), "size": jnp.sum(params["w"] ** 2)}

    lane = sweeps.descent(
        lambda key: models.init_linear(3),
        lambda hyper: losses.risk(models.linear, losses.log_loss, l2=hyper["l2"]),
        lambda hyper: optimizers.adam(hyper["learning_rate"]),
        metrics,
    )
    hypers = {"learning_rate": np.array([0.5, 0.1, np.inf]), "l2": np.array([0.0, 0.1, 0.1])}
    lanes = sweeps.cross(hypers, 2, seeds=np.array([5, 6, 7]))
    folds = jnp.asarray(np.stack([np.arange(12) % 2, 1 - np.arange(12) % 2]), float)
    order = jnp.arange(24).reshape(8, 3) % 12
    return sweeps.run(lane, lanes, batch, order, fold_weights=folds, num_segments=2)


def test_a_sweep_knows_its_lanes(swept):
    frame = swept.frame()
    assert list(frame.columns[:5]) == ["configuration", "fold", "seed", "l2", "learning_rate"]
    assert list(frame.columns[5:]) == ["risk", "loss", "size", "status", "died_at"]
    assert frame["configuration"].tolist() == [0, 0, 1, 1, 2, 2]
    assert frame["fold"].tolist() == [0, 1] * 3
    assert frame["seed"].tolist() == [5, 5, 6, 6, 7, 7]
    assert frame["learning_rate"].tolist() == [0.5, 0.5, 0.1, 0.1, np.inf, np.inf]
    assert frame["status"].tolist() == ["done"] * 4 + ["diverged"] * 2
    np.testing.assert_array_equal(frame["loss"], swept.metrics["loss"][:, -1])
    means = frame.groupby("configuration")["loss"].mean()
    best = swept.best
    assert (best.configuration == means.idxmin()).all()
    np.testing.assert_array_equal(best.losses, swept.losses[swept.configuration == means.idxmin()])
    sizes = frame.groupby("configuration")["size"].mean()
    assert (swept.best_by("size", maximise=True).configuration == sizes.idxmax()).all()
    one = swept.at(learning_rate=0.1, fold=1)
    np.testing.assert_array_equal(one.state.params["w"], swept.state.params["w"][3:4])


def test_a_row_of_the_steps_is_a_segment_that_a_lane_ran(swept):
    own = swept.steps()
    assert own["step"].tolist() == [4, 8] * 4 + [4] * 2
    assert own["status"].tolist() == ["running", "done"] * 4 + ["diverged"] * 2
    np.testing.assert_array_equal(own["loss"][1:8:2], swept.frame()["loss"][:4])
    rng, num, words = np.random.default_rng(0), 12, ("running", "done", "diverged")
    segments = np.array([5, 1, 3, 1, 2, 5, 5, 3, 1, 5, 4, 2])
    pruned = np.isin(segments, (1, 3)) & (np.arange(num) != 8)  # which diverged
    ending = np.where(pruned, results.Ending.PRUNED, np.where(segments == 5, 1, 2))
    losses, metric = rng.normal(size=(2, num, 5))
    places, rate = rng.integers(0, 9, (3, num)), rng.random(num)
    told = {"ending": ending, "segments": segments, "segment_steps": 7}
    sweep = results.Sweep(None, losses, {"auc": metric}, None, 0, 0, {"rate": rate}, *places)
    sweep, wanted = sweep._replace(**told), []
    for lane in range(num):
        for segment in range(1, segments[lane] + 1):
            last = segment == segments[lane]
            said = "pruned" if pruned[lane] else words[ending[lane]]
            rung = sum(segment > cut for cut in (1, 3))
            row = [lane, *places[:, lane], rate[lane], segment, 7 * segment, rung]
            figures = [losses[lane, segment - 1], metric[lane, segment - 1]]
            wanted.append([*row, *figures, said if last else "running"])
    table = sweep.steps()
    names = "lane configuration fold seed rate segment step rung risk auc status"
    assert list(table.columns) == names.split()
    assert [list(row) for row in table.itertuples(index=False)] == wanted


def test_a_sweep_predicts_with_its_model(swept):
    rows = np.random.default_rng(1).normal(size=(4, 3))
    params = jax.tree.map(np.asarray, swept.state.params)
    logits = swept.predict(rows)
    np.testing.assert_allclose(logits, params["w"] @ rows.T + params["b"][:, None], rtol=1e-6)
    chances = swept.probabilities(rows, losses.log_loss)
    np.testing.assert_allclose(chances[:4], 1 / (1 + np.exp(-logits[:4])), rtol=1e-6)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.at(momentum=1), "momentum is none of configuration, fold, seed, l2, lear"),
        (lambda s: s.at(l2=0.11), "no l2 is 0.11; the nearest is 0.1"),
        (lambda s: s.at(l2=0.0, seed=6), "no lane has all of {'l2': 0.0, 'seed': 6}"),
        (lambda s: s.best_by("auc"), r"metric must be one of \['loss', 'size'\], and is 'auc'"),
        (lambda s: s.at(configuration=2).best, "no configuration has a finite loss"),
        (lambda s: s.probabilities(X[:, :3]), "say loss=losses.log_loss"),
    ],
)
def test_what_a_sweep_has_not_is_said(swept, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(swept)


def test_a_file_gives_back_every_bit(tmp_path, swept):
    path = made(*AXES)
    path.params["w"][0, 0, 0, 0, 0] = [np.nan, np.inf, -np.inf, -0.0, 5e-324]
    for name, result in (("path", path), ("alone", path.at(lambda_=0.3)), ("sweep", swept)):
        result.save(tmp_path / name)
        found = results.load(tmp_path / name)
        assert type(found) is type(result)
        leaves = [jax.tree.leaves(tree) for tree in (result, found)]
        for a, b in zip(*leaves, strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    assert results.load(tmp_path / "path").about == path.about
    np.testing.assert_array_equal(found.state.params["w"], swept.state.params["w"])
    np.testing.assert_array_equal(found.predict(X[:, :3]), swept.predict(X[:, :3]))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["alone", "path", "sweep"]


def test_odd_types_and_keys_come_back(tmp_path):
    tree = {"half": jnp.arange(3, dtype=jnp.bfloat16), "key": jax.random.key(3), "name": "é"}
    tree |= {"none": None, "nested": [(), (1, 2.5), {"flag": True}], "empty": np.zeros((0, 2))}
    files.save(tmp_path / "odd", tree)
    found = results.load(tmp_path / "odd")
    assert found["half"].dtype == jnp.bfloat16
    np.testing.assert_array_equal(found["half"].astype(float), [0, 1, 2])
    np.testing.assert_array_equal(*map(jax.random.key_data, (found["key"], tree["key"])))
    assert {name: found[name] for name in ("name", "none", "nested")} == {
        name: tree[name] for name in ("name", "none", "nested")
    }
    assert found["empty"].shape == (0, 2)


def broken(folder):
    """Files that are no result, by what is wrong with them."""
    made("lambda").save(folder / "good")
    good = (folder / "good").read_bytes()
    np.savez(folder / "other.npz", a=np.ones(3))
    np.save(folder / "array.npy", np.ones(3))
    damaged = bytearray(good)
    damaged[len(good) // 2] ^= 255
    for name, content in (
        ("empty", b""),
        ("text", b"a,b\n1,2\n"),
        ("short", good[:-100]),
        ("half", good[: len(good) // 2]),
        ("damaged", bytes(damaged)),
        ("pickle", b"\x80\x04N."),
    ):
        (folder / name).write_bytes(content)
    return [file for file in sorted(folder.iterdir()) if file.name != "good"]


def test_a_file_that_is_none_of_ours_is_named(tmp_path):
    for file in broken(tmp_path):
        with pytest.raises(ValueError, match=f"{file.name} is no result of jaxlr, or was cut sho"):
            results.load(file)
    with pytest.raises(FileNotFoundError, match="missing"):
        results.load(tmp_path / "missing")


def test_a_file_of_another_version_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FORMAT", 2)
    made("lambda").save(tmp_path / "new")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"new is in format 2, and this jaxlr reads 1: load it wi"):
        results.load(tmp_path / "new")


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = made("lambda")
    path.save(tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()

    def fail(*args, **options):
        args[0].write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space left"):
        path.save(tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


def test_nothing_is_pickled(tmp_path):
    made(*AXES).save(tmp_path / "path")
    with zipfile.ZipFile(tmp_path / "path") as file:
        assert all(name.endswith(".npy") for name in file.namelist())
    for bad in ({"a": object()}, {1: 2}):
        with pytest.raises(ValueError, match=r"can't be saved|must be texts to be saved"):
            files.save(tmp_path / "bad", bad)
    assert not (tmp_path / "bad").exists()


def test_results_are_pytrees_whose_names_are_no_leaves():
    path = made("fold", "lambda")
    doubled = jax.tree.map(lambda leaf: 2 * leaf, path)
    np.testing.assert_array_equal(doubled.risk, 2 * path.risk)
    assert doubled.about == path.about
    assert dataclasses.asdict(path.about)["axes"] == ("fold", "lambda")
