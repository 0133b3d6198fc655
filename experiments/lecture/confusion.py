"""A confusion matrix as a picture: blue is right, orange is wrong."""

import numpy as np
from matplotlib.patches import Rectangle

from experiments.kit import style


def drawn(axes, counts, classes, say, *, names=None, of=None) -> None:
    """Rows are the truth and columns the answer.

    Args:
      axes: to draw on.
      counts: [C, C].
      classes: [C] what they are called.
      say: chooses the language.
      names: {(row, column): what the cell is called}.
      of: the one class whose hits, misses and false alarms are coloured; None for all.
    """
    for row, column in np.ndindex(counts.shape):
        is_told = of is None or of in (row, column)
        colour = style.MUTED if not is_told else style.ACCENT if row == column else style.WARM
        cell = Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.22 if is_told else 0.1)
        axes.add_patch(cell)
        centre = {"ha": "center", "va": "center"}
        axes.text(column + 0.5, row + 0.45, f"{counts[row, column]:g}", fontsize=18, **centre)
        axes.text(column + 0.5, row + 0.8, (names or {}).get((row, column), ""), **centre)
    places = np.arange(len(classes)) + 0.5
    axes.set(xlim=(0, len(classes)), ylim=(len(classes), 0), xticks=places, yticks=places)
    axes.set_xticklabels(classes)
    axes.set_yticklabels(classes, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.set_xlabel(say("the answer", "ответ"))
    axes.set_ylabel(say("the truth", "истина"))
    axes.grid(visible=False)
    for line in range(1, len(classes)):
        axes.axhline(line, color=style.PAPER, lw=3)
        axes.axvline(line, color=style.PAPER, lw=3)
