"""What pandas, csv, R or Excel would write of a random table is read back as it was."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.datasets import load

pytestmark = pytest.mark.once
FEW = settings(max_examples=settings.default.max_examples // 5)  # a file for each

# Whatever a reader may stumble over, between letters: no text is a number or a gap.
INNER = st.text(st.sampled_from("ab \t,;'\"#|\\.é\u2028\x85\x0b\n"), max_size=8)
CELLS = {
    "whole": st.integers(-(10**6), 10**6),
    "real": st.integers(-(10**7), 10**7).map(lambda sixteenths: sixteenths / 16),
    "text": st.builds("{}t{}z".format, st.sampled_from(["", "'", '"', "#", "# "]), INNER),
}


@st.composite
def frames(draw):
    """Whole, real and other columns with gaps, and a last one of two classes."""
    kinds = draw(st.permutations(["whole", "real"]))
    kinds += draw(st.lists(st.sampled_from(sorted(CELLS)), max_size=2))
    num_rows = draw(st.integers(6, 9))
    frame = pd.DataFrame(index=range(num_rows))
    for place, kind in enumerate(kinds):
        cells = st.none() | CELLS[kind]
        first = 0.25 if kind == "real" else draw(CELLS[kind])  # its sign can only be the decimal
        frame[f"{kind}{place}"] = pd.Series(
            [first, *(draw(cells) for _ in range(num_rows - 1))], dtype=object
        )
    classes = draw(st.sampled_from([["u v", "w"], ["0", "1"], ["0_1", "1_2"]]))
    frame["y"] = [classes[i % 2] for i in range(num_rows)]
    return frame


def number(value, decimal, thousands=""):
    """The text of a number in these signs."""
    text = f"{value:,}" if thousands else f"{value}"
    return text.translate(str.maketrans({",": thousands, ".": decimal}))


def rows_of(frame, decimal, thousands="", *, gap="", text=str):
    """The texts of the cells, row by row."""

    def cell(value):
        if value is None or value != value:
            return gap
        return text(value) if isinstance(value, str) else number(value, decimal, thousands)

    return [[cell(value) for value in row] for row in frame.astype(object).itertuples(index=False)]


def with_breaks(frame, breaks):
    """The frame with these line breaks in its texts."""
    return frame.map(lambda value: value.replace("\n", breaks) if isinstance(value, str) else value)


def assert_reads_back(folder, content, frame, names=None):
    path = folder.getbasetemp() / "written.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = load(str(path), target=-1)
    names = list(frame.columns[:-1]) if names is None else names
    assert list(table.feature_names) == names
    read = pd.DataFrame(table.features, columns=names)
    for name, written in zip(names, frame.columns, strict=False):
        if written.startswith("text"):
            texts = frame[written].fillna("").str.strip().to_list()
            assert read[name].astype("str").fillna("").to_list() == texts
        else:
            expected = frame[written].astype(float)
            np.testing.assert_array_equal(read[name].to_numpy(np.float64), expected)
    assert [table.class_names[label] for label in table.labels] == list(frame["y"])


INDICES = {
    "none": lambda n: None,
    "counted": range,
    "shuffled": lambda n: np.random.default_rng(n).permutation(n),
    "repeated": lambda n: [*range(n - 3), *range(3)],
    "texts": lambda n: [f"row {i}" for i in range(n)],
    "two": lambda n: pd.MultiIndex.from_tuples([(i // 3, i % 3) for i in range(n)]),
}


@FEW
@given(
    frames(),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["names", "numbers", "no header"]),
    st.sampled_from(sorted(INDICES)),
)
def test_of_pandas(tmp_path_factory, frame, signs, quoting, end, header, index):
    frame = with_breaks(frame, end)
    separator, decimal = signs
    typed = frame.astype({name: float for name in frame if name.startswith("real")})
    rows = INDICES["none" if header == "no header" else index](len(frame))
    typed.index = range(len(frame)) if rows is None else rows
    names = list(frame.columns[:-1])
    if header != "names":
        typed.columns = range(len(frame.columns))
        names = [f"{'x' * (header == 'no header')}{i}" for i in range(len(names))]
    text = typed.to_csv(
        sep=separator,
        decimal=decimal,
        quoting=quoting,
        lineterminator=end,
        index=rows is not None,
        header=header != "no header",
    )
    assert_reads_back(tmp_path_factory, text, frame, names)


ESCAPED = {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"}


@FEW
@given(
    frames(),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([{}, {"quoting": csv.QUOTE_ALL}, ESCAPED]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_of_csv(tmp_path_factory, frame, separator, end, quoting, mark):
    frame = with_breaks(frame, end)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, **quoting)
    # A cell that shows that quotes are escaped where they are.
    frame = frame.assign(text9=['t "x" z'] * len(frame))[[*frame.columns[:-1], "text9", "y"]]
    writer.writerows([frame.columns, *rows_of(frame, ".")])
    assert_reads_back(tmp_path_factory, mark + buffer.getvalue().encode(), frame)


def by_r(frame, separator, decimal, method, row_names):
    """R's write.table, whose header has no cell for the rows' names; its write.csv has."""

    def quoted(text):
        return '"' + text.replace('"', '\\"' if method == "escape" else '""') + '"'

    rows = rows_of(frame, decimal, gap="NA", text=quoted)
    names = list(map(quoted, frame.columns))
    if row_names:
        rows = [[quoted(str(i)), *row] for i, row in enumerate(rows, start=1)]
        names = ['""', *names] if row_names == "with a name" else names
    return "\n".join(separator.join(row) for row in [names, *rows]) + "\n"


@FEW
@given(
    frames(),
    st.sampled_from([(" ", "."), ("\t", "."), (",", "."), (";", ","), (" ", ",")]),
    st.sampled_from(["double", "escape"]),
    st.sampled_from([None, "with a name", "without"]),
)
def test_of_r(tmp_path_factory, frame, signs, method, row_names):
    frame = frame.map(lambda v: v.replace("\\", "/") if isinstance(v, str) else v)
    frame = frame.assign(text9=['t "x" z'] * len(frame))[[*frame.columns[:-1], "text9", "y"]]
    text = by_r(frame, *signs, method, row_names)
    assert_reads_back(tmp_path_factory, text, frame)


EXCELS = {
    "German": (";", ",", "."),
    "French": (";", ",", "\u202f"),
    "Swiss": (";", ".", "’"),
    "American": (",", ".", ","),
    "American, tabs": ("\t", ".", ","),
    "Spanish, tabs": ("\t", ",", "."),
}


@FEW
@given(frames(), st.sampled_from(sorted(EXCELS)), st.booleans(), st.booleans(), st.booleans())
def test_of_excel(tmp_path_factory, frame, country, grouped, says_separator, has_break):
    separator, decimal, thousands = EXCELS[country]
    if has_break:
        frame = frame.rename(columns={frame.columns[0]: frame.columns[0] + "\n(mm, %)"})
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerows([frame.columns, *rows_of(frame, decimal, thousands if grouped else "")])
    first = f"sep={separator}\r\n" if says_separator else ""
    content = b"\xef\xbb\xbf" + first.encode() + buffer.getvalue().encode()
    assert_reads_back(tmp_path_factory, content, frame)
