"""Columns that are no features, know the answer, or know nothing."""

import numpy as np
import pandas as pd
import pytest

from experiments.datasets import Table, load
from experiments.datasets.table import Target
from experiments.kit import suspects
from experiments.kit.problems import Problem, target_of
from jaxlr.pytypes import Batch

pytestmark = pytest.mark.once

RNG = np.random.default_rng(1)
N = 200
Z = RNG.normal(size=N)
CLASS = (Z + RNG.normal(size=N) > 0).astype(np.int32)
THREE = (RNG.permutation(N) % 3).astype(np.int32)


def told(labels=CLASS, weights=None, **columns):
    columns = {"z": Z, **columns}
    plain = all(np.asarray(c).dtype.kind in "iuf" for c in columns.values())
    frame = pd.DataFrame(
        {
            n: pd.Categorical(c) if np.asarray(c).dtype.kind in "OU" else c
            for n, c in columns.items()
        }
    )
    features = frame.to_numpy() if plain else frame
    classes = labels.dtype.kind == "i"
    names = tuple("abc"[: labels.max() + 1]) if classes else ()
    task = ("binary" if len(names) == 2 else "multiclass") if classes else "regression"
    table = Table("made", features, labels, task, names, tuple(columns), "y", weights)
    return suspects.notes(table, [target_of(table)])


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("n", np.arange(N), "counts the rows"),
        ("n", np.arange(N) + 1001, "counts the rows"),
        ("n", RNG.permutation(9_999)[:N], "has another whole number in each row"),
        ("n", RNG.permutation(N) * 1e6, "has another whole number in each row"),
        ("customer_id", RNG.integers(0, 90, N), "is called like an id"),
        ("patientId", RNG.integers(0, 90, N), "is called like an id"),
        ("Unnamed: 0", RNG.integers(0, 90, N), "is called like an id"),
        ("d", 20210300 + 1 + RNG.integers(0, 28, N), "holds dates"),
        ("order date", 44_000 + RNG.integers(0, 99, N), "holds dates"),
        ("d", np.array([f"{d + 1:02d}.03.2021" for d in RNG.integers(0, 28, N)]), "holds dates"),
        ("d", np.array([f"2021-03-{d + 1:02d} 11:30" for d in RNG.integers(0, 28, N)]), "dates"),
        ("ref", np.array([f"k{i}" for i in range(N)]), "has another text in most rows"),
    ],
)
def test_what_is_no_feature_is_noted_with_its_option(name, values, why):
    (note,) = told(**{name: values})
    assert why in note
    assert note.startswith(repr(name))
    assert note.endswith(
        f"--drop {name!r} leaves it out" if " " in name else f"{name} leaves it out"
    )


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (CLASS, CLASS * 1.0),
        (CLASS, -3.0 * CLASS + RNG.random(N)),
        (CLASS, np.where(np.arange(N) == 7, 1 - CLASS, CLASS)),  # but for one row
        (CLASS, np.where(CLASS, "ill", "well")),
        (THREE, np.array([2.0, 0.0, 1.0])[THREE]),
        (THREE, np.array([30.0, -1.0, 12.0])[THREE] + RNG.random(N)),
        (THREE, np.array([3, 1, 7, 5, 2, 9])[THREE + 3 * (Z > 0)]),  # codes in no order
        (Z * 9 + 1, Z * 2.54 + 1e-4 * RNG.normal(size=N)),
        (np.exp(Z), -Z),
        (np.round(Z), np.array([f"v{v}" for v in np.round(Z)])),
    ],
)
def test_what_tells_the_target_alone_is_noted(labels, values):
    other = RNG.normal(size=N)
    assert told(labels, z=other) == []
    (note,) = told(labels, z=other, leak=values)
    assert "'leak' alone tells 'y' (nearly) exactly" in note
    assert note.endswith("--drop leak leaves it out")


def test_what_only_helps_is_not():
    near = CLASS + RNG.normal(size=N) * 0.45
    assert told(near=near, count=RNG.integers(0, 40, N), year=RNG.integers(1990, 2020, N)) == []
    assert told(z=np.where(np.arange(N) < 9, np.nan, Z)) == []
    for name in ("breast_cancer", "iris", "wine", "diabetes", "digits"):
        table = load(name)
        assert suspects.notes(table, [target_of(table)]) == []


