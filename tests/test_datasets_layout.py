"""How a text is cut: names, row names, quotes, line ends, comments. What was written is known."""

import io

import numpy as np
import pandas as pd
import pytest

from experiments.datasets import DataError, load

pytestmark = pytest.mark.once

ROWS = 12
P, Q = np.arange(ROWS) / 4, np.arange(ROWS) ** 2
LABELS = np.arange(ROWS) % 2


def lines(row, first=""):
    """A text of ROWS lines, each from its number, below the first."""
    return first + "".join(row(i) + "\n" for i in range(ROWS))


def loaded(folder, text, **choices):
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(str(path), **choices)


def assert_is_the_example(table, names=("p", "q"), target="y"):
    assert table.feature_names == names
    assert table.target == target
    np.testing.assert_array_equal(table.features, np.column_stack([P, Q]))
    np.testing.assert_array_equal(table.labels, LABELS)


FRAME = pd.DataFrame({"p": P, "q": Q, "y": LABELS})
ROW_NAMES = {
    "counted": range(ROWS),
    "counted from 1": range(1, ROWS + 1),
    "shuffled": np.random.default_rng(0).permutation(ROWS),
    "repeated": [*range(8), *range(4)],
    "texts": [f"row {i}" for i in range(ROWS)],
    "dates": pd.date_range("2020-01-01", periods=ROWS),
    "two levels": pd.MultiIndex.from_product([["u", "v"], range(6)]),
}


@pytest.mark.parametrize("case", ROW_NAMES)
@pytest.mark.parametrize(
    "names", [["p", "q", "y"], ["0", "1", "2"], ["x0", "x1", "y"], ["0", "1", "y"]]
)
def test_an_index_that_pandas_wrote_is_left_out_and_that_is_said(tmp_path, case, names):
    frame = FRAME.set_axis(names, axis=1).set_axis(ROW_NAMES[case], axis=0)
    table = loaded(tmp_path, frame.to_csv())
    assert_is_the_example(table, names=tuple(names[:2]), target=names[2])
    assert any(note.startswith("left out as names of the rows: 'x0") for note in table.notes)


def test_an_index_saved_twice_is_left_out(tmp_path):
    text = pd.read_csv(io.StringIO(FRAME.to_csv())).to_csv()
    table = loaded(tmp_path, text)
    assert_is_the_example(table)
    assert "left out as names of the rows: 'x0', 'Unnamed: 0', nameless in the file" in table.notes


def test_an_index_may_be_asked_for(tmp_path):
    text = FRAME.set_axis(ROW_NAMES["repeated"], axis=0).to_csv()
    assert loaded(tmp_path, text, target=0).task == "regression"
    assert list(loaded(tmp_path, text, categorical=[0]).features) == ["x0", "p", "q"]
    assert "left out" not in str(loaded(tmp_path, text, drop=["x0"]).notes)


