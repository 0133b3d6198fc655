"""The ravine as the lectures draw it: level lines, the ring at 1 % of the start, a path."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from experiments.kit import style
from experiments.optimizers import ravine, ravine_figures

GOAL = 0.01  # of the value at the start


def draw(walk: ravine.Walk, title: str, behind=(), size: float = 3.2) -> Figure:
    """One walk; `behind`: other paths [T + 1, 2], faint."""
    figure, axes = style.panel(6.6, 3.9)
    for other in behind:
        axes.plot(*other.T, color=style.MUTED, lw=0.8, alpha=0.35)
    ravine_figures.down(axes, walk, size)
    radii = 2 * np.sqrt(2 * GOAL * walk.values[0] * np.array([ravine.CONDITION, 1.0]))
    ring = Ellipse((0, 0), *radii, angle=np.rad2deg(ravine.ANGLE), fill=False, ls="--")
    ring.set(edgecolor=style.WARM, linewidth=1.4)
    axes.add_patch(ring)
    axes.set_title(title)
    axes.set_xlabel("w₁")
    axes.set_ylabel("w₂", rotation=0)
    return figure


def first(walk: ravine.Walk, steps: int) -> ravine.Walk:
    """The walk's first steps."""
    return ravine.Walk(walk.optimizer, walk.hyper, walk.path[: steps + 1], walk.values[: steps + 1])
