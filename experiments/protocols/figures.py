"""Figures of protocols: scores by model and task, and the curve that chose a penalty."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.path.penalties import WIDE, spread

SHADES = (style.ACCENT, style.WARM, style.INK, style.MUTED)
MARKS = "osD^vP"
# What a row of a curve says of a fit, beside what was tried and what chose.
ENDING = ("lambda", "l1_ratio", "risk", "gap", "decrement", "status", "num_steps", "chosen", "fold")

Drawn = list[tuple[str, Figure, str]]


def look(at: int) -> dict:
    """Colour and mark of one line among others."""
    return {"color": SHADES[at % len(SHADES)], "marker": MARKS[at // len(SHADES) % len(MARKS)]}


def board(scores: pd.DataFrame, name: str) -> Drawn:
    """Scores [models, tasks], a line for each task, models in the order that was given."""
    if len(scores) < 2:
        return []
    figure = Figure(figsize=(WIDE, 4.0))
    axes = figure.subplots()
    at = np.arange(len(scores))
    for place, task in enumerate(scores):
        axes.plot(at, scores[task], lw=1.8, ms=5, **look(place))
    ends = scores.ffill().iloc[-1].to_numpy()  # the last model may not have every task
    low, high = axes.get_ylim()
    gap = 0.055 * (high - low)
    for height, task, place in zip(
        spread(ends, gap, low, high), scores, range(len(ends)), strict=True
    ):
        text = words.clipped(str(task), 26)
        axes.annotate(
            text,
            (at[-1], height),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=look(place)["color"],
            annotation_clip=False,
        )
    names = [words.clipped(str(model), 24) for model in scores.index]
    turned = max(map(len, names)) * len(names) > 90
    ends = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    axes.set_xticks(at, names, **ends)
    axes.set_ylabel(words.name(name))
    return [("board", figure, f"{words.name(name)} of every model on every task")]


def curve(name: str, tried: pd.DataFrame) -> Drawn:
    """What chose, against what was tried, on a logarithmic axis; the choice is marked."""
    if len(tried) < 2:
        return []
    x, y = columns(tried)
    figure = Figure(figsize=(WIDE, 3.6))
    axes = figure.subplots()
    for _, one in tried.sort_values(x).groupby(tried.get("try", pd.Series(0, tried.index))):
        axes.plot(one[x], one[y], color=style.ACCENT, lw=1.6, marker="o", ms=3.5)
    style.log_axis(axes, "x", tried[x].min(), tried[x].max())
    if "searched" in tried:
        rings = tried[tried["searched"]]
        look = {"facecolors": style.PAPER, "edgecolors": style.INK, "zorder": 2}
        axes.scatter(rings[x], rings[y], 34, label="looked at by the original's search", **look)
    if "chosen" in tried:
        taken = tried[tried["chosen"] > 0]
        size = 40 + 30 * (taken["chosen"] - 1)
        axes.scatter(taken[x], taken[y], size, style.WARM, zorder=3, label="chosen")
    style.legend_below(figure, axes)
    axes.set_xlabel(words.name(x))
    axes.set_ylabel(words.name(y))
    return [
        (f"curve-{name}", figure, f"{words.name(y)} against {words.name(x)}, the choice marked")
    ]


def columns(tried: pd.DataFrame) -> tuple[str, str]:
    """What was tried, the first column, and what chose, the next that tells of no ending."""
    x, *others = tried.columns
    return x, next(name for name in others if name not in ENDING)
