"""Checkpoints of a sweep's groups, in OUT.partial."""

from dataclasses import replace

from experiments.kit.mistakes import SettingError
from experiments.kit.partial import Partial, writing
from jaxlr import sweeps

# What results don't depend on.
HOW = {"out": "", "overwrite": False, "resume": False, "memory": None, "checkpoint": 0.0}


class Checkpoints(sweeps.Checkpoints):
    """A group's checkpoints, whose troubles are said in one line."""

    def __init__(self, partial: Partial, group: int):
        settings = partial.settings
        told = f"{group} {replace(settings, **HOW)}"
        super().__init__(partial.folder / f"group-{group}", seconds=settings.checkpoint, told=told)
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
