"""The ravine as the lectures draw it: level lines, the ring at 1 % of the start, a path."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from experiments import ravine, ravine_figures
from experiments.kit import style

GOAL = 0.01  # of the value at the start


def draw(walks: list[ravine.Walk], titles: list[str], behind=(), size: float = 3.2) -> Figure:
    """A panel for each walk, one above the other; `behind`: other paths [T + 1, 2], faint."""
    figure = Figure(figsize=(6.6, 3.9 * len(walks)))
    panels = np.atleast_1d(figure.subplots(len(walks), 1, sharex=True))
    for axes, walk, title in zip(panels, walks, titles, strict=True):
        for other in behind:
            axes.plot(*other.T, color=style.MUTED, lw=0.8, alpha=0.35)
        ravine_figures.down(axes, walk, size)
        radii = 2 * np.sqrt(2 * GOAL * walk.values[0] * np.array([ravine.CONDITION, 1.0]))
        ring = Ellipse((0, 0), *radii, angle=np.rad2deg(ravine.ANGLE), fill=False, ls="--")
        ring.set(edgecolor=style.WARM, linewidth=1.4)
        axes.add_patch(ring)
        axes.set_title(title)
        axes.set_ylabel("w₂", rotation=0)
    panels[-1].set_xlabel("w₁")
    return figure


def first(walk: ravine.Walk, steps: int) -> ravine.Walk:
    """The walk's first steps."""
    return ravine.Walk(walk.optimizer, walk.hyper, walk.path[: steps + 1], walk.values[: steps + 1])
