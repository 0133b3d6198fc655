"""Texts in both languages, filled with what the scripts computed, as Markdown for the generator.

A text is a jinja2 template: `say(english, russian)` chooses, `{% if en %}…{% else %}…{% endif %}`
chooses among longer passages, `{{ name }}` is a fact, and formulas stand once for both.
"""

import ast
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jinja2

from experiments.kit import style, words
from experiments.lecture.parts import Part

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXTS = HERE / "texts"
LANGUAGES = ("en", "ru")


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
    environment.filters |= {"number": words.number, "percent": words.percent, "tidy": words.tidy}
    return environment.get_template("part.md").render(
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
        tested=[(test, source_of(test)) for test in part.tests],
    )


def _exercise(part: Part, say, task: str) -> str:
    """The section with what the student is asked, where to do it and how to know."""
    file = f"`experiments/lecture/exercises/{part.name}.py`"
    title = say("Your turn", "Ваша очередь")
    where = say(f"Do it in {file}; this says whether you did:", f"Файл {file}; проверка:")
    command = f"pytest experiments/lecture/exercises -k {part.name}"
    return f"## {title}\n\n{task}\n\n{where}\n\n```shell\n{command}\n```"


def _picture(name, figure, alt) -> str:
    """SVG without empty lines, which would end a piece of HTML in Markdown."""
    return re.sub(r"\n\s*\n", "\n", style.picture(name, figure, alt))


def _box(kind: str, title: str, text: str) -> str:
    return f":::{{admonition}} {title}\n:class: {kind}\n{text}\n:::"


def _figure(pictures: list[str], caption: str) -> str:
    """A figure; one of several pictures is a film, of which paper shows the last."""
    kind = "film" if len(pictures) > 1 else "still"
    names = ["frame"] * (len(pictures) - 1) + ["frame last"]
    frames = "\n".join(
        f'<div class="{name}">{picture}</div>' for name, picture in zip(names, pictures, strict=True)
    )
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
