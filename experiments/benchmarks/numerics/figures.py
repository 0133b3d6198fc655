"""The numerics table as Markdown, and error against z as small multiples."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.benchmarks.numerics import peers
from experiments.benchmarks.numerics.speed import REQUIRED
from tests.truth import exact

PANELS = (("softplus", 0), ("log_sigmoid", 1), ("sigmoid", 1), ("sigmoid", 2))
TITLES = ("value of {}", "slope of {}", "curvature of {}")
RANGES = {"float32": 110, "float64": 760}  # a little beyond the end of exp
LINE = {  # widest first, so that what lies below still shows
    "naive": {"color": "#999999", "linewidth": 2.4},
    "jax.nn": {"color": "#d55e00", "linewidth": 1.4},
    "jaxlr": {"color": "#0072b2", "linewidth": 1.4},
}
BINS, PER_BIN, NEAR_ZERO = 180, 6, 0.01
BOUNDS = (4, 4, 8)


def curves() -> list[dict]:
    """The worst error of each bin of z, for the panels of the figure."""
    rows = []
    for dtype, end in RANGES.items():
        top = np.arcsinh(end / NEAR_ZERO)
        edges = np.linspace(-top, top, BINS * PER_BIN)
        z = (NEAR_ZERO * np.sinh(edges)).astype(dtype)
        answers = [exact.logistic_curves(float(one)) for one in z]
        for function, order in PANELS:
            right = exact.numbers(answer[function][order] for answer in answers)
            contestants = peers.contestants(function)
            middles = [float(f"{one:.4g}") for one in z.reshape(BINS, PER_BIN).mean(axis=1)]
            panel = {"format": dtype, "function": function, "order": order, "z": middles}
            for peer in LINE:
                found = np.asarray(contestants[peer](order, z))
                errors = exact.ulp_errors(found, right, jnp.dtype(dtype))
                worst = np.minimum(errors, 1e30).reshape(BINS, PER_BIN).max(axis=1)
                panel[peer] = [float(f"{one:.3g}") for one in worst]
            rows.append(panel)
    return rows


def small_multiples(panels: list[dict]) -> Figure:
    """A row per format, a column per function; error in ulps against z."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    grid = figure.subplots(len(RANGES), len(PANELS), sharex="row", sharey="row")
    for axes, panel in zip(grid.ravel(), panels, strict=True):
        lost = 1 / float(jnp.finfo(panel["format"]).eps)
        for name, style in LINE.items():
            axes.plot(panel["z"], np.clip(panel[name], 0.3, lost * 8), label=name, **style)
        bound, no_digit = BOUNDS[panel["order"]], "no digit left; above: NaN, inf"
        axes.axhline(bound, color="#0072b2", linewidth=1, linestyle=":", label="our bound")
        axes.axhline(lost, color="#555555", linewidth=1, linestyle="--", label=no_digit)
        axes.set_xscale("symlog", linthresh=NEAR_ZERO)
        axes.set(yscale="log", ylim=(0.25, lost * 12))
        axes.set_xticks([-100, -1, 0, 1, 100], labels=["-100", "-1", "0", "1", "100"])
        axes.minorticks_off()
        axes.set_title(TITLES[panel["order"]].format(panel["function"]), fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    for axes, name in zip(grid[:, 0], RANGES, strict=True):
        axes.set_ylabel(f"{name}: error in ulp")
    for axes in grid[-1]:
        axes.set_xlabel("z")
    lines, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def told(results: dict) -> dict:
    """What the page tells beside the results: the worst of ours, and cells by format and line."""
    own = pd.DataFrame([cell for cell in results["cells"] if cell["peer"] == "jaxlr"])
    family = np.where(own.function.str.contains(", C = "), "rows", "numbers")
    own["derivative"] = own.order + ", functions of " + family
    worst = own.groupby(["format", "derivative"], sort=False).worst_ulp.idxmax()
    formats = {}
    for cell in results["cells"]:
        lines = formats.setdefault(cell["format"], {})
        key = cell["function"], cell["order"]
        lines.setdefault(key, dict.fromkeys(peers.NAMES))[cell["peer"]] = cell
    worst = own.loc[worst].to_dict("records")
    return {"worst": worst, "formats": formats, "peers": peers.NAMES, "required": REQUIRED}
