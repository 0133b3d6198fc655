"""Pages from templates: they hold everything, open anywhere and need no network."""

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import jinja2
from jinja2.runtime import Macro
from markupsafe import Markup

from experiments.kit import style, words

CSS = Path(__file__).with_name("page.css")
TEMPLATES = Path(__file__).with_name("templates")
FILTERS = "amount clipped count interval listed name number percent plus_minus seconds setting"
FILTERS += " tally tidy"
KEPT = re.compile(r"(<(svg|pre|style)\b.*?</\2>)|\s+", re.DOTALL)


def write(path: Path, template: str, css: str = "", **context) -> None:
    """Writes one page.

    Args:
      path: the file to write.
      template: its name below `experiments` or `kit/templates`.
      css: rules beside those that all pages share.
      context: what the template asks for; `title` among it.
    """
    css = CSS.read_text(encoding="utf-8") + css
    html = environment().get_template(template).render(css=css, **context)
    html = KEPT.sub(lambda found: found[1] or " ", html)  # a template's lines are no reader's
    path.write_text(html.strip() + "\n", encoding="utf-8")


@cache
def macros(template: str, *, plain: bool = False) -> SimpleNamespace:
    """The macros of a template as functions, each saying what it says in one line.

    Args:
      template: its name, as of `write`.
      plain: text for a terminal, not HTML.
    """

    def one_line(macro):
        def said(*of, **more):
            text = Markup(" ".join(macro(*of, **more).split()))
            return text.unescape() if plain else text

        return said

    found = vars(environment().get_template(template).module).items()
    return SimpleNamespace(**{n: one_line(macro) for n, macro in found if isinstance(macro, Macro)})


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
    return made
