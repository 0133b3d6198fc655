"""Pages that hold everything: they open anywhere and need no network."""

from functools import cache
from pathlib import Path

import jinja2

from experiments.kit import words
from experiments.kit.markup import Markup, card, escaped, table

CSS = Path(__file__).with_name("page.css")
TEMPLATES = Path(__file__).with_name("templates")
FILTERS = "count interval listed name number percent plus_minus seconds tidy"


def write(path: Path, title: str, body: list, css: str = "") -> None:
    """Writes one page.

    Args:
      path: the file to write.
      title: what the browser's tab says.
      body: the page's parts, in order; None is nothing.
      css: rules beside those that all pages share.
    """
    render(path, "base.html", title=title, body=escaped(body), css=css)


def render(path: Path, template: str, css: str = "", **context) -> None:
    """Writes one page out of a template and what it asks for."""
    css = CSS.read_text(encoding="utf-8") + css
    html = environment().get_template(template).render(css=css, **context)
    path.write_text(html, encoding="utf-8")


def said(template: str, macro: str, *of, **more) -> Markup:
    """What a macro of a template says of something, in one line."""
    module = environment().get_template(template).module
    return Markup(" ".join(getattr(module, macro)(*of, **more).split()))


@cache
def environment() -> jinja2.Environment:
    """The templates, with the functions of `words` as filters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals |= {"card": card, "table": table}
    made.filters |= {name: getattr(words, name) for name in FILTERS.split()}
    return made
