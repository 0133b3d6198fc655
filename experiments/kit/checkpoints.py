"""Checkpoints of a command's sweeps, in OUT.partial."""

from dataclasses import asdict

from experiments.kit.mistakes import SettingError
from experiments.kit.partial import Partial, writing
from jaxlr import sweeps

HOW = ("out", "overwrite", "resume", "memory", "checkpoint")  # what results don't depend on


class Checkpoints(sweeps.Checkpoints):
    """Those of one sweep of the command, by its name, whose troubles are said in one line."""

    def __init__(self, partial: Partial, name: str, seconds: float):
        asked = {key: value for key, value in asdict(partial.settings).items() if key not in HOW}
        super().__init__(partial.folder / name, seconds=seconds, told=f"{name} {asked}")
        self.partial = partial

    def found(self, task, stop):
        """As ever; but files of which none is any good are refused."""
        progress = super().found(task, stop)
        self.partial.refused += self.refused
        if progress is None and self.refused:
            raise SettingError(
                f"--resume: {self.refused[0]}; resume with the options and data that it was begun"
                " with, or say --overwrite to begin again"
            )
        return progress

    def keep(self, progress, *, now):
        """As ever; a disk that is full is a mistake to be mended."""
        with writing(self.partial):
            super().keep(progress, now=now)
