"""HTML from functions: everything is escaped unless it is markup already."""

import html


class Markup(str):
    """Text that is HTML already."""

    def __html__(self):
        return self


def escaped(value) -> Markup:
    """The value as HTML text; lists in sequence, None as nothing."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup("")
    if isinstance(value, list | tuple):
        return Markup("".join(escaped(part) for part in value))
    return Markup(html.escape(str(value)))


def element(tag: str, *children, **attributes) -> Markup:
    """<tag attributes>children</tag>; class_ is class, aria_label aria-label."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{named}>{escaped(children)}</{tag}>")


def table(head, rows, caption, *, texts: int = 1, marked=()) -> Markup:
    """A table that scrolls sideways where it must.

    Args:
      head: the column names.
      rows: lists of cells; the first `texts` columns are words, the others numbers.
      caption: what the table shows.
      texts: how many columns align left.
      marked: numbers of the rows to stress.
    """
    header = element("tr", *(_cell("th", i, name, texts, "col") for i, name in enumerate(head)))
    body = [
        element("tr", *_cells(row, texts), class_="marked" if i in marked else None)
        for i, row in enumerate(rows)
    ]
    inner = element(
        "table",
        element("caption", caption),
        element("thead", header),
        element("tbody", *body),
    )
    return element("div", inner, class_="scroll", tabindex="0")


def card(title: str, value: str, remark: str, kind: str | None = None) -> Markup:
    """A value to be read at a glance; `kind` is a further class."""
    return element(
        "div",
        element("p", title, class_="over"),
        element("p", value, class_="value"),
        element("p", remark, class_="remark"),
        class_=f"card {kind}" if kind else "card",
    )


def _cells(row, texts: int) -> list[Markup]:
    return [
        _cell("td" if i else "th", i, cell, texts, None if i else "row")
        for i, cell in enumerate(row)
    ]


def _cell(tag: str, i: int, content, texts: int, scope: str | None) -> Markup:
    return element(tag, content, scope=scope, class_=None if i < texts else "n")
