"""CSV and its cousins: pandas, or the numbers that were written, are the witness."""

import bz2
import gzip
import io
import lzma
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets import DataError, load

pytestmark = pytest.mark.once

ROWS = [(0.5, 3, "a"), (1.5, -2, "b"), (2.5, 3, "a"), (3.5, 0, "b"), (4.5, 10, "b"), (-5.5, 1, "a")]
NUMBERS = [[p, q] for p, q, _ in ROWS]
LABELS = [0, 1, 0, 1, 1, 0]


def text_of(separator=",", header="p,q,y", end="\n"):
    lines = [header.replace(",", separator)] if header else []
    return end.join([*lines, *(separator.join(map(str, row)) for row in ROWS)])


def loaded(folder, text, name="data.csv", **choices):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(str(path), **choices)


def assert_is_the_example(table, names=("p", "q")):
    assert table.feature_names == names
    np.testing.assert_array_equal(table.features, NUMBERS)
    np.testing.assert_array_equal(table.labels, LABELS)
    assert (table.task, table.class_names) == ("binary", ("a", "b"))


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "   ", " \t", ", "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_usual_separator_gives_the_same_table(tmp_path, separator, end):
    assert_is_the_example(loaded(tmp_path, text_of(separator, end=end)))


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_compression_and_byte_order_marks_change_nothing(tmp_path, compress, mark):
    assert_is_the_example(loaded(tmp_path, compress(mark + text_of().encode()), name="data"))


def test_without_a_header_columns_are_numbered(tmp_path):
    table = loaded(tmp_path, text_of(header=None))
    assert_is_the_example(table, names=("x0", "x1"))
    assert table.target == "x2"
    assert "no header" in table.notes[0]


HEADERS = {
    "names above numbers": ("p,q,y\n1,2,3\n4,5,6", True),
    "numbers all through": ("1,2,3\n4,5,6\n7,8,9", False),
    "pandas' default names": ("0,1,2\n4,5,6\n7,8,9", True),
    "default names above a class": ("0,1,2\n4,5,a\n7,8,b", True),
    "all texts, names on top": ("p,q,y\na,b,c\nb,b,d", True),
    "all texts, a row on top": ("a,b,c\na,c,c\nb,b,d", False),
    "one slip in the first row": ("1,oops,3,4\n1,2,3,4\n5,6,7,8", False),
    "a gap in the first row": (",2,3\n4,5,6\n7,8,9", False),
    "gaps in the first row": (",?,3\n4,5,6\n7,8,9", False),
    "a nameless index": (",p,q\n0,5,6\n1,8,9", True),
}


@pytest.mark.parametrize("case", HEADERS)
def test_the_first_line_is_names_only_if_it_reads_so(tmp_path, case):
    text, has_header = HEADERS[case]
    body = text.split("\n", 1)[1]
    choices = {"categorical": ["x1"]} if "slip" in case else {}
    table = loaded(tmp_path, "\n".join([text, *[body] * 9]), target=-1, **choices)
    assert len(table.labels) == text.count("\n") + 1 - has_header + 9 * (body.count("\n") + 1)


def test_the_caller_may_overrule_the_guess_about_names(tmp_path):
    text = "1,2,3\n" + "4,5,6\n7,8,9\n" * 4
    assert loaded(tmp_path, text, header=True).feature_names == ("1", "2")
    assert len(loaded(tmp_path, text, header=False, task="multiclass").labels) == 9


def test_semicolons_may_come_with_decimal_commas(tmp_path):
    table = loaded(tmp_path, text_of(";").replace(".", ","))
    assert_is_the_example(table)
    table = loaded(tmp_path, text_of(";", header=None).replace(".", ","))
    assert_is_the_example(table, names=("x0", "x1"))


def test_commas_in_texts_are_no_decimal_commas(tmp_path):
    rows = [f"{i}.5;u,{i % 2};{i % 2}" for i in range(8)]
    table = loaded(tmp_path, "\n".join(["p;c;y", *rows]))
    np.testing.assert_array_equal(table.features["p"], np.arange(8) + 0.5)
    assert list(table.features["c"].cat.categories) == ["u,0", "u,1"]


def test_quoted_cells_may_hold_the_separator_and_blanks_around_texts_go(tmp_path):
    text = 'size,where,y\n1,"Rome, Italy",0\n2,  Oslo ,1\n3,Oslo,0\n4,"Rome, Italy",1\n5,Oslo,1\n'
    where = loaded(tmp_path, text).features["where"]
    assert list(where) == ["Rome, Italy", "Oslo", "Oslo", "Rome, Italy", "Oslo"]


def test_single_quotes_work_where_the_names_have_them(tmp_path):
    assert_is_the_example(loaded(tmp_path, text_of(" ", header="'p','q','y'")))


def test_latin_1_is_read_where_utf_8_is_not(tmp_path):
    text = text_of().replace("a", "ä")
    for encoding in ("utf-8", "latin-1"):
        assert loaded(tmp_path, text.encode(encoding)).class_names == ("b", "ä")


def test_every_sign_of_a_missing_value_is_a_gap(tmp_path):
    signs = ["", "NA", "N/A", "n/a", "?", "null", "None", " ?"]
    rows = "".join(f"{sign},{sign},{i % 2}\n" for i, sign in enumerate(signs))
    table = loaded(tmp_path, f"p,c,y\n{rows}1.5,red,0\n2.5,blue,1\n")
    assert table.features.isna().sum().to_list() == [len(signs), len(signs)]
    assert table.features["p"].to_list()[-2:] == [1.5, 2.5]
    assert "missing values in p (8), c (8)" in table.notes


