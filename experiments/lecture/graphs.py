"""The computational graph of the chain rule: values on the way up, derivatives on the way down."""

from types import SimpleNamespace
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from experiments.kit import style, words

FAINT = 0.4


class Level(NamedTuple):
    """One quantity of a chain, and the arrow that leads to it from the level below.

    name, value: of the quantity. forward: how it is made of the one below.
    local: (its derivative by the one below, in letters and as a number); whole: ∂L by itself.
    """

    name: str
    value: float
    forward: str
    local: tuple[str, float]
    whole: float


class Graph(NamedTuple):
    """levels: from the lowest score to the loss; leaves: (name, value, ∂z/∂leaf or None).

    parameters: (where, name, value, local derivative) of those of a higher level.
    """

    levels: list[Level]
    leaves: list[tuple[str, float, float | None]]
    parameters: dict[int, list[tuple[float, str, float, float]]]


def shallow(v: SimpleNamespace) -> Graph:
    """Logistic regression: wᵀx + b → σ → loss."""
    d_z = v.d_prediction * v.d_score
    levels = [
        Level("z", v.z, "wᵀx + b", ("", 0), d_z),
        Level("ŷ", v.prediction, "σ(z)", ("∂ŷ/∂z", v.d_score), v.d_prediction),
        Level("L", v.loss, _loss(v), ("∂L/∂ŷ", v.d_prediction), 1.0),
    ]
    return Graph(levels, _leaves(v), {})


def deep(v: SimpleNamespace) -> Graph:
    """One unit behind another: ŷ = σ(z₁), z₁ = v h + c, h = σ(z₂)."""
    d_z = v.d_prediction * v.d_score
    d_h = d_z * v.v
    levels = [
        Level("z₂", v.hidden_score, "wᵀx + b", ("", 0), d_h * v.d_hidden),
        Level("h", v.hidden, "σ(z₂)", ("∂h/∂z₂", v.d_hidden), d_h),
        Level("z₁", v.z, "v·h + c", ("∂z₁/∂h = v", v.v), d_z),
        Level("ŷ", v.prediction, "σ(z₁)", ("∂ŷ/∂z₁", v.d_score), v.d_prediction),
        Level("L", v.loss, _loss(v), ("∂L/∂ŷ", v.d_prediction), 1.0),
    ]
    return Graph(levels, _leaves(v), {2: [(-2.25, "v", v.v, v.hidden), (-1.35, "c", v.c, 1.0)]})


def _loss(v):
    return "−ln ŷ" if v.label else "−ln(1 − ŷ)"


def _leaves(v):
    (w1, w2), (x1, x2) = v.w, v.x
    return [("x₁", x1, None), ("w₁", w1, x1), ("x₂", x2, None), ("w₂", w2, x2), ("b", v.b, 1.0)]


def steps(graph: Graph) -> int:
    """Frames of the film: the leaves, each level up, each arrow down, and the parameters."""
    return 2 * len(graph.levels) + 1


def draw(graph: Graph, step: int) -> Figure:
    """The graph when `step` values have appeared beside the leaves."""
    top = len(graph.levels)
    figure, axes = style.panel(5.4, 1.3 + 0.86 * top)
    axes.set(xlim=(-2.7, 2.7), ylim=(-0.92, top + 0.25))
    axes.axis("off")
    walked = step - top  # arrows from the loss downwards, and at last those to the parameters
    for k, level in enumerate(graph.levels):
        _level(axes, k + 1, level, known=step > k, lowest=k == 0)
        if k and walked >= top - k:
            _arrow(axes, (0.22, k + 0.8), (0.22, k + 0.2), style.WARM)
            _say(axes, 0.34, k + 0.5, f"{level.local[0]} = {_number(level.local[1])}")
            below = graph.levels[k - 1]
            _say(axes, 0.85, k, f"∂L/∂{below.name} = {_number(below.whole)}", weight="bold")
        for x, name, value, _ in graph.parameters.get(k, []):
            _box(axes, x, k + 1, 0.84, f"{name} = {_tidy(value)}")
    for i, (name, value, _) in enumerate(graph.leaves):
        x = _place(graph, i)
        _box(axes, x, 0, 0.98, f"{name} = {_tidy(value)}")
        _arrow(axes, (x, 0.2), (0.35 * x, 0.8), style.MUTED, alpha=1 if step else FAINT)
    if walked >= top:
        _parameters(axes, graph)
    return figure


def _level(axes, y, level, known, lowest):
    """The quantity, and from the second one on the arrow that leads up to it."""
    text = f"{level.name} = {_number(level.value)}" if known else level.name
    _box(axes, 0, y, 1.5, text, style.ACCENT if known else style.MUTED)
    alpha = 1 if known else FAINT
    place = (-0.85, y) if lowest else (-0.34, y - 0.5)
    _say(axes, *place, level.forward, style.INK, ha="right", alpha=alpha)
    if not lowest:
        _arrow(axes, (-0.22, y - 0.8), (-0.22, y - 0.2), style.INK, alpha=alpha)


def _parameters(axes, graph):
    """∂L/∂(each parameter), under it: the slope of its score times its own local derivative."""
    at = [(_place(graph, i), 0, 0, *leaf) for i, leaf in enumerate(graph.leaves)]
    at += [(x, k + 1, k, *rest) for k, those in graph.parameters.items() for x, *rest in those]
    for x, y, k, name, _, local in at:
        if local is not None:
            slope = f"∂L/∂{name}\n{_number(graph.levels[k].whole * local)}"
            _say(axes, x, y - 0.45, slope, ha="center", weight="bold")
            if not k:
                own = {"w₁": "x₁", "w₂": "x₂", "b": "1"}[name]
                _say(axes, x, y - 0.78, f"∂L/∂{graph.levels[0].name}·{own}", ha="center")


def _place(graph, i):
    return 1.08 * (i - (len(graph.leaves) - 1) / 2)


def _box(axes, x, y, width, text, edge=style.ACCENT):
    shape = "round,pad=0,rounding_size=0.08"
    corner = (x - width / 2, y - 0.19)
    box = FancyBboxPatch(corner, width, 0.38, boxstyle=shape, fc=style.PAPER, ec=edge, lw=1.4)
    axes.add_patch(box)
    size = 11.5 if width > 1 else 10
    axes.text(x, y - 0.01, text, ha="center", va="center", fontsize=size)


def _arrow(axes, start, end, color, alpha=1.0):
    look = {"arrowstyle": "-|>", "color": color, "alpha": alpha, "lw": 1.3}
    axes.annotate("", end, start, arrowprops=look)


def _say(axes, x, y, text, color=style.WARM, **options):
    axes.text(x, y, text, color=color, va="center", fontsize=10.5, **options)


def _number(value):
    return words.number(value).replace("-", words.MINUS)


def _tidy(value):
    return words.tidy(value).replace("-", words.MINUS)
