"""Layer × target: how good every probe is, and which layer serves a target best."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.kit import style, words
from experiments.path.findings import Findings, Probe, leading
from experiments.path.penalties import WIDE
from experiments.path.settings import Plan

MOST_NUMBERS = 400  # cells that have room for a number
CELL = 0.34  # inches, the height of a row
INKS = ("#ffffff", "#101418")  # on dark and on light cells, whatever the page's theme


def maps(found: Findings, plan: Plan) -> list[tuple[str, Figure, str]]:
    """(name, figure, alt text) of a heat map for each kind of merit: accuracy, R²."""
    kinds = {}
    for probe in found.probes:
        kinds.setdefault(probe.merit[0], []).append(probe)
    return [
        (f"layers-{i}", draw(probes, name, plan), f"Test {name} of every layer and target")
        for i, (name, probes) in enumerate(kinds.items())
    ]


def draw(probes: list[Probe], name: str, plan: Plan) -> Figure:
    """Rows are targets, columns layers; a frame around each target's best layer."""
    layers = list(dict.fromkeys(probe.layer for probe in probes))
    targets = list(dict.fromkeys(probe.target for probe in probes))
    values = np.array([probe.merit[1] for probe in probes]).reshape(len(layers), len(targets)).T
    height = float(np.clip(CELL * len(targets), 0.5, 14))
    width = float(np.clip(0.62 * len(layers) + 3.2, 4.7, WIDE))
    figure = Figure(figsize=(width, height + 1.35))
    axes = figure.subplots()
    bases = [next(p for p in probes if p.target == target).base_rate for target in targets]
    lifts = values - np.array(bases)[:, None]
    finite = lifts[np.isfinite(lifts)]
    low, high = (min(finite.min(), 0.0), finite.max()) if len(finite) else (0.0, 1.0)
    high = high if high > low else low + 1e-3
    image = axes.pcolormesh(lifts, cmap=style.MAGNITUDE, vmin=low, vmax=high, shading="flat")
    if values.size <= MOST_NUMBERS:
        _numbers(axes, values, (lifts - low) / (high - low), name)
    for t, target in enumerate(targets):
        best = leading([probe for probe in probes if probe.target == target], plan)
        if len(layers) > 1:
            corner = (layers.index(best.layer) + 0.03, t + 0.04)
            axes.add_patch(Rectangle(corner, 0.94, 0.92, fill=False, ec=style.WARM, lw=2.2))
    said = [words.clipped(target, 20 if name == "accuracy" else 24) for target in targets]
    if name == "accuracy":
        said = [f"{text} ({100 * base:.0f})" for text, base in zip(said, bases, strict=True)]
    _names(axes, layers, said)
    bar = figure.colorbar(image, ax=axes, aspect=max(height / 0.12, 4), pad=0.02, fraction=0.05)
    bar.outline.set_visible(False)
    bar.set_label("above the base rate" if name == "accuracy" else f"test {name}")
    if name == "accuracy":
        ticks = bar.get_ticks()
        ticks = [tick for tick in ticks if low <= tick <= high]
        bar.set_ticks(ticks, labels=[words.percent(tick) for tick in ticks])
    return figure


def _numbers(axes: Axes, values: np.ndarray, shades: np.ndarray, name: str) -> None:
    for t, layer in np.argwhere(np.isfinite(values)):
        value = values[t, layer]
        text = f"{100 * value:.1f}" if name == "accuracy" else f"{value:.2f}"
        colour = INKS[int(shades[t, layer] > 0.62)]
        axes.text(layer + 0.5, t + 0.5, text, color=colour, ha="center", va="center", fontsize=8.5)


def _names(axes: Axes, layers: list[str], targets: list[str]) -> None:
    every = max(1, -(-len(targets) // 60))
    shown = range(0, len(targets), every)
    axes.set_yticks([t + 0.5 for t in shown], [targets[t] for t in shown])
    every = max(1, -(-len(layers) // 40))
    shown = range(0, len(layers), every)
    names = [words.clipped(layers[i], 24) for i in shown]
    turned = max(map(len, names)) > 7
    axes.set_xticks([i + 0.5 for i in shown], names, rotation=35 if turned else 0)
    if turned:
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    axes.set_ylim(len(targets), 0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
