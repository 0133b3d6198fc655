"""Which column is the target, what kind of task it makes, and how classes are numbered."""

import numpy as np
import pytest

from experiments.datasets import load

pytestmark = pytest.mark.once


def csv(folder, **columns):
    path = folder / "data.csv"
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines))
    return str(path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("p", "q", "r"), "r"),  # the last
        (("p", "y", "r"), "y"),
        (("Class", "q", "r"), "Class"),
        (("Y", "y", "r"), "Y"),  # the first of two
        (("y", "LABEL", "r"), "LABEL"),  # label comes before y
        (("class", "label", "target"), "target"),
    ],
)
def test_the_default_target_has_a_usual_name_or_is_last(tmp_path, names, expected):
    values = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    table = load(csv(tmp_path, **dict.fromkeys(names, values)))
    assert table.target == expected
    assert table.feature_names == tuple(name for name in names if name != expected)


@pytest.mark.parametrize("target", ["q", 1, "1", -2, "-2", np.int64(1)])
def test_a_target_is_a_name_or_a_number_from_either_end(tmp_path, target):
    values = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    table = load(csv(tmp_path, p=values, q=values, r=values), target=target)
    assert table.target == "q"


def test_a_name_wins_over_a_number(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("2,1,0\n" + "5,6.5,a\n7,8.5,b\n" * 3)
    assert load(str(path), target="0", header=True).class_names == ("a", "b")
    assert load(str(path), target=0, header=True).class_names == ("5", "7")


def test_columns_with_another_part_are_no_default_target(tmp_path):
    values = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    path = csv(tmp_path, p=values, q=values, w=values, y=values)
    assert load(path, drop=[-1], weights="w").target == "q"


TARGETS = {
    "two texts": (["b", "a"], 10, "binary", ("a", "b")),
    "three texts": (["b", "a", "c"], 10, "multiclass", ("a", "b", "c")),
    "two signs": ([1, -1], 10, "binary", ("-1", "1")),
    "two reals": ([0.5, 0.25], 10, "binary", ("0.25", "0.5")),
    "whole numbers": ([10, 9, 2], 3, "multiclass", ("2", "9", "10")),
    "whole reals": (["3.0", "1.0", "2.0"], 3, "multiclass", ("1", "2", "3")),
    "truth values": ([True, False], 10, "binary", ("False", "True")),
    "twenty whole numbers": (list(range(20)), 3, "multiclass", tuple(map(str, range(20)))),
    "twenty-one whole numbers": (list(range(21)), 9, "regression", ()),
    "whole numbers, two rows each": (list(range(5)), 2, "regression", ()),
    "three reals": ([0.5, 1.5, 2.5], 9, "regression", ()),
}


@pytest.mark.parametrize("case", TARGETS)
def test_the_task_follows_from_the_targets_values(tmp_path, case):
    values, times, task, class_names = TARGETS[case]
    target = values * times
    table = load(csv(tmp_path, p=range(len(target)), y=target))
    assert (table.task, table.class_names) == (task, class_names)
    if task == "regression":
        assert table.labels.dtype == np.float64
        np.testing.assert_array_equal(table.labels, np.array(target, float))
    else:
        assert table.labels.dtype == np.int32
        names = [table.class_names[label] for label in table.labels]
        assert names == [str(value).removesuffix(".0") for value in target]


def test_the_task_may_be_overruled(tmp_path):
    ages = list(range(30)) * 3
    assert len(load(csv(tmp_path, p=ages, y=ages), task="multiclass").class_names) == 30
    signs = [0, 1] * 5
    assert load(csv(tmp_path, p=signs, y=signs), task="multiclass").class_names == ("0", "1")
    assert load(csv(tmp_path, p=signs, y=signs), task="regression").labels.dtype == np.float64
