"""What is a number: one grammar in every format, and signs that each column has for itself."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets import DataError, load
from experiments.datasets.formats import numerals

pytestmark = pytest.mark.once

NO_NUMBERS = [
    "0_1",
    "1_0.5",
    "0x1F",
    "1e",
    "e5",
    "1d5",
    ".",
    "+",
    "--1",
    "٣",
    "１",
    "½",
    "",
]


def is_plain(text):
    """Python's float, without the liberties that it takes."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text and text == text.strip()


@given(st.text(st.sampled_from("0123456789+-.eE_ xnaif٣"), max_size=7) | st.floats().map(repr))
def test_a_number_is_what_float_takes_in_plain_ascii(text):
    assert numerals.is_number(text) == is_plain(text)
    column = numerals.numbers(pa.chunked_array([[text, None]]))
    assert (column is not None) == is_plain(text)
    if column is not None:
        np.testing.assert_array_equal(column[0].as_py(), float(text))


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number(text):
    assert not numerals.is_number(text)
    assert numerals.numbers(pa.chunked_array([[text]])) is None


def csv(folder, header, *rows, separator=";"):
    path = folder / "data"
    path.write_text("\n".join([header, *(separator.join(row) for row in rows)]))
    return str(path)


@pytest.mark.parametrize(
    "classes",
    [["0_1", "1_2", "2_3"], ["2010_11", "2011_12"], ["٣", "٤"], ["0x1", "0x2"], ["1e", "2e"]],
)
def test_classes_that_float_might_take_for_numbers_stay_texts(tmp_path, classes):
    names = [classes[i % len(classes)] for i in range(12)]
    table = load(csv(tmp_path, "p;y", *((str(i), name) for i, name in enumerate(names))))
    assert [table.class_names[label] for label in table.labels] == names
    path = tmp_path / "libsvm"
    path.write_text("".join(f"{name} 1:{i} 3:2\n" for i, name in enumerate(names)))
    table = load(str(path))
    assert [table.class_names[label] for label in table.labels] == names
    np.testing.assert_array_equal(table.features[:, 0], np.arange(12))


@pytest.mark.parametrize("entry", ["3:2_0", "3_0:2", "٣:2", "3:0x2", "3:²"])
def test_libsvm_has_the_same_grammar(tmp_path, entry):
    path = tmp_path / "data.svm"
    path.write_text("1 1:2 2:0.5\n" * 9 + f"0 1:1 {entry}\n")
    with pytest.raises(DataError, match=f"line 10: '{entry}' is no index:value; write a whole"):
        load(str(path))


def test_a_column_number_has_the_same_grammar(tmp_path):
    path = csv(tmp_path, "p;q;y", *((str(i), str(i * i), "ab"[i % 2]) for i in range(9)))
    with pytest.raises(DataError, match="--target: no column '0_1'; the columns are 'p', 'q', 'y'"):
        load(path, target="0_1")


WORDS = "inf", "sup"


def test_words_for_failed_numbers_make_no_column_numeric(tmp_path):
    table = load(csv(tmp_path, "p;y", *((str(i), WORDS[i % 2]) for i in range(8))))
    assert table.class_names == WORDS
    with pytest.raises(DataError, match="column 'y' is inf in row 1"):
        load(csv(tmp_path, "p;y", *((str(i), "inf") for i in range(8))))


def test_leading_zeros_are_no_text_unless_asked_for(tmp_path):
    path = csv(tmp_path, "zip;y", *((f"00{i % 3}", "ab"[i % 2]) for i in range(8)))
    table = load(path)
    np.testing.assert_array_equal(table.features[:, 0], np.arange(8) % 3)
    assert table.notes == ("'zip': leading zeros are lost; --categorical keeps them",)
    table = load(path, categorical=["zip"])
    assert list(table.features["zip"].cat.categories) == ["000", "001", "002"]
    assert table.notes == ()


# The cells of a column, their values, and what is said of them.
COLUMNS = {
    "decimal comma": (["1,5", "2", "-0,25"], [1.5, 2, -0.25], "a decimal comma"),
    "German": (["1.234,5", "-7"], [1234.5, -7], "a decimal comma and points between thousands"),
    "French": (["1\u202f234,5", "1 000"], [1234.5, 1000], "a decimal comma and blanks between"),
    "Swiss": (["1'234.5", "1’000"], [1234.5, 1000], "apostrophes between thousands"),
    "American": (["1,234,567", "2,000.5"], [1234567, 2000.5], "commas between thousands"),
    "Indian": (["1,00,000", "12,34,567.5"], [100000, 1234567.5], "commas between thousands"),
    "millions": (["1.234.567", "12"], [1234567, 12], "a decimal comma and points between"),
    "exponents": (["1,5e3", "2E-1"], [1500, 0.2], "a decimal comma"),
    "a zero in front": (["0,125", "0,250"], [0.125, 0.25], "a decimal comma"),
    "gaps": (["1,5", "NA", ""], [1.5, np.nan, np.nan], "a decimal comma"),
}


