"""Layers and targets from files: what is read, and one line for every mistake."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from experiments.datasets import DataError
from experiments.datasets.probes import load_probes

pytestmark = pytest.mark.once

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 2
TWO = np.stack([Y, np.arange(20) % 3], axis=1)
CSV = "age,kind,w\n" + "".join(f"{20 + i},{'ab'[i % 2]},{i % 3}\n" for i in range(20))


def as_bytes(save, *args, **named):
    buffer = io.BytesIO()
    save(buffer, *args, **named)
    return buffer.getvalue()


def npy(values):
    return as_bytes(np.save, values)


def npz(**arrays):
    return as_bytes(np.savez, **arrays)


def parquet(**columns):
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Writes files into a folder that is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, content in files.items():
            name = name.replace("__", ".")
            content = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(content)

    return write


def features(probes):
    return {name: np.asarray(table.features) for name, table in probes.layers.items()}


def test_npy_layers_are_mapped_and_named_after_their_files(folder):
    folder(low__npy=npy(X), high__npy=npy(2 * X), y__npy=npy(Y))
    probes = load_probes(["low.npy", "high.npy"], labels="y.npy")
    assert list(probes.layers) == ["low", "high"]
    np.testing.assert_array_equal(features(probes)["high"], 2 * X)
    base = probes.layers["low"].features
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    (target,) = probes.targets
    assert (target.name, target.task, target.class_names) == ("labels", "binary", ("0", "1"))
    np.testing.assert_array_equal(target.labels, Y)


def test_labels_with_two_axes_are_as_many_targets(folder):
    folder(x__npy=npy(X), y__npy=npy(TWO))
    probes = load_probes(["x.npy"], labels="y.npy")
    assert [t.name for t in probes.targets] == ["labels[0]", "labels[1]"]
    assert [t.task for t in probes.targets] == ["binary", "multiclass"]
    (one,) = load_probes(["x.npy"], labels="y.npy", targets=["labels[1]"]).targets
    np.testing.assert_array_equal(one.labels, TWO[:, 1])
    (last,) = load_probes(["x.npy"], labels="y.npy", targets=["-1"]).targets
    assert last.name == "labels[1]"


def test_an_archive_holds_features_labels_and_weights(folder):
    folder(a__npz=npz(x=X.reshape(20, 1, 3), labels=TWO, w=np.arange(20.0)))
    probes = load_probes(["a.npz"], weights="w")
    assert len(probes.targets) == 2
    np.testing.assert_array_equal(features(probes)["a"], X)
    np.testing.assert_array_equal(probes.layers["a"].weights, np.arange(20.0))


@pytest.mark.parametrize("size", [-1, 3])
def test_each_list_column_of_parquet_is_a_layer(folder, size):
    kind = pa.list_(pa.float32(), size)
    columns = {name: pa.array((c * X).tolist(), kind) for c, name in ((1, "l0"), (2, "l1"))}
    folder(e__parquet=parquet(**columns, label=["ab"[i] for i in Y], other=list(range(20))))
    probes = load_probes(["e.parquet"])
    np.testing.assert_array_equal(features(probes)["l1"], 2 * X)
    (target,) = probes.targets
    assert (target.name, target.class_names) == ("label", ("a", "b"))


@pytest.mark.parametrize("line", ["", "mood\n"])
def test_a_label_file_may_be_one_column_of_text(folder, line):
    folder(x__npy=npy(X), y__txt=line + "".join(f"{'ab'[i]}\n" for i in Y))
    (target,) = load_probes(["x.npy"], labels="y.txt", header=bool(line)).targets
    assert target.name == (line.strip() or "labels")
    np.testing.assert_array_equal(target.labels, Y)


LABEL_FILES = {
    "words": ("label\n" + "red fox\ncat\n" * 10, "label", ("cat", "red fox")),
    "two words each": ("red fox\ngrey wolf\n" * 10, "labels", ("grey wolf", "red fox")),
    "words and numbers": ("type 1\ntype 2\n" * 10, "labels", ("type 1", "type 2")),
    "quoted": ('"red, dark"\n"blue"\n' * 10, "labels", ("blue", "red, dark")),
    "no numbers": ("0_1\r1_2\r" * 10, "labels", ("0_1", "1_2")),
    "U+2028": ("a\u2028b\nc\n" * 10, "labels", ("a\u2028b", "c")),
    "files and classes": ("".join(f"{i}.png {i % 2}\n" for i in range(20)), "x1", ("0", "1")),
    "a comment": ("# by me\nmood\n" + "a\nb\n" * 10, "mood", ("a", "b")),
    "one of savetxt": ("# y\n" + "0\n1\n" * 10, "y", ("0", "1")),
    "an index": (
        ",0\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20)),
        "0",
        ("a", "b"),
    ),
    "R": ('"y"\n' + "".join(f'"{i}" "{"ab"[i % 2]}"\n' for i in range(20)), "y", ("a", "b")),
}


@pytest.mark.parametrize("case", LABEL_FILES)
def test_a_label_file_is_read_as_any_table_and_may_hold_words(folder, case):
    text, name, class_names = LABEL_FILES[case]
    folder(x__npy=npy(X), y__txt=text)
    (target,) = load_probes(["x.npy"], labels="y.txt").targets
    assert (target.name, target.class_names) == (name, class_names)
    assert set(target.labels[:2]) == {0, 1}


def test_what_a_label_file_leaves_open_is_said_and_chosen_as_for_tables(folder):
    rows = "".join(f"{i},5;{['None', 'mild'][i % 2]}\n" for i in range(20))
    table = "".join(f"{i},5;{i % 3};{['None', 'mild'][i % 2]}\n" for i in range(20))
    folder(x__npy=npy(X), y__csv="w;y\n" + rows, t__csv=f"p;w;y\n{table}")
    probes = load_probes(["x.npy"], labels="y.csv", weights="w", missing_values=())
    np.testing.assert_array_equal(probes.layers["x"].weights, np.arange(20) + 0.5)
    assert probes.layers["x"].notes == ("'w': numbers with a decimal comma",)
    assert probes.targets[0].class_names == ("None", "mild")
    both = load_probes(["t.csv"], targets=["y", "w"], missing_values=[], task="multiclass")
    assert both.targets[0].class_names == ("None", "mild")


def test_targets_and_weights_are_columns_of_a_label_file(folder):
    folder(x__npy=npy(X), y__csv=CSV)
    probes = load_probes(["x.npy"], labels="y.csv", targets=["kind", "age"], weights="w")
    assert [(t.name, t.task) for t in probes.targets] == [
        ("kind", "binary"),
        ("age", "regression"),
    ]
    np.testing.assert_array_equal(probes.layers["x"].weights, np.arange(20) % 3)


def test_integers_beside_embeddings_are_classes_however_many(folder):
    rng = np.random.default_rng(1)
    folder(x__npy=npy(np.repeat(X, 5, axis=0)), y__npy=npy(rng.permutation(np.arange(100) % 40)))
    (target,) = load_probes(["x.npy"], labels="y.npy").targets
    assert target.task == "multiclass"
    assert len(target.class_names) == 40
    (target,) = load_probes(["x.npy"], labels="y.npy", task="regression").targets
    assert target.task == "regression"


def test_several_targets_of_a_table_are_no_features_of_each_other(folder):
    folder(
        t__csv="p,age,kind\n" + "".join(f"{i % 7},{20 + i / 2},{'ab'[i % 2]}\n" for i in range(20))
    )
    probes = load_probes(["t.csv"], targets=["kind", "age"])
    (table,) = probes.layers.values()
    assert table.feature_names == ("p",)
    assert [t.task for t in probes.targets] == ["binary", "regression"]
    np.testing.assert_allclose(probes.targets[1].labels, 20 + np.arange(20) / 2)
    assert probes.table(table.name, probes.targets[1]).target == "age"


def test_a_built_in_set_and_a_dropped_array_column_are_tables(folder):
    assert load_probes(["iris"]).layers["iris"].features.shape == (150, 4)
    folder(a__npz=npz(X=X, y=Y))
    (table,) = load_probes(["a.npz"], drop=("x1",)).layers.values()
    assert table.feature_names == ("x0", "x2")


NAN = X.copy()
NAN[17, 1] = np.nan
MISTAKES = {
    "nothing": ([], {}, "--data names nothing"),
    "no file": (["y.npz"], {}, "no file 'y.npz'"),
    "rows differ": (["x.npy", "short.npy"], {"labels": "y.npy"}, "'short' has 9 rows and layer"),
    "NaN": (["x.npy", "nan.npy"], {"labels": "y.npy"}, "'nan' is nan in row 18, column 1"),
    "NaN in two": (
        ["nan.npy", "x.npy", "./nan.npy"],
        {"labels": "y.npy"},
        "'nan.npy' is nan in row 18, column 1 counted from 0, layer './nan.npy' is nan in row 18,"
        " column 1 counted from 0; mend that row, or leave it out of every layer",
    ),
    "no labels": (["x.npy"], {}, "'x.npy' holds no labels; give them with --labels"),
    "labels too few": (["x.npy"], {"labels": "few.npy"}, "9 values of 'labels' in 'few.npy', but"),
    "transposed": (["x.npy"], {"labels": "wide.npy"}, "transpose it"),
    "constant": (["x.npy"], {"labels": "ones.npy"}, "is 1 in every row"),
    "NaN label": (["x.npy"], {"labels": "nany.npy"}, "column 'labels' is nan in row 3"),
    "three axes": (["x.npy"], {"labels": "deep.npy"}, "has shape (20, 1, 2); give [rows] or"),
    "bytes": (["raw.npy"], {"labels": "y.npy"}, "dtype |V2 where numbers belong; cast it"),
    "complex labels": (["x.npy"], {"labels": "complex.npy"}, "has dtype complex128"),
    "one axis": (["y.npy"], {"labels": "y.npy"}, "'y' has shape (20,); give rows of features"),
    "objects": (["pickled.npy"], {"labels": "y.npy"}, "is no .npy file of a plain array"),
    "broken npz": (["broken.npz"], {}, "is no NPZ file of plain arrays"),
    "broken parquet": (["broken.parquet"], {}, "is a broken Parquet file"),
    "broken labels": (["x.npy"], {"labels": "broken.parquet"}, "is a broken Parquet file"),
    "folder": (["x.npy"], {"labels": "."}, "'.' is a folder; give .npy"),
    "no features": (["only_y.npz"], {}, "'only_y.npz' holds 'y' and no features; name"),
    "unnamed labels": (["x.npy"], {"labels": "odd.npz"}, "no array called labels or y; choose one"),
    "no column": (["x.npy"], {"labels": "y.csv", "targets": ["ages"]}, "(did you mean 'age'?)"),
    "no second": (["y.csv"], {"targets": ["age", "kid"]}, "--target: no column 'kid' (did you"),
    "twice": (["x.npy"], {"labels": "y.csv", "targets": ["age", "age"]}, "names 'age' twice"),
    "same layer": (["x.npy", "x.npy"], {"labels": "y.npy"}, "--data gives 'x.npy' twice"),
    "a table": (["x.npy", "y.csv"], {"labels": "y.npy"}, "'y.csv' is a table, and no layer"),
    "table labels": (["y.csv"], {"labels": "y.npy"}, "--labels 'y.npy' goes with embeddings"),
    "dropped": (
        ["x.npy", "x2.npy"],
        {"labels": "y.npy", "drop": ("a",)},
        "--drop goes with tables",
    ),
    "idx": (["x.npy"], {"labels_file": "y.npy"}, "their labels are --labels"),
    "weights few": (
        ["x.npy"],
        {"labels": "w.npz", "weights": "few"},
        "9 values of 'few' in 'w.npz', but 20 rows of features; give one per row",
    ),
    "weights axes": (
        ["x.npy"],
        {"labels": "w.npz", "weights": "deep"},
        "'deep' has shape (20, 1, 1); give [rows] or",
    ),
    "weights below": (["x.npy"], {"labels": "w.npz", "weights": "below"}, "is -1 in row 1"),
    "disagree": (["a.npz", "b.npz"], {}, "'labels' in row 1 is 0 in 'a.npz' but 1 in 'b.npz'"),
    "lists differ": (["ragged.parquet"], {}, "lists of 2, 3 numbers; give every row as many"),
    "list missing": (["gap.parquet"], {}, "layer 'e' is missing in row 2; leave that row out"),
    "cell missing": (["cell.parquet"], {}, "layer 'e' has an empty cell in row 2; mend that row"),
    "label missing": (["null.parquet"], {}, "target 'label' is missing in row 2; fill it in"),
    "one name": (["x.npy"], {"labels": "yy.csv"}, "columns called 'y' occur twice; rename them in"),
    "one name in Parquet": (["x.npy"], {"labels": "yy.parquet"}, "columns called 'y' occur twice"),
    "layers of one name": (
        ["ee.parquet"],
        {},
        "columns called 'e' occur twice; rename them in the",
    ),
    "a class that is none": (
        ["x.npy"],
        {"labels": "none.txt"},
        "'labels' is missing in row 1, where 'None' is a missing value; fill it in, or list the",
    ),
    "two of many": (
        ["x.npy"],
        {"labels": "slips.csv", "targets": ["a", "b"]},
        "column 'a' is text in row 1 ('x') where numbers belong, column 'b' is text in row 2 ('x')",
    ),
    "broken beside": (["broken.parquet", "x.npy"], {"labels": "y.npy"}, "is a broken Parquet file"),
    "text gap": (["x.npy"], {"labels": "gap.csv"}, "target 'label' is missing in row 2"),
    "no columns": (
        ["svm.txt"],
        {"targets": ["a", "b"]},
        "no column 'b'; the columns are 'x1'",
    ),
    "rows dropped": (
        ["holes.csv"],
        {"targets": ["kind", "age"], "missing": "drop"},
        "--missing drop leaves 19 of 20 rows",
    ),
}


def twice(name, column):
    """Parquet with two columns of one name."""
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table([pa.array(column)] * 2, names=[name] * 2), buffer)
    return buffer.getvalue()


def lists(*rows):
    return pa.array(list(rows) * 5, pa.list_(pa.float32()))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_the_value_and_the_cure(folder, name):
    folder(
        x__npy=npy(X),
        x2__npy=npy(X),
        y__npy=npy(Y),
        y__csv=CSV,
        short__npy=npy(X[:9]),
        nan__npy=npy(NAN),
        few__npy=npy(Y[:9]),
        wide__npy=npy(TWO.T),
        ones__npy=npy(np.ones(20, int)),
        nany__npy=npy(np.where(np.arange(20) == 2, np.nan, Y)),
        deep__npy=npy(np.ones((20, 1, 2))),
        raw__npy=npy(X.astype(np.float16).view("V2")),
        complex__npy=npy(Y + 0j),
        pickled__npy=as_bytes(np.save, np.array([{}]), allow_pickle=True),
        broken__npz=b"PK and nothing",
        broken__parquet=b"PAR1 and nothing",
        only_y__npz=npz(y=Y),
        odd__npz=npz(thing=Y, other=Y),
        w__npz=npz(y=Y, few=np.ones(9), deep=np.ones((20, 1, 1)), below=-np.ones(20)),
        a__npz=npz(x=X, labels=Y),
        b__npz=npz(x=X, labels=1 - Y),
        ragged__parquet=parquet(e=lists([1, 2], [1, 2, 3]), label=["a", "b"] * 5),
        gap__parquet=parquet(e=lists([1, 2], None), label=["a", "b"] * 5),
        cell__parquet=parquet(e=lists([1, 2], [1, None]), label=["a", "b"] * 5),
        null__parquet=parquet(e=lists([1, 2], [2, 1]), label=["a", None, "b", "a", "b"] * 2),
        gap__csv="i,label\n" + "".join(f"{i},{'a' if i != 1 else ''}\n" for i in range(20)),
        yy__csv="y,y\n" + "1,2\n" * 20,
        yy__parquet=twice("y", Y),
        ee__parquet=twice("e", X.tolist()),
        none__txt="None\nmild\n" * 10,
        slips__csv="a,b\nx,1\n2,x\n" + "1,2\n2,1\n" * 9,
        svm__txt="".join(f"{i % 2} 1:{i} 7:1.5\n" for i in range(20)),
        holes__csv="p,age,kind\n,9,a\n"
        + "".join(f"{i % 7},{20 + i / 2},{'ab'[i % 2]}\n" for i in range(19)),
    )
    files, options, said = MISTAKES[name]
    with pytest.raises(DataError) as error:
        load_probes(files, **options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
