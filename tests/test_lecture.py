"""The table of the lectures, walked: every part has its function, proof, page, and exercise."""

import ast
import importlib
import inspect
import operator
import os
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
from jinja2.nodes import Call, Const, If, TemplateData

from experiments.lecture import texts, website
from experiments.lecture.parts import PARTS

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
EXERCISES = website.HERE / "exercises"
README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBERS = [*(f"A{i}" for i in range(1, 12)), *(f"B{i}" for i in range(1, 5))]
each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.number)


def test_the_table_has_every_part_of_both_lectures_in_order():
    assert [part.number for part in PARTS] == NUMBERS


@each_part
def test_its_functions_are_there_and_say_what_they_do(part):
    assert part.functions
    for name in part.functions:
        module, function = name.split(".", 1)
        found = operator.attrgetter(function)(importlib.import_module(f"jaxlr.{module}"))
        assert found.__doc__, name


@each_part
def test_its_proofs_are_there(part):
    assert part.tests
    for test in part.tests:
        assert re.search(r"^ +assert |assert_|raises", texts.source_of(test), re.MULTILINE), test


@each_part
def test_its_script_asks_finds_computes_and_draws(part):
    script = website.script(part)
    assert script.__doc__.startswith(f"{part.number}. ")
    assert re.search(r"^Question: \w.*\?", script.__doc__, re.MULTILINE | re.DOTALL)
    assert re.search(r"^Finding: \w", script.__doc__, re.MULTILINE)
    assert list(inspect.signature(script.facts).parameters) == ["mail"]
    assert list(inspect.signature(script.figures).parameters) == ["facts", "say"]
    assert script.facts.__doc__
    assert script.figures.__doc__


def cyrillic(text):
    return bool(re.search("[а-яё]", text, re.IGNORECASE))


def spoken_in_markdown(text):
    """Pairs of what a template says in English and in Russian, by say(…) and by {% if en %}."""
    tree = jinja2.Environment().parse(text)

    def strings(node):
        found = [node] if isinstance(node, Const) else node.find_all(Const)
        return " ".join(str(one.value) for one in found)

    def prose(side):
        return " ".join(data.data for node in side for data in node.find_all(TemplateData))

    for call in tree.find_all(Call):
        if getattr(call.node, "name", "") == "say" and not call.dyn_args:
            english, russian = call.args
            yield strings(english), strings(russian)
    for branch in tree.find_all(If):
        if getattr(branch.test, "name", "") == "en":
            yield prose(branch.body), prose(branch.else_)


def spoken_in_python(text):
    """The same of a script's say(…)."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            if any(isinstance(arg, ast.Starred) for arg in node.args):
                continue  # a pair from elsewhere
            yield tuple(map(constants, node.args))


def constants(tree):
    found = [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)]
    return " ".join(value for value in found if isinstance(value, str))


def wrongs(pairs):
    """The pairs that leave a language out; a name or a formula may be the same in both."""
    same = re.compile(r"\S+|(?!.*[a-z]{4}).+")
    pairs = [(en, ru) for en, ru in pairs if en != ru or not same.fullmatch(en)]
    return [(en, ru) for en, ru in pairs if cyrillic(en) or not en.strip() or not cyrillic(ru)]


@each_part
def test_its_text_and_its_figures_speak_both_languages(part):
    text = (texts.TEXTS / f"{part.name}.md").read_text(encoding="utf-8")
    pairs = list(spoken_in_markdown(text))
    assert len(pairs) >= 3
    lost = re.compile(r"[\x00-\x09\x0b-\x1f]|\n[a-z]")  # \tau, \nabla: their \ needs another
    assert not [said for pair in pairs for said in pair if lost.search(said)]
    assert wrongs(pairs) == []
    assert wrongs(spoken_in_python(inspect.getsource(website.script(part)))) == []
    assert not cyrillic(part.title[0])
    assert cyrillic(part.title[1])
    for helper in ("question(", "finding(", "exercise("):
        assert helper in text, helper
    assert ("play()" in text) == bool(part.play)


@pytest.mark.parametrize("name", ["index.md", "part.md"])
def test_what_all_pages_share_speaks_both_languages(name):
    assert wrongs(spoken_in_markdown((texts.TEXTS / name).read_text(encoding="utf-8"))) == []


def test_a_language_left_out_is_seen():
    for said in ('say("a", "")', 'say("", "б")', 'say("a loss", "a loss")', 'say("б", "в")'):
        assert wrongs(spoken_in_markdown("{{ " + said + " }}")), said
        assert wrongs(spoken_in_python(said)), said
    assert wrongs(spoken_in_markdown("{% if en %}a{% endif %}"))
    assert not wrongs(spoken_in_markdown('{% if en %}a{% else %}б{% endif %}{{ say("a", "б") }}'))


@each_part
def test_its_picture_to_play_with_is_there_and_tested(part):
    if part.play:
        code = (website.HERE / "play" / f"{part.play}.js").read_text(encoding="utf-8")
        assert re.search(r"^export function mount\(root, data\)", code, re.MULTILINE)
        assert (ROOT / "tests" / f"test_lecture_{part.play}.py").exists()


def public(path):
    """{function: its arguments} of a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return {f.name: ast.dump(f.args) for f in functions if not f.name.startswith("_")}


@each_part
def test_its_exercise_has_a_test_and_a_solution_of_the_same_shape(part):
    turn = public(EXERCISES / f"{part.name}.py")
    solved = public(EXERCISES / "solutions" / f"{part.name}.py")
    assert turn
    assert turn.items() <= solved.items()
    asked = (EXERCISES / f"test_{part.name}.py").read_text(encoding="utf-8")
    assert all(f"turn.{name}" in asked for name in turn)


def outcomes(*options):
    """{test: how it ended} of the exercises."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, str(EXERCISES), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "300"},  # so that the reason of a failure has room
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED) \S*/(\S+?)(?: - (.*))?$", ran.stdout, re.M)
    assert found, ran.stdout + ran.stderr
    return {name: (end, why) for end, name, why in found}


def test_exercises_wait_for_the_student():
    ends = outcomes()
    assert {name.split("::")[0] for name in ends} == {f"test_{part.name}.py" for part in PARTS}
    for name, (end, why) in ends.items():
        assert (end, why) == ("FAILED", "NotImplementedError: your turn"), name


def test_the_solutions_pass():
    ends = outcomes("--solutions")
    assert {name.split("::")[0] for name in ends} == {f"test_{part.name}.py" for part in PARTS}
    assert {end for end, _ in ends.values()} == {"PASSED"}, ends


@each_part
def test_the_readmes_table_leads_to_its_page(part):
    rows = re.findall(rf"^\| {part.number} .*$", README, re.MULTILINE)
    assert any(part.name in row for row in rows), rows


def test_a_part_that_is_not_there_is_one_line(capsys, tmp_path):
    from experiments.lecture.__main__ import main

    assert main(["--parts", "A10", "a99", "--out", str(tmp_path / "site")]) == 2
    assert "--parts a99: no such part; there are a1 a2 " in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
