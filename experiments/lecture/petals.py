"""Two questions about the same petals: a law that they follow, and one that separates them."""

import functools

import jax
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

from experiments.kit import style
from jaxlr import Batch, losses, metrics, models, solvers

LENGTH, WIDTH = np.linspace(0.5, 7.5, 141), np.linspace(-0.1, 2.8, 117)


@functools.partial(jax.jit, static_argnums=(0, 3))
def _fit(loss, x, labels, num_outputs=None):
    """The params of least risk; a little l2, since the first species stands apart from the rest."""
    start = models.init_linear(x.shape[-1], num_outputs)
    risk = losses.risk(models.linear, loss, l2=0.0 if num_outputs is None else 1e-3)
    return solvers.minimise(solvers.newton(), risk, start, Batch(x, labels)).params


def facts() -> dict:
    """A line through all flowers, and three scores whose largest names the species."""
    iris = load_iris()
    petals, species = iris.data[:, 2:].astype(np.float32), iris.target
    line = _fit(losses.squared_error, petals[:, :1], petals[:, 1])
    classes = _fit(losses.softmax_cross_entropy, petals, species, 3)
    grid = np.stack(np.meshgrid(LENGTH, WIDTH), axis=-1).reshape(-1, 2).astype(np.float32)
    scores = np.asarray(jax.vmap(models.linear, (None, 0))(classes, np.concatenate([petals, grid])))
    found, rest = scores[: len(species)].argmax(axis=1), scores[len(species) :]
    ahead = rest[:, 1] - np.maximum(rest[:, 0], rest[:, 2])  # of the species in the middle
    return {
        "flowers": len(species), "kinds": 3, "right": int((found == species).sum()),
        "species_right": float(metrics.accuracy_score(species, found)),
        "slope": float(line["w"][0]), "intercept": float(line["b"]),
        "petals": petals.tolist(), "species": species.tolist(), "names": list(iris.target_names),
        "ahead": ahead.reshape(len(WIDTH), len(LENGTH)).tolist(),
    }  # fmt: skip


def drawn(facts: dict, say):
    """Both questions, side by side."""
    figure = Figure(figsize=(7.6, 3.5))
    left, right = figure.subplots(1, 2, sharey=True)
    length, width = np.array(facts["petals"]).T
    left.plot(length, width, "o", color=style.MUTED, ms=4, alpha=0.6, mew=0)
    line = facts["slope"] * LENGTH + facts["intercept"]
    left.plot(LENGTH, line, color=style.ACCENT, lw=2.5)
    left.set_title(say("Regression: the law of the data", "Регрессия: закон самих данных"))
    for kind, (colour, marker) in enumerate(
        [(style.ACCENT, "o"), (style.WARM, "s"), (style.INK, "^")]
    ):
        own = np.array(facts["species"]) == kind
        right.plot(length[own], width[own], marker, color=colour, ms=4.5, alpha=0.65, mew=0)
        x, y = length[own].mean(), (0.75, 0.75, 2.62)[kind]
        name = facts["names"][kind]
        right.text(x, y, name, color=colour, ha="center", weight="bold")
    right.contour(LENGTH, WIDTH, np.array(facts["ahead"]), [0], colors=[style.INK], linewidths=1.5)
    right.set_title(say("Classification: a law that separates", "Классификация: закон разделения"))
    for axes in (left, right):
        axes.set(xlim=(0.5, 7.5), ylim=(-0.1, 2.8))
        axes.set_xlabel(say("petal length, cm", "длина лепестка, см"))
    left.set_ylabel(say("petal width, cm", "ширина лепестка, см"))
    return figure, say("A line through all flowers; borders between three species",
                       "Прямая через все цветки; границы между тремя видами")  # fmt: skip
