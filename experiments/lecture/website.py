"""The website from the parts: computed once, told in two languages, set by Sphinx."""

import base64
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jinja2
import matplotlib

from experiments.kit import style
from experiments.lecture import fonts, texts
from experiments.lecture.parts import PARTS, Part

HERE = Path(__file__).parent
MODULES = (
    "activations", "chain_rule", "data", "losses", "metrics", "models", "optimizers", "paths",
    "solvers", "sweeps", "training",
)  # fmt: skip
ENTRANCE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>jaxlr</title>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<script>location.replace(navigator.language.startsWith("ru") ? "ru/" : "en/")</script></head>
<body><main><h1>jaxlr</h1><p><a href="en/index.html">English</a> ·
<a href="ru/index.html" lang="ru">Русский</a></p></main></body></html>
""".replace('"ru/"', '"ru/index.html"').replace('"en/"', '"en/index.html"')


def build(folder: Path, mail: Path | None, parts: tuple[Part, ...] = PARTS) -> dict[str, dict]:
    """Writes the site into `folder`, and gives what every part found.

    Args:
      folder: an empty folder.
      mail: a file of real mail for the parts on metrics; None: a generated mailbox.
      parts: which pages to make.

    Raises:
      RuntimeError: the generator has warned of something, with its words.
    """
    found = {part.name: script(part).facts(mail) for part in parts}
    for language in texts.LANGUAGES:
        source = folder / "source" / language
        source.mkdir(parents=True)
        write_sources(source, language, parts, found)
        _sphinx(source, folder / language, language)
    shutil.rmtree(folder / "source")
    (folder / "index.html").write_text(ENTRANCE, encoding="utf-8")
    fonts.write(folder)
    return found


def script(part: Part):
    """The part's script: `facts(mail)` computes, `figures(facts, say)` draws."""
    return importlib.import_module(f"experiments.lecture.{part.name}")


def write_sources(source: Path, language: str, parts: tuple[Part, ...], found: dict) -> None:
    """The Markdown of every page of one language."""
    say = texts.sayer(language)
    for part in parts:
        facts = found[part.name]
        with matplotlib.rc_context(style.RC):
            figures = script(part).figures(facts, say)
            text = texts.page(part, language, facts, figures)
        (source / f"{part.name}.md").write_text(text, encoding="utf-8")
    _fill("index.md", source, say, parts)
    if language == "en":
        (source / "api").mkdir()
        for module in MODULES:
            page = f"# {module}\n\n```{{eval-rst}}\n.. automodule:: jaxlr.{module}\n"
            page += "   :members:\n   :imported-members:\n```\n"
            (source / "api" / f"{module}.md").write_text(page, encoding="utf-8")
        listed = "\n".join(MODULES)
        index = f"# Reference\n\n```{{toctree}}\n{listed}\n```\n"
        (source / "api" / "index.md").write_text(index, encoding="utf-8")


def context(app, pagename, templatename, context, doctree) -> None:
    """What the theme knows of a page."""
    context["say"] = texts.sayer(app.config.language)
    context["root"] = "../" * pagename.count("/")
    context["parts"] = {part.name: part for part in PARTS if part.name in app.env.found_docs}
    context["plays"] = {part.name: part.play for part in PARTS if part.play}
    context["modules"] = import_map() if pagename in context["plays"] else ""


def import_map() -> str:
    """Modules for pages on the disk, where the browser may load none from files: as data: URLs."""
    modules = {}
    for file in sorted((HERE / "play").glob("*.js")):
        code = base64.b64encode(file.read_bytes()).decode()
        modules[f"lecture/{file.stem}"] = f"data:text/javascript;base64,{code}"
    return json.dumps({"imports": modules})


def _fill(name: str, source: Path, say, parts) -> None:
    loader = jinja2.FileSystemLoader(texts.TEXTS)
    environment = jinja2.Environment(loader=loader, trim_blocks=True)
    text = environment.get_template(name).render(say=say, parts=parts, en=say("en", "ru") == "en")
    (source / name).write_text(text, encoding="utf-8")


def _sphinx(source: Path, out: Path, language: str) -> None:
    """One language's pages."""
    inventory = {} if language == "en" else {"REFERENCE": str(out.parent / "en" / "objects.inv")}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    command += ["-c", str(HERE), "-D", f"language={language}", "-d", str(source / ".doctrees")]
    command += [str(source), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | inventory)
    if ran.returncode:
        raise RuntimeError(f"sphinx ended with {ran.returncode}:\n{ran.stderr[-5000:]}")
