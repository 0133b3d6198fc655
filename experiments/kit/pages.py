"""Pages that hold everything: they open anywhere and need no network."""

from functools import cache
from pathlib import Path

import jinja2

from experiments.kit import words
from experiments.kit.markup import Markup, escaped

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
    html = (
        environment()
        .get_template("base.html")
        .render(
            title=title,
            css=CSS.read_text(encoding="utf-8") + css,
            body=escaped(body),
        )
    )
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
    made.filters |= {name: getattr(words, name) for name in FILTERS.split()}
    return made
