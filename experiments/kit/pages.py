"""Pages from templates: they hold everything, open anywhere and need no network."""

import re
import shlex
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import jinja2
from jinja2.runtime import Macro
from markupsafe import Markup

from experiments.datasets import errors
from experiments.kit import style, words

CSS = Path(__file__).with_name("page.css")
TEMPLATES = Path(__file__).with_name("templates")
FILTERS = "amount clipped count interval listed name number percent plus_minus seconds setting span"
FILTERS += " tally tidy"
BREAKS = re.compile(r"(<(svg|pre|style)\b.*?</\2>)|[ \t\n]+", re.DOTALL)


def write(path: Path, template: str, **context) -> None:
    """Writes one page.

    Args:
      path: the file to write.
      template: its name below `experiments` or `kit/templates`.
      context: what the template asks for; `title` among it.
    """
    css = CSS.read_text(encoding="utf-8")
    html = environment().get_template(template).render(css=css, **context)
    path.write_text(_one_line(html) + "\n", encoding="utf-8")


@cache
def macros(template: str, *, plain: bool = False) -> SimpleNamespace:
    """The macros of a template as functions, each saying what it says in one line.

    Args:
      template: its name, as of `write`.
      plain: text for a terminal, not HTML.
    """
    module = vars(environment().get_template(template).module)
    found = {name: of for name, of in module.items() if isinstance(of, Macro)}
    return SimpleNamespace(**{name: partial(_said, of, plain) for name, of in found.items()})


@cache
def environment() -> jinja2.Environment:
    """The templates, with the functions of `words` as filters, and figures as pictures."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, Path(__file__).parents[1]]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals |= {"words": words, "picture": style.picture}
    made.filters |= {name: getattr(words, name) for name in FILTERS.split()}
    made.filters |= {"shown": errors.shown, "quoted": errors.listed, "shell": shlex.join}
    return made


def _said(macro: Macro, plain: bool, *of, **more) -> str:
    text = Markup(_one_line(macro(*of, **more)))
    return text.unescape() if plain else text


def _one_line(html: str) -> str:
    """The lines of a template are no reader's; those of pictures and of code are."""
    return BREAKS.sub(lambda found: found[1] or " ", html).strip(" ")
