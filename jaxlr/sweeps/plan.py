"""What a sweep will compile: its lanes, grouped by static settings."""

from typing import Any, NamedTuple

import numpy as np

from jaxlr.sweeps.spaces import Design


class Group(NamedTuple):
    """Points that share a program: the static settings, their places in the design, the numbers."""

    settings: dict[str, Any]
    points: np.ndarray
    hypers: dict[str, np.ndarray]


def groups(design: Design) -> list[Group]:
    """The design's points by static settings; their number is the number of compilations."""
    names = list(design.settings)
    keys = list(zip(*design.settings.values(), strict=True)) or [()] * design.num_points
    return [
        _group(dict(zip(names, key, strict=True)), keys, key, design)
        for key in dict.fromkeys(keys)  # in order of first appearance
    ]


def _group(settings, keys, key, design) -> Group:
    points = np.array([i for i, other in enumerate(keys) if other == key])
    return Group(settings, points, {name: v[points] for name, v in design.hypers.items()})
