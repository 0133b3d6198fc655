"""The pages and files of results that all benchmarks write."""

import json
import re
from pathlib import Path

import jinja2
from matplotlib.figure import Figure

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def about(machine: dict) -> str:
    """A `machine.description` in one line."""
    return ", ".join(f"{key} {value}" for key, value in machine.items() if value)


def machines(problems: dict[str, dict]) -> str:
    """A line for every machine that problems were measured on: times of two can't be compared."""
    measured = {}
    for name, result in problems.items():
        measured.setdefault(about(result["machine"]), []).append(name)
    if len(measured) == 1:
        return f"{next(iter(measured))}."
    return "\n".join(f"- {', '.join(names)}: {about}." for about, names in measured.items())


def page(template: str, **values) -> str:
    """A page in Markdown of the template in a benchmark's folder; its tables read well as text."""
    loader = jinja2.FileSystemLoader(HERE)
    strict = {"undefined": jinja2.StrictUndefined, "keep_trailing_newline": True}
    pages = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, **strict)
    pages.filters |= {"about": about, "machines": machines, "f": format}
    text = pages.get_template(template).render(values)
    return re.sub(r"(?:^\|.*\n)+", lambda table: _aligned(table[0]), text, flags=re.MULTILINE)


def _aligned(table):
    """Its columns as wide as their widest cell."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()]
    lines = [[cell.strip() for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines[1] = ["-" * width for width in widths]
    padded = [[c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)


def kept(name: str) -> dict:
    """What an earlier run has left in results/name.json."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def save(name: str, results: dict) -> None:
    """Writes results/name.json."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text)


def publish(name: str, results: dict, template: str, figure: Figure | None = None, **more) -> str:
    """Writes results/name.json, the page as .md, and a figure as .svg; returns the page."""
    text = page(template, **results, **more)
    save(name, results)
    (RESULTS / f"{name}.md").write_text(text)
    if figure is not None:
        figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})
    return text
