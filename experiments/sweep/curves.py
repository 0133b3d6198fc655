"""Loss curves: the best, the median and the worst finite configuration, and those that diverged."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.kit import pages, style, words
from experiments.sweep.study import Findings

MOST_DIVERGED = 25  # more lines than this say nothing
LOOKS = {
    "best": {"color": style.ACCENT, "lw": 2.2},
    "chosen": {"color": style.ACCENT, "lw": 1.6, "ls": (0, (5, 2))},
    "median": {"color": style.INK, "lw": 1.6},
    "worst finite": {"color": style.INK, "lw": 1.4, "ls": (0, (1, 1.5))},
}


class Parts(NamedTuple):
    """Curves [·, S]: the lines with a role, those finite to the end, and those that diverged."""

    lines: pd.DataFrame
    finite: pd.DataFrame
    lost: pd.DataFrame


def panels(findings: Findings, loss_name: str, guessing: float):
    """(name, figure, alt text) of training risk and validation loss by epoch."""
    titles = {"risk": "training risk", loss_name: f"validation {words.name(loss_name)}"}
    return [
        (f"curve-{key.replace('_', '-')}", draw(findings, key, title, loss_name, guessing), alt)
        for key, title in titles.items()
        for alt in [f"{title.capitalize()} by epoch: best, median and worst configuration"]
    ]


def per_config(findings: Findings, key: str) -> pd.DataFrame:
    """The mean over folds [configurations × S]; NaN from the moment that a fold diverges."""
    values = findings.curves[key]
    table = pd.DataFrame(np.where(np.isfinite(values), values, np.nan))
    of_config = findings.lanes["config"].to_numpy()
    return table.groupby(of_config).mean().mask(table.isna().groupby(of_config).any())


def roles(configs: pd.DataFrame, chosen: int | None) -> dict[str, int]:
    """Which configuration plays the best, the chosen, the median and the worst, without repeats."""
    finite = lasting(configs)["config"].tolist()
    if not finite:
        return {}
    cast = {"best": finite[0], "chosen": chosen, "median": finite[len(finite) // 2]}
    cast["worst finite"] = finite[-1]
    taken = {}
    for role, config in cast.items():
        if config not in taken.values():
            taken[role] = config
    return taken


def lasting(configs: pd.DataFrame) -> pd.DataFrame:
    """The finite configurations whose curves go to the end: none of those that were pruned."""
    stayed = ~configs["pruned"] if "pruned" in configs else True
    return configs[configs["mean"].notna() & stayed]


def draw(findings: Findings, key: str, title: str, loss_name: str, guessing: float) -> Figure:
    """One panel: quantile bands over configurations, the lines that matter, and the limits."""
    figure, axes = style.panel(height=4.0)
    seen, epochs = parts(findings, key), findings.epochs_seen
    if len(seen.finite) > 4:
        _bands(axes, epochs, seen.finite)
    _lost(axes, epochs, seen.lost)
    for role, line in seen.lines.iterrows():
        mark = "o" if len(epochs) == 1 else None
        axes.plot(epochs, line, label=role, marker=mark, **LOOKS[role])
    low, high = window(seen, guessing)
    if low > 0 and high > 4 * low:
        style.log_axis(axes, "y", low, high)
    elif high > low:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set_title(title)
    epochs_along(axes)
    axes.set_ylabel(f"{title} ({words.UNITS[loss_name]})")
    style.legend_below(figure, axes)
    return figure


def epochs_along(axes: Axes) -> None:
    """Whole epochs along the x axis."""
    axes.set_xlabel("epochs")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))


def parts(findings: Findings, key: str) -> Parts:
    """The curves of `key` by what is drawn of them."""
    curves, configs = per_config(findings, key), findings.configs
    finite = curves.loc[configs.loc[configs["mean"].notna(), "config"]]
    cast = roles(configs, findings.chosen and findings.chosen["config"])
    lines = curves.loc[list(cast.values())].set_axis(list(cast), axis=0)
    lost = curves.loc[configs.loc[configs["mean"].isna(), "config"]]
    return Parts(lines, finite[np.isfinite(finite).all(axis=1)], lost)


def window(seen: Parts, guessing: float) -> tuple[float, float]:
    """From the lowest thing drawn to the highest, but not far above guessing and the median."""
    drawn = [seen.lines] if len(seen.lines) else [seen.lost]
    if len(seen.finite):
        drawn.append(seen.finite.quantile([0.1, 0.9]))
    values = np.concatenate([np.ravel(part) for part in drawn])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 0.0
    return values.min(), min(values.max(), max(3 * guessing, 2 * np.median(values)))


def caption(findings: Findings, loss_name: str, guessing: float) -> str:
    """The curves in words."""
    configs, lanes = findings.configs, findings.lanes
    best, means = configs.iloc[0], lasting(configs)["mean"].tolist()
    risk = lanes.loc[lanes["config"] == best["config"], "risk"].mean()
    seen = parts(findings, loss_name)
    top = window(seen, guessing)[1]
    alive = np.isfinite(findings.curves["risk"]).any()
    died = lanes.loc[lanes["status"] == "diverged", "died_at"]
    steps, last = findings.steps, findings.epochs_seen[-1]
    ended = steps.loc[steps["config"] == best["config"], "epoch"].max()
    told = words.name(loss_name), ended, means, risk, top, alive, died
    pruned = "pruned" in configs, "rows" in configs
    return pages.macros("sweep/words.html").curves(*told, last, len(seen.finite), *pruned)


def _bands(axes: Axes, epochs, finite: pd.DataFrame) -> None:
    bands = ((0.1, 0.9, "middle 80%", 0.12), (0.25, 0.75, "middle 50%", 0.22))
    for low, high, label, alpha in bands:
        edges = finite.quantile([low, high])
        axes.fill_between(
            epochs, *edges.to_numpy(), color=style.ACCENT, alpha=alpha, lw=0, label=label
        )


def _lost(axes: Axes, epochs, lost: pd.DataFrame) -> None:
    """Lines that end in a cross, and a cross on the first epoch for those dead by then."""
    label = "diverged"
    for _, line in lost.iloc[:MOST_DIVERGED].iterrows():
        alive = int(np.isfinite(line).sum())
        if alive:
            axes.plot(epochs[:alive], line[:alive], color=style.WARM, lw=0.8, alpha=0.7)
            axes.plot(epochs[alive - 1], line[alive - 1], "x", color=style.WARM, ms=6, label=label)
            label = None
    stillborn = int(np.isnan(lost).all(axis=1).sum())
    if stillborn:
        text = f"{stillborn:,} diverged before the first evaluation"
        axes.text(
            0.02, 0.98, text, color=style.WARM, transform=axes.transAxes, va="top", fontsize=9
        )
