"""Texts in both languages, filled with what the scripts computed, as Markdown for the generator.

A text is a jinja2 template: `say(english, russian)` chooses, `{% if en %}…{% else %}…{% endif %}`
chooses among longer passages, `{{ name }}` is a fact, and formulas stand once for both.
"""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jinja2

from experiments.kit import style, words
from experiments.lecture import synonyms
from experiments.lecture.parts import Part

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXTS = HERE / "texts"
LANGUAGES = ("en", "ru")
PYTHON = ".venv/bin/python"  # of the environment that `make` sets up


def sayer(language: str) -> Callable[[str, str], str]:
    """The function that takes one of two languages."""
    return lambda english, russian: english if language == "en" else russian


def page(part: Part, language: str, facts: dict, figures: dict) -> str:
    """The part's page as Markdown.

    Args:
      part: which.
      language: "en" or "ru".
      facts: {name: value} for the text; "play" is what the picture to play with starts from.
      figures: {name: (Figure, alternative text)}.
    """
    say = sayer(language)
    drawn = {name: _picture(name, *drawing) for name, drawing in figures.items()}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEXTS), undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    formats = {"number": words.number, "percent": words.percent, "tidy": words.tidy}
    environment.filters |= {name: partial(_spoken, say, form) for name, form in formats.items()}
    told = environment.get_template("part.md").render(
        facts,
        part=part,
        text=f"{part.name}.md",
        title=f"{part.number}. {say(*part.title)}",
        say=say,
        en=language == "en",
        question=partial(_box, "question", say("Question", "Вопрос")),
        finding=partial(_box, "finding", say("Finding", "Вывод")),
        figure=lambda name, caption: _figure([drawn[name]], caption),
        film=lambda names, caption: _figure([drawn[name] for name in names], caption),
        play=lambda: _played(facts.get("play", {})),
        exercise=partial(_exercise, part, say),
        sources={name: _source_page(name) for name in part.functions},
        tested=[(test, source_of(test)) for test in part.tests],
        script=(HERE / f"{part.name}.py").read_text(encoding="utf-8"),
    )
    return told if language == "en" else _keywords(synonyms.WORDS[part.name]) + told


def _keywords(text: str) -> str:
    """What the page says of itself to the search, a word each."""
    return f"---\nmyst:\n  html_meta:\n    keywords: {', '.join(text.split())}\n---\n\n"


def _source_page(name: str) -> str:
    """Where the generator puts the lines of a function of jaxlr, seen from a page of a language."""
    module, function = name.split(".")
    made = inspect.unwrap(getattr(importlib.import_module(f"jaxlr.{module}"), function))
    return f"../en/_modules/{made.__module__.replace('.', '/')}.html#{made.__name__}"


def question_of(text: str) -> str:
    """What a page, as `page` gave it, asks."""
    return re.search(r":class: question\n(.*?)\n:::", text, re.DOTALL)[1]


def index(language: str, parts: tuple[Part, ...], questions: dict[str, str]) -> str:
    """The first page as Markdown.

    Args:
      language: "en" or "ru".
      parts: those that have pages.
      questions: {name of a part: what it asks}.
    """
    say = sayer(language)
    lectures = {letter: [part for part in parts if part.number[0] == letter] for letter in "AB"}
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEXTS), trim_blocks=True)
    return environment.get_template("index.md").render(
        say=say,
        en=language == "en",
        lectures=lectures,
        questions=questions,
        notebook=next((file.name for file in HERE.glob("*.ipynb")), ""),
    )


def _spoken(say, form, *args) -> str:
    """A number in words' manner; in Russian a comma is no sign of thousands."""
    return form(*args).replace(",", say(",", "\N{NARROW NO-BREAK SPACE}"))


def _exercise(part: Part, say, task: str) -> str:
    """The section with what the student is asked, where to do it and how to know."""
    file = f"`experiments/lecture/exercises/{part.name}.py`"
    title = say("Your turn", "Ваша очередь")
    where = say(f"Do it in {file}; this says whether you did:", f"Файл {file}; проверка:")
    command = f"{PYTHON} -m pytest experiments/lecture/exercises -k {part.name}"
    return f"## {title}\n\n{task}\n\n{where}\n\n```shell\n{command}\n```"


def _picture(name, figure, alt) -> str:
    """SVG without empty lines, which would end a piece of HTML in Markdown."""
    return re.sub(r"\n\s*\n", "\n", style.picture(name, figure, alt))


def _box(kind: str, title: str, text: str) -> str:
    return f":::{{admonition}} {title}\n:class: {kind}\n{text}\n:::"


def _figure(pictures: list[str], caption: str) -> str:
    """A figure; one of several pictures is a film, and paper shows the last."""
    kind = "film" if len(pictures) > 1 else "still"
    names = ["frame"] * (len(pictures) - 1) + ["frame last"]
    framed = zip(names, pictures, strict=True)
    frames = "\n".join(f'<div class="{name}">{picture}</div>' for name, picture in framed)
    return (
        f'<figure class="{kind}">\n{frames}\n<figcaption>\n\n{caption}\n\n</figcaption>\n</figure>'
    )


def _played(data: dict) -> str:
    """Where the part's picture to play with stands, and what it starts from."""
    safe = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return (
        '<div class="play" id="play"></div>\n'
        f'<script type="application/json" id="play-data">{safe}</script>'
    )


def source_of(test: str) -> str:
    """The lines of "file::function" in tests/.

    Raises:
      LookupError: there is no such test.
    """
    file, name = test.split("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise LookupError(f"{test} is not a test")