def test_a_nameless_first_column_that_is_the_only_feature_stays(tmp_path):
    table = loaded(tmp_path, lines(lambda i: f"{i // 2},{i % 2}", ",y\n"))
    np.testing.assert_array_equal(table.features[:, 0], np.arange(ROWS) // 2)


def test_a_nameless_first_column_of_measurements_is_a_feature(tmp_path):
    table = loaded(tmp_path, lines(lambda i: f"{P[i]},{Q[i]},{i % 2}", ",q,y\n"))
    assert_is_the_example(table, names=("x0", "q"))


R_TABLES = {
    "quoted": ('"p" "q" "y"\n', '"{i}" {p} {q} "{y}"'),
    "unquoted": ("p q y\n", "{i} {p} {q} {y}"),
    "tabs": ("p\tq\ty\n", "row{i}\t{p}\t{q}\t{y}"),
    "with a name": ('"","p","q","y"\n', '"{i}",{p},{q},{y}'),
}


@pytest.mark.parametrize("case", R_TABLES)
def test_names_of_rows_that_r_wrote_are_left_out(tmp_path, case):
    first, row = R_TABLES[case]
    text = lines(lambda i: row.format(i=i, p=P[i], q=Q[i], y=i % 2), first)
    table = loaded(tmp_path, text)
    assert_is_the_example(table)
    assert "left out as names of the rows: 'x0', nameless in the file" in table.notes
    if case != "with a name":
        with pytest.raises(DataError, match="ragged: line 2 has 4 cells where 3 are expected"):
            loaded(tmp_path, text, header=False)


def test_separators_that_end_the_rows_alone_make_no_row_names(tmp_path):
    assert_is_the_example(loaded(tmp_path, lines(lambda i: f"{P[i]},{Q[i]},{i % 2},", "p,q,y\n")))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", " "])
def test_a_header_is_a_row_that_may_take_several_lines(tmp_path, end, separator):
    header = separator.join(["p", '"width\n(mm), ""net"""', "y"])
    text = lines(lambda i: separator.join(map(str, (P[i], Q[i], i % 2))), header + "\n")
    table = loaded(tmp_path, text.replace("\n", end))
    assert_is_the_example(table, names=("p", f'width{end}(mm), "net"'))


# Characters at which str.splitlines would end a line.
@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
@pytest.mark.parametrize("separator", [",", " "])
def test_no_other_character_ends_a_line(tmp_path, mark, separator):
    row = f"{separator}u{mark}v{separator}"
    table = loaded(
        tmp_path, lines(lambda i: f"{i}{row}{'ab'[i % 2]}", f"p{separator}c{mark}{separator}y\n")
    )
    assert set(table.features["c"]) == {f"u{mark}v"}


def test_lines_of_libsvm_end_alike(tmp_path):
    text = lines(lambda i: f"a\u2028{i % 2} 1:{i} 2:1")
    assert loaded(tmp_path, text).class_names == ("a\u20280", "a\u20281")
    for end in ("\r", "\r\n"):
        table = loaded(tmp_path, text.replace("\n", end))
        np.testing.assert_array_equal(table.features[:, 0], range(ROWS))


TEXTS = {
    "apostrophes": ["'t Hooft", "'n Sync'", "who's", "o'", "'"],
    "inches": ['5" pipe', '6"', "7' 2\""],
    "a quoted word": ['"Big" Jim', '"Big" and "Small"'],
    "opened only": ['"Nice', "plain", "also"],
    "opened everywhere": ['"Nice'],
    "closed only": ['nice"', "plain"],
    "opened and closed": ['"Nice', 'good"', "plain"],
    "opened and closed at once": ['"Nice', 'good"'],
}


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("names", ["who's,what's,target", "p,c,y", "'p,'c,'y"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_quote_that_does_not_enclose_a_cell_is_a_letter(tmp_path, case, names, separator):
    texts = [TEXTS[case][i % len(TEXTS[case])] for i in range(ROWS)]
    text = lines(lambda i: f"{i},{texts[i]},{'ab'[i % 2]}", f"{names}\n").replace(",", separator)
    table = loaded(tmp_path, text)
    assert list(table.features.iloc[:, 1]) == texts
    assert [*table.feature_names, table.target] == names.split(",")
    np.testing.assert_array_equal(table.labels, LABELS)


def test_single_quotes_may_enclose_what_separates(tmp_path):
    text = lines(lambda i: f"{P[i]},'it''s, {i % 2}','{'ab'[i % 2]}'", "'p','c','y'\n")
    assert list(loaded(tmp_path, text).features["c"])[:2] == ["it's, 0", "it's, 1"]


def test_single_quotes_enclose_nothing_where_one_is_a_letter(tmp_path):
    text = lines(lambda i: f"{P[i]},{['who', chr(39) + 't Hooft'][i % 2]},{i % 2}", "'p',c,y\n")
    table = loaded(tmp_path, text)
    assert table.feature_names == ("'p'", "c")
    assert list(table.features["c"])[:2] == ["who", "'t Hooft"]


def test_quotes_within_quotes_may_be_escaped(tmp_path):
    text = lines(lambda i: rf'"{i}" {P[i]} "a \"b\", C:\d {i % 2}" {i % 2}', '"p" "c" "y"\n')
    assert set(loaded(tmp_path, text).features["c"]) == {rf'a "b", C:\d {i}' for i in (0, 1)}


def test_blanks_around_and_within_quoted_cells(tmp_path):
    text = lines(lambda i: f'{P[i]} , "u,  v" , {i % 2}', "p, c, y\n")
    assert set(loaded(tmp_path, text).features["c"]) == {"u,  v"}
    text = lines(lambda i: f'  {P[i]}   "u  v"\t{i % 2}  ', "p  c   y\n")
    assert set(loaded(tmp_path, text).features["c"]) == {"u  v"}


def test_the_separator_is_the_one_that_makes_numbers(tmp_path):
    text = "n\tp\tc\ty\n0\t0.25\t# z\t0\n" + "\t\t\t1\n" * 2 + "0\t0.5\tz\t1\n" * 4
    assert list(loaded(tmp_path, text).features["c"].dropna())[:2] == ["# z", "z"]
    text = lines(lambda i: f"{P[i]} {Q[i]},0 {i % 2}".replace(".", ","), "p q y\n")
    assert_is_the_example(loaded(tmp_path, text))
    assert_is_the_example(
        loaded(tmp_path, lines(lambda i: f"{P[i]}, {Q[i]}, {i % 2}", "p, q, y\n"))
    )


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("first", ["sep={}\r\n", '"SEP={}"\n', "\nsep={}\n\n"])
def test_the_line_that_tells_excel_the_separator_is_heeded(tmp_path, separator, first):
    row = "{p},{q},{y}".replace(",", separator)
    text = lines(lambda i: row.format(p=P[i], q=Q[i], y=i % 2), "p,q,y\n".replace(",", separator))
    assert_is_the_example(loaded(tmp_path, first.format(separator) + text))
    if separator != "|":
        assert_is_the_example(loaded(tmp_path, first.format("|") + text))


NUMBERS = lines(lambda i: f"{P[i]},{Q[i]},{i % 2}")
COMMENTED = {
    "above": "# made by hand, in a hurry\n# for nobody\np,q,y\n" + NUMBERS,
    "as wide as the table": "# one, two, three\np,q,y\n" + NUMBERS,
    "between blank lines": "#\n\n# x\r\n\np,q,y\n" + NUMBERS,
    "with the names, as savetxt writes them": "# p,q,y\n" + NUMBERS,
    "blanks": "# p q y\n" + NUMBERS.replace(",", " "),
}


@pytest.mark.parametrize("case", COMMENTED)
def test_comments_above_the_table_are_no_rows(tmp_path, case):
    assert_is_the_example(loaded(tmp_path, COMMENTED[case]))


def test_comments_within_the_table_are_left_out_when_asked(tmp_path):
    text = NUMBERS.replace("\n", "\n# x, y\n", 1)
    with pytest.raises(DataError, match=r"line 3 has 2 cells .* lines with --comment '#'"):
        loaded(tmp_path, "p,q,y\n" + text + "# end\n")
    assert_is_the_example(loaded(tmp_path, "p,q,y\n" + text + "# end\n", comment="#"))
    assert_is_the_example(
        loaded(tmp_path, "% a\np,q,y\n" + NUMBERS.replace("\n", "\r"), comment="%")
    )
    with pytest.raises(DataError, match="or leave out such lines with --comment '%'"):
        loaded(tmp_path, "% a, b\np,q,y\n" + NUMBERS)
    with pytest.raises(DataError, match="holds no cells beside comments; give rows"):
        loaded(tmp_path, "#a\n#b\n", comment="#")


def test_a_sign_that_might_begin_a_comment_may_begin_a_cell(tmp_path):
    colours = lines(lambda i: f"#ff000{i % 3},{Q[i]},{i % 2}")
    assert len(loaded(tmp_path, colours).labels) == ROWS
    table = loaded(tmp_path, "#,q,y\n" + NUMBERS)
    assert_is_the_example(table, names=("#", "q"))


@pytest.mark.parametrize("above", ["", "\n\n", "# a\n", "sep=,\n"])
def test_a_ragged_line_is_told_by_its_number_in_the_file(tmp_path, above):
    text = f'{above}p,c,y\n\n1,"two\nlines",0\n2,x,1\n\n3,4\n' + "5,x,1\n" * 9
    with pytest.raises(DataError, match=rf"line {above.count(chr(10)) + 7} has 2 cells where 3"):
        loaded(tmp_path, text)


def test_a_line_of_blanks_is_no_row(tmp_path):
    assert_is_the_example(loaded(tmp_path, "p,q,y\n" + NUMBERS + "   \n\t\n"))


CLASSES = {
    "one of them": (["None", "mild"], "target 'y' is missing in row 1, where 'None' is a missing"),
    "both": (["NA", "None"], "target 'y' is missing in row 1, where 'NA', 'None' is a missing"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_classes_that_read_as_missing_are_told_and_can_be_kept(tmp_path, case):
    classes, said = CLASSES[case]
    text = lines(lambda i: f"{P[i]},{Q[i]},{classes[i % 2]}", "p,q,y\n")
    with pytest.raises(DataError, match=said + " value; .* mean one with --missing-values"):
        loaded(tmp_path, text)
    assert loaded(tmp_path, text, missing_values=["?"]).class_names == tuple(classes)


def test_a_class_dropped_as_missing_is_mentioned(tmp_path):
    classes = ["None", "mild", "bad"]
    text = lines(lambda i: f"{P[i]},{Q[i]},{classes[i % 3]}", "p,q,y\n")
    table = loaded(tmp_path, text, missing="drop")
    assert table.class_names == ("bad", "mild")
    assert "'y': 'None' is a missing value; --missing-values says which texts are" in table.notes
