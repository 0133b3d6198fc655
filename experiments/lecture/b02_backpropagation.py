"""B2. Backpropagation: the chain rule, factor by factor, on one patient.

Question: how does the loss answer to a weight that it has never seen?
Finding: multiply the local derivatives on the way back; the machine's gradient is that product.
"""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from experiments.kit import style
from experiments.lecture import graphs
from jaxlr import activations, chain_rule, losses, models

# Few digits, so that a student can redo it on paper.
SHALLOW = {"w": np.array([-0.5, -0.3], np.float32), "b": np.float32(0.2)}
DEEP = [
    {"w": np.array([[0.8], [-0.4]], np.float32), "b": np.array([-0.6], np.float32)},
    {"w": np.array([-1.5], np.float32), "b": np.float32(1.0)},
]
STAGES = 8


def facts(mail=None) -> dict:
    """One malignant tumour through one unit, and through one unit behind another."""
    data = load_breast_cancer()
    x = np.round(StandardScaler().fit_transform(data.data)[0, :2], 1).astype(np.float32)
    label = 1 - int(data.target[0])  # 1 is malignant, as on the other pages
    shallow = chain_rule.logistic_regression_factors(SHALLOW, x, label)
    hidden_score = models.linear(DEEP[0], x)
    hidden = activations.sigmoid(hidden_score)
    factors = chain_rule.logistic_regression_factors(DEEP[1], hidden, label)
    own = {"hidden_score": hidden_score[0], "hidden": hidden[0], "v": DEEP[1]["w"][0]}
    own |= {"c": DEEP[1]["b"], "d_hidden": (hidden * (1 - hidden))[0]}
    both = _both(x, label, shallow)
    return {
        "x": np.asarray(x, float).tolist(),
        "label": label,
        "features": data.feature_names[:2].tolist(),
        "two": _values(SHALLOW, x, label, shallow),
        "three": _values(DEEP[1], hidden, label, factors)
        | {name: float(value) for name, value in own.items()}
        | {"w": DEEP[0]["w"][:, 0].tolist(), "b": float(DEEP[0]["b"][0])},
        "both": both,
        "worst": max(abs(hand - auto) for *_, hand, auto in both),
        "chains": {g.__name__: _chain(g, x, label) for g in (activations.sigmoid, jnp.tanh)},
        "stages": STAGES,
    }


def _values(params, x, label, factors):
    """What one unit has computed on the way there, and its factors for the way back."""
    z = models.linear(params, x)
    prediction, loss = activations.sigmoid(z), losses.log_loss(z, label)
    found = {"z": z, "prediction": prediction, "loss": loss, "d_score": factors.d_score}
    found = {name: float(value) for name, value in found.items()}
    found["d_prediction"] = float(factors.d_prediction)
    return found | {"w": np.asarray(params["w"]).tolist(), "b": float(params["b"])}


def _both(x, label, shallow):
    """(depth, parameter, by hand, by the machine) of every parameter of both models."""
    one = jax.grad(lambda p: losses.log_loss(models.linear(p, x), label))(SHALLOW)
    mlp = jax.grad(
        lambda p: losses.log_loss(models.mlp(p, x, activation=activations.sigmoid), label)
    )(DEEP)
    hand = (
        chain_rule.product(shallow),
        chain_rule.mlp(DEEP, x, label, activation=activations.sigmoid),
    )
    flat = [np.concatenate([np.ravel(tree["w"]), np.ravel(tree["b"])]) for tree in (hand[0], one)]
    rows = [(2, *row) for row in zip(("w_1", "w_2", "b"), *flat, strict=True)]
    names = (("w_1", "w_2", "b"), ("v", "c"))
    for ours, theirs, called in zip(hand[1], mlp, names, strict=True):
        flat = [np.concatenate([np.ravel(t["w"]), np.ravel(t["b"])]) for t in (ours, theirs)]
        rows += [(3, *row) for row in zip(called, *flat, strict=True)]
    return [(depth, name, float(hand), float(auto)) for depth, name, hand, auto in rows]


def _chain(activation, x, label):
    """|∂L/∂z| of every stage of a chain of single units of weight 1, first stage first."""
    last = {"w": np.ones(1, np.float32), "b": np.float32(0)}
    params = [{"w": np.ones((1, 1), np.float32), "b": np.zeros(1, np.float32)}] * (STAGES - 1)
    params = [*params, last]
    auto = jax.jit(
        jax.grad(lambda p: losses.log_loss(models.mlp(p, x[:1], activation=activation), label))
    )(params)
    hand = chain_rule.mlp(params, x[:1], label, activation=activation)
    ours, theirs = ([abs(float(stage["b"].sum())) for stage in tree] for tree in (hand, auto))
    return {"hand": ours, "auto": theirs}


def figures(facts: dict, say) -> dict:
    """Both graphs as films, and the slope of every stage of a deep chain."""
    drawn = {}
    for name, plan in (("two", graphs.shallow), ("three", graphs.deep)):
        graph = plan(SimpleNamespace(**facts[name], x=facts["x"], label=facts["label"]))
        for k in range(graphs.steps(graph)):
            alt = say(f"The graph after step {k + 1}", f"Граф после шага {k + 1}")
            drawn[f"{name}{k + 1}"] = graphs.draw(graph, k), alt
    return drawn | {"chain": _chain_figure(facts["chains"], say)}


def _chain_figure(chains, say):
    figure, axes = style.panel(5.2, 3.5)
    stages = np.arange(1, STAGES + 1)
    for (name, chain), color in zip(chains.items(), (style.ACCENT, style.WARM), strict=True):
        axes.plot(stages, chain["hand"], color=color, lw=2)
        axes.plot(stages, chain["auto"], color=color, ls="", marker="o", ms=7, mfc="none", mew=1.6)
        label = {"sigmoid": "σ"}.get(name, name)
        axes.annotate(
            label,
            (4, chain["hand"][3]),
            (0, 9),
            textcoords="offset points",
            color=color,
            fontsize=12,
            ha="right",
            va="bottom",
        )
    low = min(min(chain["hand"]) for chain in chains.values())
    style.log_axis(axes, "y", low / 2, 1)
    axes.set_xticks(stages)
    axes.set_xlabel(say("stage, the first one nearest to x", "слой, первый — ближайший к x"))
    axes.set_ylabel("|∂L/∂z|")
    return figure, say(
        "The slope of every stage: by hand a line, by machine a ring on it",
        "Производная по каждому слою: вручную — линия, машинная — кружок на ней",
    )
