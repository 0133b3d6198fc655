"""Makes the lectures' website: computes every part, and writes a page in each language.

Example: python -m experiments.lecture --out out/lecture --data SMSSpamCollection.gz
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from experiments import commands, outputs
from experiments.lecture import website
from experiments.lecture.parts import PARTS

NAME = "experiments.lecture"


@dataclass(frozen=True)
class Settings:
    """What the command may be told."""

    out: str = "out/lecture"
    """folder of the website"""
    data: str | None = None
    """a file of real mail (SMS spam or Spambase); without it the mailbox is generated"""
    parts: tuple[str, ...] = ()
    """only these parts, as a10 b3; all without it"""
    overwrite: bool = False
    """replace the folder if it is there"""


def run(settings: Settings) -> int:
    """The whole site; the exit status."""
    began = time.perf_counter()
    chosen = tuple(p for p in PARTS if not settings.parts or p.number.lower() in settings.parts)
    with outputs.folder(settings.out, overwrite=settings.overwrite) as folder:
        website.build(folder, Path(settings.data) if settings.data else None, chosen)
        outputs.write_json(folder / "summary.json", commands.provenance(NAME, settings))
    seconds = time.perf_counter() - began
    print(f"{len(chosen)} parts in {seconds:.0f} s: open {settings.out}/index.html")
    return 0


def parse(args: list[str] | None) -> Settings:
    """The settings of a command line."""
    return commands.parse(Settings, NAME, __doc__, args)


def main(args: list[str] | None = None) -> int:
    """The exit status, after one line where something is wrong."""
    return commands.main(parse, run, args)


if __name__ == "__main__":
    sys.exit(main())
