"""No run of twelve equal lines stands in two places of the library or of the experiments."""

from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
RUN = 12


def lines_of(text):
    """(number, line) of every line that says something; imports and lone brackets don't."""
    for number, line in enumerate(text.splitlines(), start=1):
        said = line.strip()
        if any(c.isalnum() for c in said) and not said.startswith(("import ", "from ")):
            yield number, said


def twins(texts, run=RUN):
    """(place, place) of runs of equal lines; texts by name."""
    places = defaultdict(list)
    for name, text in texts.items():
        said = list(lines_of(text))
        for start in range(len(said) - run + 1):
            part = said[start : start + run]
            places[tuple(line for _, line in part)].append(f"{name}:{part[0][0]}")
    return [tuple(found) for found in places.values() if len(found) > 1]


def test_no_twelve_lines_stand_in_two_places():
    files = [file for top in ("jaxlr", "experiments") for file in (ROOT / top).rglob("*.py")]
    texts = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}
    assert len(texts) > 100
    assert not twins(texts)


def test_twins_are_found_whatever_their_indent_and_their_gaps():
    run = "\n".join(f"line {i}" for i in range(RUN))
    indented = "\n\n".join(f"    line {i}" for i in range(RUN))
    assert twins({"a": f"import os\n{run}", "b": f"x\n{indented}\n)"}) == [("a:2", "b:2")]
    assert not twins({"a": run, "b": indented.replace("line 5", "another")})
