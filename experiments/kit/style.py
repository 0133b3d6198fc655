"""How page and figures look: one palette, light, dark and on paper, for HTML and SVG alike.

Figures are drawn in stand-in colours, which become the page's CSS variables in the SVG; so a figure
follows the reader's theme.
"""

import io
import itertools
import re
import warnings

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.kit import words
from experiments.kit.markup import Markup, element

INK, MUTED, RULE, ACCENT, WARM, PAPER = (f"#00000{i}" for i in range(1, 7))
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    ACCENT: "accent",
    WARM: "warm",
    PAPER: "paper",
}
FIXED = {INK: "#7d8893", MUTED: "#8a949e", RULE: "#a3abb2", ACCENT: "#3c8dc4"}
FIXED |= {WARM: "#d2682f", PAPER: None}
LARGEST, MOST_POINTS = 250_000, 15_000  # characters and points of a picture
DIGITS = r"-?\d+\.\d{3,}"
# viridis without its palest end, which white paper would swallow; dark is good.
MAGNITUDE = ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.93, 256)), "magnitude")

RC = {
    "svg.fonttype": "none",  # words stay words: searchable, and in the page's own font
    "svg.hashsalt": "jaxlr",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so widths are the same everywhere
    "font.size": 9.5,
    "text.parse_math": False,  # a class may be called $x$
    "axes.unicode_minus": True,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.labelcolor": INK,
    "figure.constrained_layout.use": True,
}


def panel(width: float = 4.7, height: float = 3.7, **options) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; inches."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(**options)


def legend_below(figure: Figure, axes: Axes) -> None:
    """What the axes' marks mean, if anything, under the figure."""
    marks, labels = axes.get_legend_handles_labels()
    if labels:
        ncols = 2 if max(map(len, labels)) > 20 else 3
        figure.legend(marks, labels, loc="outside lower center", ncols=ncols)


def colour_bar(figure: Figure, axes, dots, ticks: dict[float, str], label: str, **options):
    """What the colours mean, with `ticks` {value: text}, or matplotlib's own."""
    bar = figure.colorbar(dots, ax=axes, **options)
    if ticks:
        bar.set_ticks(list(ticks), labels=list(ticks.values()))
        bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label(label)
    return bar


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """A logarithmic axis over [low, high] with ticks that are round numbers."""
    room = (high / low) ** 0.04 if high > low else 1.5
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low / room, high * room)
    ticks = log_ticks(low / room, high * room)
    getattr(axes, f"set_{which}ticks")(ticks, [words.tidy(tick) for tick in ticks])
    getattr(axes, f"set_{which}ticks")([], minor=True)


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers inside [low, high]: whole decades if they suffice, else 1-2-5, or finer."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), range(1, 10)):
        ticks = [float(f"{step}e{k}") for k, step in itertools.product(decades, steps)]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= 3:
            return inside[:: -(-len(inside) // most)]
    return [float(f"{tick:.2g}") for tick in np.geomspace(low, high, 4)[1:-1]]


def picture(name: str, figure: Figure, alt: str) -> Markup:
    """The figure as inline SVG under the page's variables; `name` keeps its ids apart.

    Where there are too many lines and dots, they become an image in it.
    """
    if _points(figure) > MOST_POINTS:
        _as_image(figure)
    svg = _drawn(figure)
    if len(svg) > LARGEST:
        _as_image(figure)
        svg = _drawn(figure, 90)
    svg = _with_own_ids(svg, name)
    svg = re.sub("#00000[1-6]", lambda found: f"var(--{VARIABLES[found[0]]})", svg)
    box = re.search(r'viewBox="[^"]*"', svg)[0]
    widest = figure.get_figwidth() * 96 * 1.2  # CSS pixels; no coarser than a little enlarged
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{box} style="max-width:{widest:.0f}px" role="img" aria-labelledby="{name}-title">'
    )
    body = svg[svg.index(">") + 1 :].strip()
    return Markup(head + element("title", alt, id=f"{name}-title") + body)


def _drawn(figure: Figure, dots_per_inch: int = 150) -> str:
    """The figure as SVG text, places to a hundredth of a point."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # Only widths are measured with matplotlib's font; the browser has the glyphs.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, dpi=dots_per_inch)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    # The metadata has the date in it, and the style would rule the whole page.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    return re.sub(
        r' (d|x|y|points|transform)="([^"]*)"',
        lambda found: f' {found[1]}="{re.sub(DIGITS, _rounded, found[2])}"',
        svg,
    )


def _points(figure: Figure) -> int:
    """How many corners the figure's lines and areas have, and how many dots there are."""
    lines = [len(line.get_xdata()) for axes in figure.axes for line in axes.lines]
    areas = [
        len(area.get_offsets()) + sum(len(path.vertices) for path in area.get_paths())
        for axes in figure.axes
        for area in axes.collections
    ]
    return sum(lines) + sum(areas)


def _rounded(number: re.Match) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _as_image(figure: Figure) -> None:
    """Lines and dots are to be drawn as pixels, in colours that light and dark grounds bear."""
    for axes in figure.axes:
        for artist in (*axes.lines, *axes.collections):
            artist.set_rasterized(True)
            if isinstance(artist, Line2D):
                artist.set_color(_fixed(artist.get_color()))
                artist.set_markerfacecolor(_fixed(artist.get_markerfacecolor()))
                artist.set_markeredgecolor(_fixed(artist.get_markeredgecolor()))
            else:
                artist.set_facecolor([_fixed(colour) for colour in artist.get_facecolor()])
                artist.set_edgecolor([_fixed(colour) for colour in artist.get_edgecolor()])


def _fixed(colour):
    """A stand-in's own colour in an image, which can't follow the reader's theme."""
    *rgb, alpha = to_rgba(colour)
    stands_for = FIXED.get(to_hex(rgb), rgb)
    return (*to_rgb(stands_for), alpha) if stands_for else (0, 0, 0, 0)


def _with_own_ids(svg: str, name: str) -> str:
    """Ids that something refers to get the name in front, and the others go."""
    used = set(re.findall(r'(?:url\(#|href="#)([\w.-]+)', svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda i: f' id="{name}-{i[1]}"' if i[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)