def test_rows_without_weight_do_not_hide_a_leak():
    wrong = np.where(np.arange(N) < 60, 1 - CLASS, CLASS)
    assert told(leak=wrong) == []
    (note,) = told(leak=wrong, weights=1.0 * (np.arange(N) >= 60))
    assert "'leak' alone" in note


def test_columns_of_one_kind_share_a_line():
    (note,) = told(u=np.arange(N), v=np.arange(N))
    assert note == "'u', 'v' counts the rows; --drop u v leaves them out"


def problem(x, labels, task, names=(), weights=None):
    x = np.asarray(x, np.float32).reshape(len(labels), -1)
    weights = np.ones(len(labels)) if weights is None else weights
    table = Table("made", x, labels, task, names, ("a",), "y")
    batch = Batch(x, labels, weights.astype(np.float32))
    return Problem(table, batch, batch, ("a",), (0.0, 1.0))


MEANS = np.array([Z[c == CLASS].mean() for c in (0, 1)])
CROSSED = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (0, 1, 2)] * 5)


@pytest.mark.parametrize(
    ("made", "b"),
    [
        (problem(np.zeros(N), CLASS, "binary", ("n", "p")), "log odds"),
        (problem(np.full(N, 1e6), CLASS, "binary", ("n", "p")), "log odds"),
        (problem(CROSSED[:, :2], CROSSED[:, 2], "multiclass", tuple("abc")), "logs of the classes"),
        (problem(CROSSED[:, :2] + 1e3, CROSSED[:, 2] * 2.0, "regression"), "mean"),
        (problem(Z - MEANS[CLASS], CLASS, "binary", ("n", "p")), "log odds"),  # but for rounding
        (problem(Z, CLASS, "binary", ("n", "p"), 1.0 * (np.abs(Z) == abs(Z[5]))), "log odds"),
    ],
)
def test_nothing_to_learn_is_said(made, b):
    (note,) = suspects.nothing_to_learn([made])
    assert note.startswith("Nothing to learn: no feature of made varies with 'y' in the training")
    assert f"w = 0 at every penalty, and b is the {b}" in note


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_little_is_not_nothing(scale):
    faint = scale * RNG.normal(size=(N, 70))
    assert suspects.nothing_to_learn([problem(faint, CLASS, "binary", ("n", "p"))]) == []
    assert suspects.nothing_to_learn([problem(faint, Z, "regression")]) == []


def test_several_targets_are_told_apart():
    table = Table("made", np.c_[Z, CLASS], CLASS, "binary", ("n", "p"), ("z", "leak"), "y")
    other = Target("w", (RNG.random(N) > 0.5).astype(np.int32), "binary", ("n", "p"))
    notes = suspects.notes(table, [target_of(table), other])
    assert [note.split(" (")[0] for note in notes] == ["'leak' alone tells 'y'"]


def test_classes_with_few_rows_to_judge_by_are_told_with_the_options():
    target = Target("kind", np.zeros(0), "multiclass", ("often", "also", "rare one", "never"))
    labels = np.repeat([0, 1, 2], [40, 8, 3])
    (note,) = suspects.few(target, labels, "test rows", "take a larger --test-fraction")
    assert note == (
        "few test rows of 'kind' are 'rare one', 'never' (0 to 3), so that what is said of them is"
        " half luck; take a larger --test-fraction, or leave them out: --drop-classes 'rare one'"
        " never"
    )
    two = Target("ill", np.zeros(0), "binary", ("no", "yes"))
    (note,) = suspects.few(two, np.repeat([0, 1], [90, 5]), "test rows", "take more")
    assert note.endswith("'yes' (5), so that what is said of them is half luck; take more")
    assert suspects.few(two, np.repeat([0, 1], [90, 8]), "test rows", "take more") == []
    assert suspects.few(Target("y", labels, "regression", ()), np.arange(3), "", "") == []
