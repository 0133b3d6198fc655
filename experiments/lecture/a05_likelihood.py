"""A5. From the likelihood of a sample to a loss: a product, its logarithm, a minus sign.

Question: why is the loss minus the logarithm of a probability?
Finding: its minimum is the maximum of the likelihood, and the sum lives on where the product is 0.
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from experiments.kit import style, words
from experiments.lecture import ad_clicks, underflow
from jaxlr import Batch, activations, losses, models, solvers

FEW, MANY = 24, 2000  # users
W = np.linspace(-0.5, 1.6, 85, dtype=np.float32)  # the weight of earlier clicks
B = np.linspace(-4.5, 1.0, 89, dtype=np.float32)


def facts(mail=None) -> dict:
    """Both surfaces over two weights, both optima, and how far a product of probabilities goes."""
    x, labels = ad_clicks.users(np.random.default_rng(5), MANY)
    found = jax.tree.map(np.asarray, surfaces(Batch(x[:FEW, :1], labels[:FEW])))
    likelihood, risk, highest, lowest = found
    top, bottom = (np.unravel_index(i, risk.shape) for i in (likelihood.argmax(), risk.argmin()))
    return underflow.product(x, labels) | {
        "few": FEW, "clicks": int(labels[:FEW].sum()),
        "likelihood": likelihood.tolist(), "minus_log": (FEW * risk).tolist(),
        "top": [int(i) for i in top], "bottom": [int(i) for i in bottom], "nodes": risk.size,
        "highest": [float(highest["w"][0]), float(highest["b"])],
        "lowest": [float(lowest["w"][0]), float(lowest["b"])],
        "apart": max(float(np.abs(highest[k] - lowest[k]).max()) for k in "wb"),
        "peak": float(likelihood.max()), "peak_loss": float(FEW * risk.min()),
        "risk": float(risk.min()), "flat": float((likelihood < likelihood.max() / 100).mean()),
    }  # fmt: skip


@jax.jit
def surfaces(batch: Batch):
    """Likelihood and risk over the grid [B, W], and where a solver finds the best of each."""
    risk = losses.risk(models.linear, losses.log_loss)

    def likelihood(params, batch, unit=1.0):
        z = jax.vmap(models.linear, (None, 0))(params, batch.x)
        right = activations.sigmoid(jnp.where(batch.labels == 1, z, -z))  # 1 - σ(z) is σ(-z)
        return jnp.prod(right / unit)

    def descended(params, batch, which):
        # In units of a fair coin's ½: otherwise every slope would be below the tolerance.
        return jnp.where(which == 0, -likelihood(params, batch, 0.5), risk(params, batch))

    def best(which):
        start = models.init_linear(1)
        return solvers.minimise(solvers.bfgs(), descended, start, batch, which, tol=1e-6).params

    w, b = jnp.meshgrid(W, B)
    over_grid = jax.vmap(jax.vmap(lambda w, b: [f({"w": w[None], "b": b}, batch)
                                                for f in (likelihood, risk)]))  # fmt: skip
    ends = jax.vmap(best)(jnp.arange(2))
    return *over_grid(w, b), *[jax.tree.map(lambda leaf, i=i: leaf[i], ends) for i in (0, 1)]


def figures(facts: dict, say) -> dict:
    """The two surfaces, a slice through both, and the product on its way to zero."""
    return {"surfaces": _surfaces(facts, say), "slices": _slices(facts, say),
            "underflow": underflow.drawn(facts, say)}  # fmt: skip


def _surfaces(facts, say):
    figure = Figure(figsize=(7.8, 3.5))
    titles = say("likelihood", "правдоподобие"), say("minus its logarithm", "минус его логарифм")
    for axes, kind, title in zip(
        figure.subplots(1, 2, sharey=True), ("likelihood", "minus_log"), titles, strict=True
    ):
        z = np.array(facts[kind])
        low, power = (0, 1) if kind == "likelihood" else (z.min(), 2)  # even over a bowl
        levels = low + (z.max() - low) * np.linspace(0, 1, 13) ** power
        norm = BoundaryNorm(levels, style.MAGNITUDE.N)
        drawn = axes.contourf(W, B, z, levels, cmap=style.MAGNITUDE, norm=norm)
        x, y = facts["highest" if kind == "likelihood" else "lowest"]
        axes.plot(x, y, "o", color=style.PAPER, mec=style.INK, ms=8, mew=1.5)
        bar = figure.colorbar(drawn, ax=axes)
        bar.set_ticks(levels[::3], labels=[words.number(level, 2) for level in levels[::3]])
        axes.set_title(title)
        axes.set_xlabel(say("weight w of earlier clicks", "вес w прошлых кликов"))
        axes.grid(False)
    figure.axes[0].set_ylabel(say("intercept b", "свободный член b"))
    return figure, say("A narrow hill beside a bowl, the same point marked in both",
                       "Узкий холм и рядом чаша, в обоих отмечена одна точка")  # fmt: skip


def _slices(facts, say):
    figure = Figure(figsize=(7.6, 3.0))
    row = facts["top"][0]
    titles = (
        say("likelihood, as a share of its peak", "правдоподобие, в долях максимума"),
        say("minus its logarithm", "минус его логарифм"),
    )
    for axes, kind, title, colour in zip(
        figure.subplots(1, 2), ("likelihood", "minus_log"), titles, (style.WARM, style.ACCENT),
        strict=True,
    ):  # fmt: skip
        z = np.array(facts[kind][row])
        axes.plot(W, z / facts["peak"] if kind == "likelihood" else z, color=colour, lw=2.5)
        axes.axvline(W[facts["top"][1]], color=style.INK, lw=1, ls="--")
        axes.set_title(title)
        axes.set_ylim(0, None)
        axes.set_xlabel(say("weight w of earlier clicks", "вес w прошлых кликов"))
    return figure, say("A bump and a bowl over the same weight", "Бугор и чаша над одним весом")
