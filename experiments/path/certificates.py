"""How near each lane is to its optimum: proved bounds and estimates, and the endings in words."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.kit.markup import Markup, table
from experiments.path.penalties import WIDE, penalty_axis, places

MEANINGS = {
    "certified": "Proved: the bound on risk − optimum is at most tol × risk.",
    "solved": "Estimated: the Hessian at the end point says so; the proved bound is wider.",
    "stalled": "No step lowered the risk any more, before the tolerance was proved or estimated.",
    "budget": "Out of steps before the tolerance was reached.",
    "separable": "No finite optimum: a direction separates the classes and λ = 0 does not stop it.",
    "nan": "Something was not a number; the lane has no answer.",
}
LOOKS = {
    "certified": {"marker": "o", "color": style.ACCENT},
    "solved": {"marker": "o", "facecolors": style.PAPER, "edgecolors": style.ACCENT},
    "stalled": {"marker": "s", "color": style.WARM},
    "budget": {"marker": "s", "facecolors": style.PAPER, "edgecolors": style.WARM},
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
    axes.set_ylabel("in parts of the risk")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=8)
    return figure


def caption(lanes: pd.DataFrame, tol: float) -> str:
    """The certificates in words."""
    found = relative(lanes)
    proved = found[found["status"] == "certified"]
    text = (
        f"Each bar is a lane: it ends below at the estimate (half the squared Newton decrement) "
        f"and above at the proved bound on risk − optimum, both divided by the risk. "
        f"{len(proved):,} of {words.count(len(found), 'lane')} lie below the line, tol = "
        f"{words.tidy(tol)}, by proof"
    )
    if len(proved):
        text += f"; half of those below {words.number(proved['gap'].median())}"
    text += "."
    rest = found[found["status"] != "certified"]
    if len(rest):
        low, high = rest["lambda"].min(), rest["lambda"].max()
        span = words.interval(low, high) if low < high else words.number(low)
        text += f" The others have λ {span}."
    if np.isinf(found["gap"]).any():
        text += " A bound of ∞ is drawn at the top."
    if len(found) > MOST_LANES:
        text += " Of each penalty and status, only the lane with the widest bound is drawn."
    return text


def statuses(lanes: pd.DataFrame) -> Markup:
    """How the lanes ended: status, lanes, share, steps, what it means."""
    rows = []
    for status, meaning in MEANINGS.items():
        here = lanes[lanes["status"] == status]
        if len(here):
            share, steps = words.percent(len(here) / len(lanes)), here["num_steps"]
            rows.append(
                [status, meaning, f"{len(here):,}", share, f"{steps.median():,.0f}"]
                + [f"{steps.max():,}"]
            )
    head = ["ending", "what it means", "lanes", "share", "steps, median", "most"]
    return table(head, rows, "How the lanes ended.", texts=2)


def _beside(lanes: pd.DataFrame) -> pd.Series:
    """Places on the axis, lanes of one penalty side by side."""
    penalties = np.unique(lanes["at"])
    ratio = np.min(penalties[1:] / penalties[:-1]) if len(penalties) > 1 else 2.0
    groups = lanes.groupby("at")["at"]
    share = (groups.cumcount() - (groups.transform("size") - 1) / 2) / groups.transform("size")
    return lanes["at"] * min(ratio, 2.0) ** (-0.8 * share)
