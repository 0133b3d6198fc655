"""The ravine drawn: level lines, and each optimizer's path down them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from experiments.kit import style, words
from experiments.optimizers import ravine
from experiments.optimizers.figures import WIDTH, multiples, remark
from experiments.optimizers.ravine import Walk

LEVELS = tuple(ravine.value(ravine.START) * 4.0**-k for k in range(-1, 5))
WINDOW = ((-7.4, 2.6), (-3.4, 2.4))  # x and y


def lesson(walks: list[Walk]) -> Figure:
    """The lecture's picture: the same rate, without and with memory."""
    figure = Figure(figsize=(WIDTH, 2.75))
    for axes, walk in zip(figure.subplots(1, len(walks), sharey=True), walks, strict=True):
        axes.set_title(f"{walk.optimizer}: {walk.turns} turns in {ravine.STEPS} steps")
        down(axes, walk, size=3.2)
    return figure


def paths(walks: list[Walk]) -> Figure:
    """A panel per optimizer at its own best setting."""
    names = [walk.optimizer for walk in walks]
    figure, panels = multiples(names, height=1.3, sharex=True, sharey=True)
    for axes, walk in zip(panels, walks, strict=True):
        down(axes, walk, size=1.9)
        remark(axes, words.count(walk.turns, "turn"), height=0.04)
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    return figure


def down(axes: Axes, walk: Walk, size: float) -> None:
    """One path over the level lines, equal units both ways."""
    for level in LEVELS:
        radii = 2 * np.sqrt(2 * level * np.array([ravine.CONDITION, 1.0]))
        ring = Ellipse((0, 0), *radii, angle=np.rad2deg(ravine.ANGLE), fill=False, ec=style.RULE)
        axes.add_patch(ring)
    axes.plot(*walk.path.T, "-", color=style.ACCENT, lw=1.0)
    axes.plot(*walk.path.T, "o", color=style.ACCENT, ms=size, mew=0)
    axes.plot(*ravine.START, "o", mfc=style.PAPER, mec=style.ACCENT, ms=size + 2.5)
    axes.plot(0, 0, "+", color=style.WARM, ms=9, mew=1.8)
    axes.set(xlim=WINDOW[0], ylim=WINDOW[1], aspect="equal")
    axes.grid(visible=False)
