"""A7. K scores become K probabilities: softmax, its temperature, its loss and its gradient.

Question: how does a model choose among more than two classes?
Finding: softmax turns scores into probabilities; the loss pulls each score by ŷ minus one-hot.
"""

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import style
from experiments.lecture import a07_flowers
from jaxlr import activations, losses

SCORES = np.array([2.0, 1.0, -1.0], np.float32)
TRUE = 1  # the class that the worked example is of
SPAN = 30  # scores for which softmax of two is held against the sigmoid
SHIFTS = (0, 1000, -1000)
TEMPERATURES = np.geomspace(0.1, 30, 160).astype(np.float32)
LINES = ((style.ACCENT, "-"), (style.WARM, "--"), (style.INK, ":"))


def facts(mail=None) -> dict:
    """The lecture's recipe on three scores, then on 150 flowers."""
    found = jax.tree.map(np.asarray, _computed(jnp.asarray(SCORES)))
    e, (p, *shifted) = np.exp(SCORES), found["shifted"]
    one_hot = np.eye(3)[TRUE]
    return {
        "right": TRUE + 1,
        "rows": list(zip([1, 2, 3], SCORES, e, p, strict=True)),
        "total": e.sum(),
        "shifts": [
            (shift, *_as_written(SCORES + np.float32(shift)), ours[0])
            for shift, ours in zip(SHIFTS, [p, *shifted], strict=True)
        ],
        "ceiling": np.log(np.finfo(np.float32).max),
        "span": SPAN,
        "gap": found["gap"],
        "heat": np.column_stack([TEMPERATURES, found["shares"], found["entropy"]]),
        "uniform": np.log(3),
        "losses": found["losses"],
        "pulls": list(zip([1, 2, 3], p, one_hot, p - one_hot, found["gradient"], strict=True)),
        "play": {"scores": SCORES.tolist(), "label": TRUE + 1, "temperature": 1, "shift": 0},
    } | a07_flowers.facts()


@jax.jit
def _computed(z):
    """Everything that the library says of the scores z [3], in one program."""
    logits = jnp.linspace(-float(SPAN), SPAN, 1201)
    pairs = jnp.stack([logits, jnp.zeros_like(logits)], axis=1)
    cooled = z / jnp.asarray(TEMPERATURES)[:, None]
    shares = activations.softmax(cooled)
    return {
        "shifted": activations.softmax(z + jnp.array(SHIFTS, z.dtype)[:, None]),
        "gap": abs(activations.softmax(pairs)[:, 0] - activations.sigmoid(logits)).max(),
        "shares": shares,
        "entropy": -(shares * activations.log_softmax(cooled)).sum(axis=1),
        "losses": jax.vmap(losses.softmax_cross_entropy, (None, 0))(z, jnp.arange(3)),
        "gradient": jax.grad(a07_flowers.as_written)(z, TRUE),
    }


def _as_written(z):
    """The first exponential and the first share of softmax as its formula stands."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z)
        return e[0], (e / e.sum())[0]


def figures(facts: dict, say) -> dict:
    """The recipe in three panels, the temperature's curves, and the flowers."""
    drawn = {
        "recipe": _recipe(facts, say),
        "temperature": _temperature(facts, say),
        "entropy": _entropy(facts, say),
    }
    return drawn | a07_flowers.figures(facts, say)


def _recipe(facts, say):
    figure, panels = style.panel(5.6, 2.5, ncols=3)
    classes, *columns = zip(*facts["rows"], strict=True)
    titles = say("score", "оценка"), say("exponential", "экспонента"), say("share", "доля")
    for axes, title, heights in zip(panels, titles, columns, strict=True):
        axes.bar(classes, heights, color=style.ACCENT, width=0.65)
        axes.axhline(0, color=style.MUTED, lw=0.8)
        axes.set(title=title, xticks=classes)
        axes.grid(axis="x", visible=False)
    panels[2].set_ylim(0, 1)
    panels[1].set_xlabel(say("class", "класс"))
    return figure, say(
        "Bars of scores, exponentials and shares", "Столбцы оценок, экспонент и долей"
    )


def _temperature(facts, say):
    figure, axes = _over_temperature(say)
    heat = facts["heat"]
    for k, (color, line) in enumerate(LINES):
        axes.plot(heat[:, 0], heat[:, k + 1], color=color, ls=line, lw=2.2)
    for k, place, ha in ((0, 0.5, "right"), (1, 0.55, "right"), (2, 1.6, "left")):
        y = np.interp(place, heat[:, 0], heat[:, k + 1])
        away = {"xytext": ((-3, -14), (-3, 4), (5, -13))[k]}
        name = say(f"class {k + 1}", f"класс {k + 1}")
        axes.annotate(name, (place, y), ha=ha, textcoords="offset points", **away)
    axes.set_ylim(-0.02, 1.03)
    axes.set_ylabel(say("probability", "вероятность"))
    return figure, say("Probabilities against temperature", "Вероятности при разной температуре")


def _entropy(facts, say):
    figure, axes = _over_temperature(say)
    axes.plot(facts["heat"][:, 0], facts["heat"][:, 4], color=style.ACCENT, lw=2.2)
    axes.axhline(facts["uniform"], color=style.WARM, ls="--", lw=1.4)
    axes.annotate("ln 3", (0.1, facts["uniform"]), xytext=(2, -12), textcoords="offset points")
    axes.set_ylim(0, 1.2)
    axes.set_ylabel(say("entropy, nats", "энтропия, нат"))
    return figure, say("Entropy against temperature", "Энтропия при разной температуре")


def _over_temperature(say):
    figure, axes = style.panel(5.2, 3.3)
    style.log_axis(axes, "x", TEMPERATURES[0], TEMPERATURES[-1])
    axes.axvline(1, color=style.MUTED, lw=1)
    axes.set_xlabel(say("temperature T", "температура T"))
    return figure, axes
