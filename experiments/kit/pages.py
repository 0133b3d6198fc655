"""Pages that hold everything: they open anywhere and need no network."""

from pathlib import Path

import jinja2

from experiments.kit.markup import escaped

CSS = Path(__file__).with_name("page.css")
TEMPLATES = Path(__file__).with_name("templates")


def write(path: Path, title: str, body: list, css: str = "") -> None:
    """Writes one page.

    Args:
      path: the file to write.
      title: what the browser's tab says.
      body: the page's parts, in order; None is nothing.
      css: rules beside those that all pages share.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, keep_trailing_newline=True
    )
    html = environment.get_template("base.html").render(
        title=title,
        css=CSS.read_text(encoding="utf-8") + css,
        body=escaped(body),
    )
    path.write_text(html, encoding="utf-8")
