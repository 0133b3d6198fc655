"""Makes the lectures' website: computes every part, and writes a page in each language.

Example: python -m experiments.lecture --out out/lecture --data SMSSpamCollection.gz
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from experiments.kit import commands, outputs
from experiments.kit.clock import Clock
from experiments.kit.mistakes import SettingError
from experiments.kit.provenance import provenance
from experiments.lecture import website
from experiments.lecture.parts import PARTS, Part


@dataclass(frozen=True)
class Settings:
    """What the command may be told."""

    NAME: ClassVar[str] = "experiments.lecture"

    out: str = "out/lecture"
    """folder of the website"""
    data: str | None = None
    """a file of real mail (SMS spam or Spambase); without it the mailbox is generated"""
    parts: tuple[str, ...] = ()
    """only these parts, as a10 b3; all without it"""
    overwrite: bool = False
    """replace the folder if it is there"""


def run(settings: Settings, clock: Clock) -> int:
    """The whole site; the exit status."""
    chosen = _chosen(settings.parts)
    mail = None if settings.data is None else Path(settings.data)
    with outputs.results(settings) as folder:
        found = website.build(folder, mail, chosen)
        outputs.write_json(folder / "summary.json", provenance(settings))
    stood_in = [f["mail"]["kind"] == "generated" for f in found.values() if "mail" in f]
    if mail is not None and any(stood_in):
        print(f"--data {mail}: not read as mail; A9 has a generated mailbox, and says so")
    seconds = sum(clock.parts().values())
    print(f"{len(chosen)} parts in {seconds:.0f} s: open {settings.out}/index.html")
    return 0


def _chosen(names: tuple[str, ...]) -> tuple[Part, ...]:
    """The parts of these numbers, in the lectures' order; all without any."""
    known = {part.number.lower(): part for part in PARTS}
    strange = [name for name in names if name.lower() not in known]
    if strange:
        raise SettingError(f"--parts {strange[0]}: no such part; there are {' '.join(known)}")
    wanted = {name.lower() for name in names} or set(known)
    return tuple(part for number, part in known.items() if number in wanted)


def main(args: list[str] | None = None) -> int:
    """The exit status, after one line where something is wrong."""
    return commands.main(Settings, __doc__, args, module=__name__)


if __name__ == "__main__":
    sys.exit(main())
