"""The page and the leaderboard: well-formed, self-contained, and plain about what happened."""

import ast
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from experiments.kit import words
from experiments.kit.pages import macros
from experiments.kit.report import classes, examine, ranking
from experiments.sweep import choosing, headline, leaderboard, page, study
from tests.report_cases import CASES, CLOCK, case, make_summary

pytestmark = pytest.mark.once

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """{case: page}."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    ends = (
        dict.fromkeys(("roc", "precision_recall"), of(ranking.GRID))
        for of in (np.zeros_like, np.ones_like)
    )
    flat = SimpleNamespace(**dict(zip(("low", "high"), ends, strict=True)))
    for name in CASES:
        problem, plan, findings = case(name)
        path = folder / f"{name}.html"
        with pytest.MonkeyPatch.context() as patch:
            if name not in {
                "ten classes",
                "binary",
            }:  # a program less for each other number of rows
                patch.setattr(ranking, "_bands", lambda _: flat)
            page.write(path, problem, plan, findings, None, make_summary(problem, plan), CLOCK)
        made[name] = path.read_text(encoding="utf-8")
    return made


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_well_formed_and_needs_nothing_else(pages, name):
    page = pages[name]
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    ids = Counter(node.get("id") for node in root.iter() if node.get("id"))
    assert set(ids.values()) == {1}
    assert root.find(".//script") is None
    # Whatever is referred to lies in the file: an id of it, or data in place.
    for node in root.iter():
        for name, value in node.attrib.items():
            if name.split("}")[-1] in {"href", "src"}:
                assert value.startswith("data:") or value.removeprefix("#") in ids
            for reference in re.findall(r"url\(([^)]*)\)", value):
                assert reference.removeprefix("#") in ids
    assert "@import" not in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).lower().split()


@pytest.mark.parametrize("name", CASES)
def test_every_figure_says_in_words_what_it_shows(pages, name):
    root = ElementTree.fromstring(pages[name].removeprefix("<!DOCTYPE html>\n"))
    figures = root.findall(".//figure")
    assert figures
    for figure in figures:
        assert re.search(r"\d", "".join(figure.find("figcaption").itertext()))
        for svg in figure.iter(f"{SVG}svg"):
            title = svg.find(f"{SVG}title")
            assert svg.get("aria-labelledby") == title.get("id")
            assert len(title.text) > 20


def test_weights_are_told_as_rows_they_are_worth(pages):
    weights = case("ten classes")[0].test.weights.astype(np.float64)
    rows = weights.sum() ** 2 / (weights @ weights)
    said = re.search(
        r"By their weights they are worth ([\d.]+) rows of equal weight", pages["ten classes"]
    )
    assert float(said[1]) == pytest.approx(rows, rel=0.01)
    assert "Kish" not in pages["binary"]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_a_confusion_matrix_counts_weights_of_any_size(scale):
    problem, _, findings = case("binary")
    rows = examine.classified(problem, findings.test)
    rows = rows._replace(weights=rows.weights * scale, confusion=rows.confusion * scale)
    right, total = np.trace(rows.confusion), rows.confusion.sum()
    names, said = problem.table.class_names, macros("tested.html", plain=True)
    said = said.confusion(rows, names, classes.mistakes(rows))
    kind = "" if scale == 1 else "weight "
    assert f"prediction: {kind}{number(right)} of {number(total)} on the" in said


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:#.3g}"


def test_figures_follow_the_theme(pages):
    for text in pages.values():
        used = set(re.findall(r"var\(--(\w+)\)", text))
        css = text[: text.index("</style>")]
        assert used <= set(re.findall(r"--(\w+):", css))
        assert not re.findall("#00000[1-6]", text)
    assert "fill: var(--ink)" in pages["binary"]


def test_the_same_findings_give_the_same_bytes(pages, tmp_path):
    problem, plan, findings = case("binary")
    again, summary = tmp_path / "again.html", make_summary(problem, plan)
    page.write(again, problem, plan, findings, None, summary, CLOCK)
    assert again.read_text(encoding="utf-8") == pages["binary"]


def test_a_page_where_all_diverged_says_so(pages):
    page = pages["all diverged"]
    assert "No setting can be chosen: every configuration diverged." in page
    assert "All 18 lanes diverged" in page
    assert "The test rows were not touched" in page
    assert 'id="test"' not in page
    assert "over-momentum-title" in page  # the landscape of crosses


def test_settings_are_weighed_where_some_were_compared(pages):
    assert "A random forest predicts the ranks of 24 configurations" in pages["ten classes"]
    for name, text in pages.items():
        assert ('id="importance"' in text) == (name not in {"one", "all diverged"})
        assert ('id="parallel-title"' in text) == (name not in {"one", "all diverged"})
        assert 'id="rungs"' not in text  # all went on to the end


def test_strange_names_are_text_not_markup(pages):
    page = pages["groups"]
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;amp;" in page
    assert "漢字" in page
    drawn = re.search(r"<svg[^>]*confusion-title.*?</svg>", page, re.DOTALL)[0]
    assert "$x_1$" in drawn
    assert "made &amp; &lt;kept&gt;" in page


def test_sentences_are_one_line_of_html_or_of_plain_text():
    names = ["<b>", "a\n  & b"]
    assert macros("path/words.html").quoted(names) == "“&lt;b&gt;” and “a &amp; b”"
    assert macros("path/words.html", plain=True).quoted(names) == "“<b>” and “a & b”"
    apart = macros("parts.html").pairs("", {"a": "1\N{NO-BREAK SPACE}s"})
    assert ">1\N{NO-BREAK SPACE}s<" in apart  # a number and its unit stay on one line


def test_drawing_uses_no_global_figure():
    for path in Path(page.__file__).parents[1].glob("[!bl]*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert (
                "pyplot" not in ast.dump(node)
                if isinstance(node, ast.Import | ast.ImportFrom)
                else True
            )


# The leaderboard.


def test_the_leaderboard_ranks_by_mean_and_counts_the_rest():
    *_, findings = case("ten classes")
    lines = leaderboard.leaderboard(findings.configs, "log_loss", most=4).splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["1", "2", "3", "4"]
    means = [float(re.search(r"(\d\.\d+) ± ", line)[1]) for line in lines[2:6]]
    np.testing.assert_allclose(means, np.sort(findings.configs["mean"].dropna())[:4], atol=1e-3)
    finite = findings.lanes.groupby("config")["val_log_loss"].agg(lambda v: v.notna().all()).sum()
    assert lines[6] == (
        f"and {finite - 4} more configurations and {24 - finite} diverged on at least one fold"
    )
    assert len({line.rindex(" ") for line in lines[2:6]}) == 1  # columns stand under each other


def test_the_leaderboard_names_static_settings_only_where_they_vary():
    varied = leaderboard.leaderboard(case("groups")[2].configs, "log_loss").splitlines()[0]
    same = leaderboard.leaderboard(case("binary")[2].configs, "log_loss").splitlines()[0]
    assert "model  optimizer  batch size" in re.sub(" +", "  ", varied).replace(
        "batch  s", "batch s"
    )
    assert "optimizer" not in same


def test_the_leaderboard_of_the_diverged():
    text = leaderboard.leaderboard(case("all diverged")[2].configs, "log_loss")
    assert text == "No configuration stayed finite: all 6 diverged."


def test_the_chosen_row_is_on_the_page_even_below_the_tenth():
    *_, findings = case("binary")
    late = findings.configs[findings.configs["mean"].notna()].iloc[13]
    moved = study.Findings(**{**vars(findings), "chosen": late.to_dict()})
    told = page.board(moved, "log_loss")
    table = macros("parts.html").table(told["head"], told["rows"], "", 0, told["marked"])
    marked = re.findall(r'<tr class="marked">.*?</tr>', table)
    assert len(marked) == 1
    assert '<th scope="row" class="n">14</th>' in marked[0]


def test_a_choice_that_is_not_the_best_tells_the_best():
    problem, _, findings = case("binary")
    best, other = findings.configs.iloc[0], findings.configs.iloc[1].to_dict()
    said = headline.why(problem, study.Findings(**{**vars(findings), "chosen": other}))
    assert f"of the lowest, {words.plus_minus(best['mean'], best['se'])}." in said


def test_near_best_counts_those_within_one_standard_error():
    means = [0.30, 0.31, 0.33, 0.36, np.nan]
    configs = pd.DataFrame({"mean": means, "se": [0.04, 9.0, 9.0, 9.0, np.nan]})
    assert choosing.near_best(configs)["mean"].tolist() == [0.30, 0.31, 0.33]