def test_dropping_leaves_out_each_row_with_a_gap(tmp_path):
    text = text_of() + "\n,1,a\n1,,b\n1,2,\n"
    table = loaded(tmp_path, text, missing="drop")
    assert_is_the_example(table)
    assert "3 rows left out for missing values" in table.notes


def test_an_empty_column_is_left_out_and_said_to_be(tmp_path):
    text = "\n".join(line + "," for line in text_of().splitlines())  # a comma ends each line
    table = loaded(tmp_path, text)
    assert_is_the_example(table)
    assert table.notes == ("left out, empty in every row: 'x3'",)


def test_a_stray_quote_that_swallows_rows_is_mentioned(tmp_path):
    text = 'n,c,y\n1,u,0\n2,"v,1\n3,w",0\n4,u,1\n5,u,0\n6,w,1\n7,w,1\n'
    table = loaded(tmp_path, text.replace('"v,1\n3,w"', '"v\n1"'))
    assert "1 line breaks lie inside quoted cells" in table.notes


def test_whole_numbers_keep_a_small_type(tmp_path):
    rows = "\n".join(f"{i},{255 - i},{i % 2}" for i in range(256))
    table = loaded(tmp_path, f"p,q,y\n{rows}")
    assert table.features.dtype == np.uint8
    assert table.features[200].tolist() == [200, 55]
    table = loaded(tmp_path, "p,q,y\n" + "-1,300,0\n2,-4,1\n" * 5)
    assert table.features.dtype == np.int32
    assert table.features[0].tolist() == [-1, 300]


@pytest.mark.parametrize("cell", ["1.5", "'abc'", ""])
def test_blocks_leave_no_seam(tmp_path, monkeypatch, cell):
    rows = "".join(f'{i},"c{i % 7}\n{i % 3}",{i % 2}\n' for i in range(60))
    text = f"p,q,y\n{rows}{cell},c,1\n"
    choices = {"categorical": ["p"]}
    whole = loaded(tmp_path, text, **choices)
    monkeypatch.setattr(sys.modules["experiments.datasets.formats.delimited"], "_BLOCK", 64)
    pd.testing.assert_frame_equal(loaded(tmp_path, text, **choices).features, whole.features)


def test_the_sample_that_decides_ends_with_a_whole_line(tmp_path):
    rows = "".join(f"{i}.25;{i % 2};a\n{i}.25;{i % 2};b\n" for i in range(9_000))
    table = loaded(tmp_path, f"p;q;y\n{rows}")
    assert len(f"p;q;y\n{rows}") > 2 * 2**16
    assert table.features.shape == (18_000, 2)
    np.testing.assert_array_equal(table.features[:, 0], np.repeat(np.arange(9_000), 2) + 0.25)


def test_columns_may_be_declared_categories(tmp_path):
    table = loaded(tmp_path, text_of(), categorical=["q"])
    assert list(table.features["q"].cat.categories) == ["-2", "0", "1", "3", "10"]


def test_weights_are_a_column_and_no_feature(tmp_path):
    rows = "\n".join(f"{i},{i / 2},{i % 2}" for i in range(8))
    table = loaded(tmp_path, f"p,w,y\n{rows}", weights="w")
    assert table.feature_names == ("p",)
    np.testing.assert_array_equal(table.weights, np.arange(8) / 2)


def test_a_number_column_with_texts_is_refused_by_its_row(tmp_path):
    with pytest.raises(DataError, match=r"column 'p' is text in row 7 \('abc'\) where numbers"):
        loaded(tmp_path, text_of() + "\nabc,1,a")


CELLS = {
    "whole": st.integers(-(2**40), 2**40),
    "real": st.floats(-1e30, 1e30, allow_subnormal=False),
    "text": st.text(st.characters(codec="utf-8", categories=("L",)), min_size=1, max_size=6).map(
        lambda text: "t" + text  # neither a number nor a sign of a missing value
    ),
}


@st.composite
def frames(draw):
    """Frames of 2 to 4 columns, with gaps, and a column "y" of 0 and 1."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=2, max_size=4))
    num_rows = draw(st.integers(6, 12))
    frame = pd.DataFrame()
    for index, kind in enumerate(kinds):
        # The first cell is there, since a column of gaps alone is left out.
        cells = st.none() | CELLS[kind]
        column = [draw(CELLS[kind]), *(draw(cells) for _ in range(num_rows - 1))]
        frame[f"{kind}{index}"] = pd.Series(column, dtype="str" if kind == "text" else "float64")
    frame["y"] = [i % 2 for i in range(num_rows)]
    return frame


@given(frames(), st.sampled_from(",;\t"))
def test_what_pandas_wrote_is_read_back(tmp_path_factory, frame, separator):
    buffer = io.StringIO()
    frame.to_csv(buffer, sep=separator, index=False)
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8")
    table = load(str(path))
    read = pd.DataFrame(table.features, columns=table.feature_names)
    for name in frame.columns[:-1]:
        expected = frame[name].to_numpy()
        if name.startswith("text"):
            assert read[name].astype("str").fillna("").to_list() == list(frame[name].fillna(""))
        else:
            np.testing.assert_array_equal(read[name].to_numpy(np.float64), expected)
    np.testing.assert_array_equal(table.labels, frame["y"])
