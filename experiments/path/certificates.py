"""How near each lane is to its optimum: proved bounds and estimates, and how they ended."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.kit import pages, style, words
from experiments.path.penalties import WIDE, penalty_axis, places

LOOKS = {
    "certified": {"marker": "o", "color": style.ACCENT},
    "solved": {"marker": "o", "facecolors": style.PAPER, "edgecolors": style.ACCENT},
    "stalled": {"marker": "s", "color": style.WARM},
    "budget": {"marker": "s", "facecolors": style.PAPER, "edgecolors": style.WARM},
    "stopped": {"marker": "s", "facecolors": style.PAPER, "edgecolors": style.INK},
    "separable": {"marker": "D", "color": style.INK},
    "nan": {"marker": "x", "color": style.INK},
}
MOST_LANES = 1_500  # more bars than this are a stain: the worst of each penalty then
LEAST = 1e-17  # a relative bound of 0 is drawn here; float64 rounds at 1e-16


def relative(lanes: pd.DataFrame) -> pd.DataFrame:
    """Gap and decrement in parts of the risk, and the place of each lane's penalty."""
    scale = lanes["risk"].abs().where(lanes["risk"] != 0, 1.0)
    return lanes.assign(
        gap=lanes["gap"] / scale, decrement=lanes["decrement"] / scale, at=places(lanes["lambda"])
    )


def worst(lanes: pd.DataFrame) -> pd.DataFrame:
    """The lanes to draw: all, or of each penalty and status the one with the widest bound."""
    if len(lanes) <= MOST_LANES:
        return lanes
    if lanes["lambda"].nunique() > 300:  # penalties of layers with ranges of their own
        steps = np.log(lanes["at"])
        steps = (steps - steps.min()) / max(np.ptp(steps), 1e-12)
        lanes = lanes.assign(group=np.round(steps * 150))
    else:
        lanes = lanes.assign(group=lanes["lambda"])
    ordered = lanes.sort_values("gap", kind="stable", na_position="first")
    return ordered.groupby(["group", "status"], sort=False).tail(1)


def draw(lanes: pd.DataFrame, tol: float) -> Figure:
    """A bar per lane from its estimate up to its proved bound, by penalty and status."""
    lanes = relative(lanes)
    shown = worst(lanes)
    figure = Figure(figsize=(WIDE, 4.6))
    axes = figure.subplots()
    values = lanes[["gap", "decrement"]].to_numpy()
    seen = values[np.isfinite(values) & (values > LEAST)]
    low, high = (seen.min(), seen.max()) if len(seen) else (tol, tol)
    low, high = min(low, tol / 10), max(high, tol * 10)
    style.log_axis(axes, "y", low, high)
    floor, roof = axes.get_ylim()
    x = _beside(shown)
    tops = shown["gap"].clip(floor, roof).fillna(roof)
    feet = shown["decrement"].clip(floor, roof).fillna(floor)
    size = float(np.clip(4000 / max(len(shown), 1), 6, 26))
    axes.vlines(x, feet, tops, style.MUTED, lw=0.5, alpha=0.7)
    axes.scatter(x, feet, size * 1.6, style.MUTED, marker="_", linewidths=0.9, label="estimate")
    for status, look in LOOKS.items():
        here = shown["status"] == status
        if here.any():
            axes.scatter(
                x[here],
                tops[here],
                size,
                label=status,
                linewidths=0.9,
                zorder=3,
                **look,
                clip_on=False,
            )
    axes.axhline(tol, color=style.WARM, lw=1.2, ls=(0, (4, 3)), label="tol")
    penalty_axis(axes, lanes["lambda"].to_numpy())
    left, right = axes.get_xlim()  # many lanes of few penalties reach beyond these
    axes.set_xlim(max(left, 1.05 * x.max()), min(right, x.min() / 1.05))
    axes.set_ylabel("in parts of the risk")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=8)
    return figure


def endings(lanes: pd.DataFrame) -> list[list[str]]:
    """How the lanes ended: status, what it means, lanes, share, steps in the median and at most."""
    means, rows = pages.macros("path/words.html").ending, []
    for status in LOOKS:
        steps = lanes.loc[lanes["status"] == status, "num_steps"]
        if len(steps):
            share = words.percent(len(steps) / len(lanes))
            told = f"{len(steps):,}", share, f"{steps.median():,.0f}", f"{steps.max():,}"
            rows.append([status, means(status), *told])
    return rows


def _beside(lanes: pd.DataFrame) -> pd.Series:
    """Places on the axis, lanes of one penalty side by side."""
    penalties = np.unique(lanes["at"])
    ratio = np.min(penalties[1:] / penalties[:-1]) if len(penalties) > 1 else 2.0
    groups = lanes.groupby("at")["at"]
    share = (groups.cumcount() - (groups.transform("size") - 1) / 2) / groups.transform("size")
    return lanes["at"] * min(ratio, 2.0) ** (-0.8 * share)
