"""What a sweep runs: the points of its design, in groups that share a program."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from experiments.kit import sizes
from experiments.sweep.choices import num_evaluations
from experiments.sweep.settings import RATES, SCALES, Settings, heard
from jaxlr import sweeps
from jaxlr.sweeps.row_halving import FACTOR


@dataclass(frozen=True)
class Plan:
    """The design's groups, and how each of their lanes is trained.

    A group's hypers have the `epochs` of each configuration; the plan's are the most that were
    asked for, and `evaluations` is how often a lane is evaluated that has so many.
    ranges: {optimizer: {number: (low, high)}} of the design. rows: how many there are on each rung
    of halving over rows, of which each has all epochs.
    """

    groups: list[sweeps.Group]
    num_folds: int
    epochs: int
    evaluations: int
    seed: int
    schedule: str = "full"
    memory: int | None = None
    ranges: Mapping[str, dict] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    @property
    def num_lanes(self) -> int:
        """Configurations times folds."""
        return sum(len(group.points) for group in self.groups) * self.num_folds

    @property
    def num_programs(self) -> int:
        """Compilations: rounds of a search share the programs of groups that are alike."""
        return len({(*group.settings.values(), len(group.points)) for group in self.groups})

    @property
    def lengths(self) -> list[int]:
        """The numbers of epochs that there are."""
        return sorted({int(epochs) for group in self.groups for epochs in group.hypers["epochs"]})

    @property
    def per_segment(self) -> int:
        """Epochs from one evaluation to the next."""
        return self.epochs // self.evaluations

    @property
    def parts(self) -> list[int]:
        """The segments of each rung of rows; all, where there are none."""
        return [FACTOR**rung for rung in range(len(self.rows))] or [self.evaluations]

    @property
    def epochs_seen(self) -> np.ndarray:
        """[S] passes over the rows at hand until each evaluation; whole but for rungs of rows."""
        seen = [
            self.epochs * (rung + np.arange(1, part + 1) / part)
            for rung, part in enumerate(self.parts)
        ]
        return np.concatenate(seen) if self.rows else np.rint(seen[0]).astype(int)


def planned(settings: Settings) -> Plan:
    """The whole design; of a search, which draws its own points, one of the same size."""
    draw = sweeps.random if settings.design == "random" else sweeps.sobol
    plan = of_points(settings, draw(space(settings), settings.configs, settings.seed))
    return replace(plan, groups=[_once(group) for group in plan.groups])


def space(settings: Settings) -> dict[str, sweeps.spaces.Dimension]:
    """What is varied: every number that an optimizer has, and the choices."""
    spans = _spans(settings)
    known = {name: span for of_one in spans.values() for name, span in of_one.items()}
    numbers = {name: spread(SCALES[name], *known[name]) for name in SCALES if name in known}
    numbers["epochs"] = sweeps.Grid(settings.epochs)
    choices = {name: getattr(settings, name) for name in ("model", "optimizer", "batch_size")}
    if "mlp" in settings.model:
        choices["hidden"] = settings.hidden
    return numbers | {name: sweeps.Choices(options) for name, options in choices.items()}


def of_points(settings: Settings, points: sweeps.Design, first: int = 0) -> Plan:
    """Numbers as lanes where an optimizer has them, choices as groups; counted on from `first`."""
    spans, groups = _spans(settings), []
    if "hidden" in points.settings:  # which a linear model has none of
        told = zip(points.settings["model"], points.settings["hidden"], strict=True)
        shapes = [shape if model == "mlp" else "" for model, shape in told]
        points = points._replace(settings=points.settings | {"hidden": shapes})
    for group in sweeps.groups(points):
        own = {n: v for n, v in group.hypers.items() if n in spans[group.settings["optimizer"]]}
        hypers = {name: number(SCALES[name], drawn) for name, drawn in own.items()}
        hypers["epochs"] = group.hypers["epochs"]
        groups.append(group._replace(points=group.points + first, hypers=hypers))
    return Plan(
        groups,
        settings.folds,
        max(settings.epochs),
        num_evaluations(*settings.epochs),
        settings.seed,
        settings.schedule,
        None if settings.memory is None else sizes.bytes_in(settings.memory),
        spans,
    )


def _once(group: sweeps.Group) -> sweeps.Group:
    """The group without repeated points, which there are where every range is a single value."""
    numbers = np.column_stack(list(group.hypers.values()))
    kept = np.sort(np.unique(numbers, axis=0, return_index=True)[1])
    hypers = {name: column[kept] for name, column in group.hypers.items()}
    return group._replace(points=group.points[kept], hypers=hypers)


def _spans(settings: Settings) -> dict[str, dict]:
    """{optimizer: {number: range}}."""
    every = {name: getattr(settings, name) for name in ("learning_rate", "l2", *RATES)}
    every = {name: span for name, span in every.items() if span is not None}
    return {name: every | heard(settings, name) for name in settings.optimizer}


def spread(scale: str, low: float, high: float) -> sweeps.Uniform | sweeps.LogUniform:
    """The dimension that is drawn: of a memory what it forgets; from 0 on no logarithm is taken."""
    if scale == "memory":
        low, high = 1 - high, 1 - low
    is_log = scale != "uniform" and low > 0
    return (sweeps.LogUniform if is_log else sweeps.Uniform)(low, high)


def number(scale: str, drawn: np.ndarray) -> np.ndarray:
    """What was drawn as the number itself."""
    if scale == "memory":
        return 1 - drawn
    return np.round(drawn) if scale == "whole" else drawn
