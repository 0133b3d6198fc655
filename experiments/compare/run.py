"""Two result folders read, paired and told."""

import json
from pathlib import Path

import pandas as pd

from experiments.compare.pairs import Paired, differences, endings, paired
from experiments.compare.settings import Settings
from experiments.kit import words
from experiments.kit.mistakes import CallerError, SettingError

LINEAGE = "lineage.parquet"
QUIET = ("out", "overwrite", "resume", "memory")  # settings that change no result


def run(settings: Settings, clock) -> int:
    """Reads, pairs and prints; the exit status."""
    with clock.part("reading"):
        (a, told_a), (b, told_b) = read(settings.a), read(settings.b)
    if told_a["command"].split()[:3] != told_b["command"].split()[:3]:
        raise SettingError(
            f"{settings.a} is of {told_a['command'].split()[2]} and {settings.b} of"
            f" {told_b['command'].split()[2]}: give two results of one command"
        )
    found = paired(a, b)
    print(told(settings, found, told_a["settings"], told_b["settings"]))
    print("", f"A {chosen(told_a)}", f"B {chosen(told_b)}", sep="\n")
    return 0


def read(folder: str) -> tuple[pd.DataFrame, dict]:
    """Lanes and summary of a result folder.

    Numbers of a population, which change, are those that its configurations began with.

    Raises:
      CallerError: no such folder, or no result in it.
    """
    try:
        lanes = pd.read_parquet(Path(folder) / "results.parquet")
        if (Path(folder) / LINEAGE).exists():
            moves = pd.read_parquet(Path(folder) / LINEAGE)
            began = moves[moves["epoch"] == 0].drop(columns=["epoch", "source"])
            began = began.set_index("config").loc[lanes["config"]]
            lanes = lanes.assign(**began.reset_index(drop=True))
        return lanes, json.loads((Path(folder) / "summary.json").read_text())
    except (OSError, ValueError) as error:
        gone = isinstance(error, FileNotFoundError)
        why = "it has none" if gone else "cut short, or of another kind"
        raise CallerError(
            f"{folder}: no results.parquet and summary.json can be read there ({why}); give the"
            " --out of a command"
        ) from None


def told(settings: Settings, found: Paired, of_a: dict, of_b: dict) -> str:
    """All that a person is told."""
    names = [name for name in {**of_a, **of_b} if name not in QUIET]
    asked = {name: (of_a.get(name), of_b.get(name)) for name in names}
    asked = {name: pair for name, pair in asked.items() if pair[0] != pair[1]}
    lines = [f"A {settings.a}", f"B {settings.b}"]
    lines += [
        f"{words.name(name)}: {words.setting(before)} in A, {words.setting(after)} in B"
        for name, (before, after) in (asked or found.changed).items()
    ] or ["both were asked the same"]
    lines.append(f"{words.count(len(found.pairs), 'pair')} of lanes" + _alone(found))
    head = ["figure", "n", "A", "B", "B − A", "95 % interval", "rose", "fell"]
    rows = [
        [
            words.name(row.figure),
            str(row.settings),
            *(words.number(value, 4) for value in (row.a, row.b)),
            words.number(row.difference),
            words.interval(row.low, row.high) if row.settings > 1 else "one alone: none",
            str(row.rose),
            str(row.fell),
        ]
        for row in differences(found).itertuples()
    ]
    lines += ["", *words.lines(head, rows, 1), ""]
    lines += [
        f"{before} in A and {after} in B: {words.count(number, 'lane')}"
        for (before, after), number in endings(found).items()
    ]
    return "\n".join(lines).rstrip()


def chosen(summary: dict) -> str:
    """What was chosen, and how that did on its test rows."""
    best, test = summary.get("best"), summary.get("test")
    if not isinstance(best, dict) or not isinstance(test, dict):
        return "no single choice"
    told = [f"{words.name(n)} {words.setting(best[n])}" for n in ("config", "mean") if n in best]
    told += [f"test {words.name(name)} {words.number(value)}" for name, value in test.items()]
    return f"chose {', '.join(told)}"


def _alone(found: Paired) -> str:
    apart = [f"{n:,} of {name} alone" for n, name in zip(found.alone, "AB", strict=True) if n]
    return f", {words.listed(apart)}" if apart else ""
