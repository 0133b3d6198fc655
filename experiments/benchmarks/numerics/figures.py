"""The numerics table as Markdown, and error against z as small multiples."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.benchmarks import machine, tables
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

ABOUT = """\
Each cell is the worst error in units of the last place (ulp) of the exact answer, and where it
is; 0.5 is the best that a format allows. Behind it the ways in which the answer dies, with the
place nearest to zero: NaN; inf where the exact answer is finite; 0 where it is a normal number,
so that no digit is left. The worst error is that of the answers that did not die. Where the
exact answer is below the smallest normal number an answer is right if it is as near as that:
XLA flushes subnormal numbers to zero. A dash: there is no such function or derivative.

For z the places are every exponent of the format, and both sides of log 2, 17, 37, 88, 103, 709,
745 and their like. A row of a softmax stands at the distance from its largest score to its
smallest, under *naive* at its largest score: it is size that kills exp. Every component counts
by its own exact value; the second derivative of log_softmax is that of its component 0. The
second derivative of a row in 16 bits passes through a first one rounded to 16 bits, and has no
bound.

- *naive*: 1 / (1 + exp(-z)), log(1 + exp(z)), log(sigmoid(z)), -y log p - (1 - y) log(1 - p),
  exp / sum, their logarithm, and jax.grad of these.
- *by hand*: the textbook's derivatives, p - y, p (1 - p) (1 - 2p), diag(p) - p pᵀ, from the p of
  jax.nn: a good p is not enough, p - y still cancels.
- *jax.nn* of log_loss_from_probability is `xlogy` and `xlog1py` of jax.scipy.special. XLA's
  float64 log1p(-p) alone is off by up to 128 ulp for p in [0.3, 0.42].
- *scipy*: expit, log_expit (also for softplus and log_loss), xlogy and xlog1py, softmax and
  log_softmax; it has no derivatives and no bfloat16; its float16 is float32 rounded once.
- *torch*: its own autograd, twice for the curvature.
"""


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


def page(results: dict) -> str:
    """Figure and tables, as Markdown."""
    about = machine.about(results["machine"])
    sections = [f"# Errors in the last place, and where formulas die\n\n{about}.\n\n{ABOUT}"]
    sections.append("![error against z](numerics.svg)\n")
    sections.append(f"## Worst of ours\n\n{_ours(results['cells'])}\n")
    for dtype in dict.fromkeys(row["format"] for row in results["cells"]):
        rows = [row for row in results["cells"] if row["format"] == dtype]
        sections.append(f"## {dtype}\n\n{_errors(rows)}\n")
    if results["speed"]:
        sections.append(f"## What it costs\n\n{_speed(results['speed'])}\n")
    return "\n".join(sections)


def _ours(cells: list[dict]) -> str:
    """Worst of each format and order, with the bound."""
    table = pd.DataFrame([cell for cell in cells if cell["peer"] == "jaxlr"])
    family = np.where(table.function.str.contains(", C = "), "rows", "numbers")
    table["derivative"] = table.order + ", functions of " + family
    table["limit"] = [f"{bound:g}" if bound > 0 else "-" for bound in table.bound]
    worst = table.groupby(["format", "derivative"], sort=False).worst_ulp.idxmax()
    columns = {
        "format": "{format}",
        "derivative": "{derivative}",
        "worst ulp": "{worst_ulp:.2f}",
        "bound": "{limit}",
        "of": "{function}",
        "at": "{at:.3g}",
    }
    return tables.of(table.loc[worst].to_dict("records"), columns)


def _errors(cells: list[dict]) -> str:
    lines = {}
    for cell in cells:
        line = lines.setdefault((cell["function"], cell["order"]), dict.fromkeys(peers.NAMES, "-"))
        line[cell["peer"]] = _text(cell)
    rows = [[*key, *line.values()] for key, line in lines.items()]
    return tables.markdown(["function", "", *peers.NAMES], rows)


def _text(cell: dict) -> str:
    error = cell["worst_ulp"]
    size = f"{error:.1f}" if error < 100 else f"{error:.0e}".replace("e+0", "e").replace("e+", "e")
    deaths = "".join(f"; {kind} at {where:.3g}" for kind, where in cell["dies"].items())
    return f"{size} at {cell['at']:.3g}{deaths}"


def _speed(rows: list[dict]) -> str:
    """Medians of interleaved rounds; the ratio is the median of the rounds' ratios."""
    told = []
    for row in rows:
        bold = "**" if row["ratio"] > REQUIRED else ""
        told.append(row | {"bold": bold, "scores": " x ".join(map(str, row["shape"]))})
    columns = {
        "function": "{function}",
        "scores": "{scores}",
        "format": "{dtype}",
        "": "{order}",
        "ours, ms": "{ours_ms:.1f}",
        "theirs, ms": "{theirs_ms:.1f}",
        "ours / theirs": "{bold}{ratio:.2f}{bold}",
        "compile ours, s": "{compile_ours:.2f}",
        "theirs, s": "{compile_theirs:.2f}",
    }
    return (
        "Value, and gradient of the sum, ours beside jax.nn or optax's of the same name: medians of"
        f" interleaved rounds in one process, on one device.\nRequired: at most {REQUIRED} of"
        f" theirs; in bold where it is more.\n\n{tables.of(told, columns)}"
    )
