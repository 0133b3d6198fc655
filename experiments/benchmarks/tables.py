"""The tables and files of results that all benchmarks write."""

import json
from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"


def markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table that also reads well as plain text."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * max(width, 3) for width in widths], *rows]
    padded = [[cell.ljust(width) for cell, width in zip(r, widths, strict=True)] for r in lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in padded)


def of(records: Iterable[dict], columns: dict[str, str]) -> str:
    """A row for each record; columns are headings, each with its cells' format: "{seconds:.2f}"."""
    return markdown(
        list(columns), [[cell.format(**record) for cell in columns.values()] for record in records]
    )


def kept(name: str) -> dict:
    """What an earlier run has left in results/name.json."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def save(name: str, results: dict, page: str | None = None, figure: Figure | None = None) -> None:
    """Writes results/name.json, and beside it the page as name.md and the figure as name.svg."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text)
    if page is not None:
        (RESULTS / f"{name}.md").write_text(page)
    if figure is not None:
        figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})
