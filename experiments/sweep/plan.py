"""What a sweep runs: the points of its design, in groups that share a program."""

from dataclasses import dataclass

import numpy as np

from experiments.kit.optimizers import NUMBERS
from experiments.sweep.settings import Settings, heard
from jaxlr import sweeps


@dataclass(frozen=True)
class Plan:
    """The design's groups, and how each of their lanes is trained."""

    groups: list[sweeps.Group]
    num_folds: int
    epochs: int
    evaluations: int
    hidden: tuple[int, ...]
    seed: int

    @property
    def num_lanes(self) -> int:
        """Configurations times folds."""
        return sum(len(group.points) for group in self.groups) * self.num_folds


def planned(settings: Settings) -> Plan:
    """The design: numbers as lanes, each where its optimizer has it, choices as groups."""
    heard_by = {name: heard(settings, name) for name in settings.optimizer}
    ranges = {name: span for of_one in heard_by.values() for name, span in of_one.items()}
    space = {"learning_rate": sweeps.LogUniform(*settings.learning_rate)}
    if "momentum" in ranges:
        space["momentum"] = sweeps.Uniform(*ranges.pop("momentum"))
    space["l2"] = (sweeps.LogUniform if settings.l2[0] > 0 else sweeps.Uniform)(*settings.l2)
    for name in ("model", "optimizer", "batch_size"):
        space[name] = sweeps.Choices(getattr(settings, name))
    space |= {name: _spread(NUMBERS[name].scale, *span) for name, span in ranges.items()}
    draw = sweeps.sobol if settings.design == "sobol" else sweeps.random
    points = draw(space, settings.configs, settings.seed)
    hypers = {name: _number(name, column) for name, column in points.hypers.items()}
    groups = sweeps.groups(points._replace(hypers=hypers))
    return Plan(
        [_with_its_own(group, heard_by[group.settings["optimizer"]]) for group in groups],
        settings.folds,
        settings.epochs,
        num_evaluations(settings.epochs),
        settings.hidden,
        settings.seed,
    )


def num_evaluations(epochs: int, most: int = 20) -> int:
    """The largest divisor of `epochs` up to `most`: how often lanes are evaluated."""
    return max(n for n in range(1, most + 1) if epochs % n == 0)


def _with_its_own(group: sweeps.Group, heard) -> sweeps.Group:
    own = {"learning_rate", "l2", *heard}
    return group._replace(hypers={n: v for n, v in group.hypers.items() if n in own})


def _spread(scale: str, low: float, high: float) -> sweeps.Uniform | sweeps.LogUniform:
    """The dimension that is drawn: of a memory what it forgets; from 0 on no logarithm is taken."""
    if scale == "memory":
        low, high = 1 - high, 1 - low
    is_log = scale != "uniform" and low > 0
    return (sweeps.LogUniform if is_log else sweeps.Uniform)(low, high)


def _number(name: str, drawn: np.ndarray) -> np.ndarray:
    """What was drawn as the number itself."""
    scale = NUMBERS[name].scale if name in NUMBERS and name != "momentum" else "log"
    if scale == "memory":
        return 1 - drawn
    return np.round(drawn) if scale == "whole" else drawn