@pytest.mark.parametrize("case", COLUMNS)
@pytest.mark.parametrize("separator", [";", "\t", '","'])
def test_each_column_has_its_own_signs(tmp_path, case, separator):
    cells, values, said = COLUMNS[case]
    rows = [("01.03.2021", "0.5", cells[i % len(cells)], "ab"[i % 2]) for i in range(12)]
    if separator == '","':  # all cells quoted
        rows = [(f'"{first}', *rest[:-1], f'{rest[-1]}"') for first, *rest in rows]
    header = separator.join(["date", "p", "q", "y"])
    header = f'"{header}"' if separator == '","' else header
    table = load(csv(tmp_path, header, *rows, separator=separator))
    np.testing.assert_array_equal(table.features["q"], np.resize(values, 12))
    np.testing.assert_array_equal(table.features["p"], 0.5)
    assert list(table.features["date"].cat.categories) == ["01.03.2021"]
    assert f"'q': numbers with {said}" in table.notes[0]


# Two columns, the caller's choice, how the first is read, and whether that is said to be a guess.
EITHER = {
    "a comma after semicolons": ("1,234", "7", None, 1.234, True),
    "a point after semicolons": ("1.234", "7", None, 1.234, False),
    "both": ("1.234", "1,5", None, 1234, True),
    "as the other columns": ("1,234", "1.5", None, 1234, True),
    "as the caller says": ("1,234", "7", ".", 1234, False),
    "against the others": ("1.234", "1,5", ".", 1.234, False),
    "not in doubt": ("1,23", "7", ".", 1.23, False),
    "blanks alone": ("1 234", "1,5", None, 1234, False),
}


@pytest.mark.parametrize("case", EITHER)
def test_what_could_be_either_goes_by_the_rule(tmp_path, case):
    cell, other, decimal, value, is_guess = EITHER[case]
    rows = [(cell, other, "ab"[i % 2]) for i in range(8)]
    table = load(csv(tmp_path, "p;q;y", *rows), decimal=decimal)
    np.testing.assert_array_equal(np.asarray(table.features)[:, 0], value)
    assert any("a guess that --decimal overrules" in note for note in table.notes) == is_guess


def test_quoted_thousands_in_a_file_of_commas(tmp_path):
    rows = [(f'"{i + 1},100"', "ab"[i % 2]) for i in range(8)]
    table = load(csv(tmp_path, "p,y", *rows, separator=","))
    np.testing.assert_array_equal(table.features[:, 0], 1000 * np.arange(1, 9) + 100)


def test_texts_of_parquet_are_read_alike(tmp_path):
    columns = {"p": [f"{i},5" for i in range(8)], "y": ["0_1", "1_2"] * 4}
    pa.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = load(str(tmp_path / "a.parquet"))
    np.testing.assert_array_equal(table.features[:, 0], np.arange(8) + 0.5)
    assert table.class_names == ("0_1", "1_2")


def test_signs_may_be_kept_as_categories(tmp_path):
    rows = [(f"{i % 2},0", "1.5", "ab"[i % 2]) for i in range(8)]
    table = load(csv(tmp_path, "p;q;y", *rows), categorical=["p"])
    assert list(table.features["p"].cat.categories) == ["0,0", "1,0"]
    assert table.notes == ()


# What nearly is a column of numbers, and what is said of it.
NEARLY = {
    "dollars": (["$1.50", "$2"], r"texts that would be numbers without '\$'; take that out"),
    "euros": (["1,50 €", "2 €"], "texts that would be numbers without '€'"),
    "percents": (["1.5%", "(2)%"], r"texts that would be numbers without '%', '\(', '\)'"),
    "typeset minus": (["−1.5", "2"], "texts that would be numbers without '−'"),
}


@pytest.mark.parametrize("case", NEARLY)
def test_texts_that_nearly_are_numbers_are_mentioned(tmp_path, case):
    cells, said = NEARLY[case]
    rows = [(cells[i % len(cells)], "ab"[i % 2]) for i in range(12)]
    if case == "typeset minus":
        rows += [(cells[0], "a")] * 12  # fewer than half are plain
    table = load(csv(tmp_path, "p;y", *rows))
    assert list(table.features["p"])[: len(cells)] == cells
    with pytest.raises(ValueError, match=f"^'p': {said}"):
        raise ValueError(table.notes[0])


SLIPS = {
    "a slip": (["1,5", "2,5", "k.A."], r"row 3 \('k.A.'\)"),
    "mixed signs": (["1,5", "2,5", "0.25"], r"row 1 \('1,5'\)"),
}


@pytest.mark.parametrize("case", SLIPS)
def test_where_most_cells_are_numbers_in_any_signs_the_others_are_slips(tmp_path, case):
    cells, said = SLIPS[case]
    path = csv(tmp_path, "p;y", *((cells[i % 3], "ab"[i % 2]) for i in range(12)))
    with pytest.raises(DataError, match=f"column 'p' is text in {said} where numbers belong"):
        load(path)
    values = load(path, missing_values=[cells[2]]).features["p"]
    np.testing.assert_array_equal(values[:3], [1.5, 2.5, np.nan])


def test_an_unknown_decimal_sign_is_told(tmp_path):
    with pytest.raises(DataError, match=r"--decimal ';' is unknown; choose ., ,"):
        load("iris", decimal=";")


@pytest.mark.parametrize("day", ["10.01.2020", "1.02.2020", "31.12.1999", "10,01,2020"])
def test_a_date_is_no_number_with_signs_between_its_digits(day, tmp_path):
    assert not numerals.looks_numeric(day)
    days = [day.replace("1", str(1 + i % 9)) for i in range(30)]
    frame = pd.DataFrame({"day": days, "a": np.arange(30) * 7 % 11, "y": np.arange(30) % 2})
    frame.to_csv(tmp_path / "days.csv", index=False, sep=";")
    table = load(tmp_path / "days.csv")
    assert isinstance(table.features["day"].dtype, pd.CategoricalDtype)
