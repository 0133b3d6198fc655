"""The website from the parts: computed once, told in two languages, set by Sphinx."""

import base64
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
from docutils import nodes

from experiments.kit import style, words
from experiments.lecture import fonts, texts
from experiments.lecture.parts import PARTS, Part

HERE = Path(__file__).parent
MODULES = (
    "activations", "certificates", "chain_rule", "data", "losses", "metrics", "models",
    "optimizers", "paths", "solvers", "sweeps", "training",
)  # fmt: skip
ENTRANCE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>jaxlr</title>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/><link rel="icon" href="data:,"/>
<script>
location.replace(`${navigator.language.startsWith("ru") ? "ru" : "en"}/index.html`);
</script></head>
<body><main><h1>jaxlr</h1><p><a href="en/index.html">English</a> ·
<a href="ru/index.html" hreflang="ru" lang="ru">Русский</a></p></main></body></html>
"""


def build(
    folder: Path,
    mail: Path | None,
    parts: tuple[Part, ...] = PARTS,
    modules: tuple[str, ...] = MODULES,
) -> dict[str, dict]:
    """Writes the site into `folder`, and gives what every part found.

    Args:
      folder: an empty folder.
      mail: a file of real mail for the parts on metrics; None: a generated mailbox.
      parts: which pages to make.
      modules: of jaxlr, for the reference.

    Raises:
      RuntimeError: the generator has warned of something, with its words.
    """
    found = {part.name: script(part).facts(mail) for part in parts}
    for language in texts.LANGUAGES:
        source = folder / "source" / language
        source.mkdir(parents=True)
        write_sources(source, language, parts, found, modules)
        _sphinx(source, folder / language, language)
    shutil.rmtree(folder / "source")
    (folder / "index.html").write_text(ENTRANCE, encoding="utf-8")
    fonts.write(folder)
    return found


def script(part: Part):
    """The part's script: `facts(mail)` computes, `figures(facts, say)` draws."""
    return importlib.import_module(f"experiments.lecture.{part.name}")


def write_sources(source: Path, language: str, parts, found: dict, modules=MODULES) -> None:
    """The Markdown of every page of one language."""
    say = texts.sayer(language)
    questions = {}
    for part in parts:
        facts = found[part.name]
        with matplotlib.rc_context(style.RC):
            figures = script(part).figures(facts, say)
            text = texts.page(part, language, facts, figures)
        (source / f"{part.name}.md").write_text(text, encoding="utf-8")
        questions[part.name] = texts.question_of(text)
    (source / "index.md").write_text(texts.index(language, parts, questions), encoding="utf-8")
    if language == "en":
        (source / "api").mkdir()
        for module in modules:
            (source / "api" / f"{module}.md").write_text(_reference(module), encoding="utf-8")
        (source / "api" / "index.md").write_text(_contents(modules), encoding="utf-8")


def _home(value, name: str) -> str:
    """The module whose page tells of a value that module `name` shows."""
    package, home, *_ = f"{getattr(value, '__module__', None) or ''}..".split(".")
    return home if package == "jaxlr" and home in MODULES else name


def _reference(name: str) -> str:
    """The page of one module: its names at a glance, then what each of them says."""
    module = importlib.import_module(f"jaxlr.{name}")
    options = "   :members:\n"
    if hasattr(module, "__path__"):  # a package shows what its files hold
        options += "   :imported-members:\n"
        names = module.__all__
    else:
        public = {n: v for n, v in vars(module).items() if not n.startswith("_")}
        names = [n for n, v in public.items() if getattr(v, "__module__", "") == module.__name__]
    homes = {one: _home(getattr(module, one), name) for one in names}
    options += f"   :exclude-members: {', '.join(n for n in names if homes[n] != name)}\n"
    ordered = sorted(names, key=str.lower)
    links = "\n".join(f"{{py:obj}}`~jaxlr.{homes[one]}.{one}`" for one in ordered)
    glance = f":::{{container}} glance\n{links}\n:::"
    members = f"```{{eval-rst}}\n.. automodule:: jaxlr.{name}\n{options}```"
    return f"# {name}\n\n{glance}\n\n{members}\n"


def _contents(modules) -> str:
    """The list of modules, each with its docstring's first line."""
    listed = "\n".join(modules)
    tree = f"```{{toctree}}\n:hidden:\n\n{listed}\n```"
    lines = []
    for name in modules:
        first = importlib.import_module(f"jaxlr.{name}").__doc__.splitlines()[0]
        lines.append(f"- [{name}]({name}.md)\n\n  {first}")
    overview = "\n".join(["::::{container} overview", *lines, "::::"])
    return f"# Reference\n\n{tree}\n\n{overview}\n"


def context(app, pagename, templatename, context, doctree) -> None:
    """What the theme knows of a page."""
    parts = [part for part in PARTS if part.name in app.env.found_docs]
    names = [part.name for part in parts]
    place = names.index(pagename) if pagename in names else None
    context["say"] = texts.sayer(app.config.language)
    context["root"] = "../" * pagename.count("/")
    context["parts"] = dict(zip(names, parts, strict=True))
    context["plays"] = {part.name: part.play for part in PARTS if part.play}
    context["modules"] = import_map() if pagename in context["plays"] else ""
    if place is not None:
        context["before"] = parts[place - 1] if place else None
        context["after"] = parts[place + 1] if place + 1 < len(parts) else None
    always = context["say"]("Two lectures computed by jaxlr", "Две лекции, посчитанные jaxlr")
    context["about"] = _about(doctree) or always
    if "body" in context:  # a corner without a word is no header
        corner = r'<th class="([^"]*)"><p></p></th>'
        context["body"] = re.sub(corner, r'<td class="\1"></td>', context["body"])


def _about(doctree) -> str:
    """The page's first paragraph."""
    paragraph = next(doctree.findall(nodes.paragraph), None) if doctree else None
    return words.clipped(" ".join(paragraph.astext().split()), 160) if paragraph else ""


def import_map() -> str:
    """Modules for pages on the disk, where the browser may load none from files: as data: URLs."""
    modules = {}
    for file in sorted((HERE / "play").glob("*.js")):
        code = base64.b64encode(file.read_bytes()).decode()
        modules[f"lecture/{file.stem}"] = f"data:text/javascript;base64,{code}"
    return json.dumps({"imports": modules})


def _sphinx(source: Path, out: Path, language: str) -> None:
    """One language's pages."""
    inventory = {} if language == "en" else {"REFERENCE": str(out.parent / "en" / "objects.inv")}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    command += ["-c", str(HERE), "-D", f"language={language}", "-d", str(source / ".doctrees")]
    command += [str(source), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | inventory)
    if ran.returncode:
        raise RuntimeError(f"sphinx ended with {ran.returncode}:\n{ran.stderr[-5000:]}")
