"""A7. Softmax regression on irises, beside three models of one kind against the rest.

Question: why one softmax rather than K yes-or-no models?
Finding: alike in accuracy, but the three models contradict each other or say no together.
"""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_iris

from experiments.kit import style
from jaxlr import Batch, activations, chain_rule, data, losses, models, optimizers, training

L2 = 1e-3  # one kind of iris lies apart: without a penalty its weights would grow for ever
STEPS = 3000
LOOKS = ((style.ACCENT, "o"), (style.WARM, "s"), (style.INK, "^"))


def facts() -> dict:
    """Both fits, and what each says of the 150 flowers."""
    iris = load_iris()
    raw = iris.data[:, 2:].astype(np.float32)
    moments = data.moments(raw)
    batch = Batch(data.standardise(raw, moments), jnp.asarray(iris.target, jnp.int32))
    found = jax.tree.map(np.asarray, _fitted(batch))
    claims = found["claims"]
    return {
        **found,
        "flowers": len(raw),
        "raw": raw,
        "kinds": iris.target,
        "moments": jax.tree.map(np.asarray, moments),
        "l2": L2,
        "nobody": (claims < 0.5).all(axis=1).sum(),
        "several": ((claims > 0.5).sum(axis=1) > 1).sum(),
        "each": np.bincount(iris.target),
        "own": [(claims[iris.target == k, k] > 0.5).sum() for k in range(3)],
        "sums": (claims.sum(axis=1).min(), claims.sum(axis=1).max()),
    }


@jax.jit
def _fitted(batch):
    """Softmax regression and one model for each class; how far hand and autodiff are apart."""
    start = models.init_linear(2, 3)
    order = jnp.broadcast_to(jnp.arange(len(batch.x)), (STEPS, len(batch.x)))
    optimizer = optimizers.sgd(1.0, momentum=0.9, nesterov=True)

    def fit(loss):
        risk = losses.risk(models.linear, loss, l2=L2)
        params = training.fit(risk, optimizer, start, batch, order).params
        return params, jax.vmap(models.linear, (None, 0))(params, batch.x)

    soft, logits = fit(losses.softmax_cross_entropy)
    yes_no, scores = fit(_against_the_rest)
    claims = activations.sigmoid(scores)
    said = jnp.stack([activations.softmax(logits), claims / claims.sum(axis=1, keepdims=True)])
    halfway = jax.tree.map(lambda leaf: leaf / 2, soft)
    by_hand = jax.vmap(chain_rule.softmax_regression, (None, 0, 0))(halfway, *batch[:2])
    autodiff = jax.grad(losses.risk(models.linear, as_written))(halfway, batch)
    return {
        "soft": soft,
        "yes_no": yes_no,
        "claims": claims,
        "accuracy": (said.argmax(axis=2) == batch.labels).mean(axis=1),
        "log_loss": -jnp.log(said[:, jnp.arange(len(batch.x)), batch.labels]).mean(axis=1),
        "slack": jnp.abs(by_hand["w"].mean(axis=0) - autodiff["w"]).max(),
    }


def as_written(logits, label):
    """The lecture's loss with nothing done for floating point: for autodiff to go through.

    The library's own loss has its derivative stated by hand.
    """
    e = jnp.exp(logits)
    return -jnp.log(e[label] / e.sum())


def _against_the_rest(logits, label):
    """Three log-losses, of as many models that know nothing of each other."""
    return jax.vmap(losses.log_loss)(logits, jnp.arange(3) == label).sum()


def figures(facts: dict, say) -> dict:
    """Where softmax decides for each kind, and what each of three models claims for itself."""
    grid = np.stack(np.meshgrid(np.linspace(0.5, 7.5, 211), np.linspace(-0.2, 2.9, 187)), axis=-1)
    x = (grid - facts["moments"].mean) / facts["moments"].std
    soft, yes_no = (x @ facts[n]["w"] + facts[n]["b"] for n in ("soft", "yes_no"))
    ahead = [soft[..., k] - np.delete(soft, k, axis=-1).max(axis=-1) for k in range(3)]
    regions = say("Three regions with straight borders", "Три области с прямыми границами")
    claims = say("Three half-planes and what lies between", "Три полуплоскости и что между ними")
    return {
        "regions": (_flowers(facts, grid, ahead, say), regions),
        "claims": (_flowers(facts, grid, np.moveaxis(yes_no, -1, 0), say), claims),
    }


def _flowers(facts, grid, margins, say):
    """Where each margin is positive, under the flowers."""
    figure, axes = style.panel(5.6, 4.0)
    names = ("setosa", "versicolor", "virginica")
    for k, (color, marker) in enumerate(LOOKS):
        place = grid[..., 0], grid[..., 1], margins[k]
        axes.contourf(*place, levels=[0, 1e9], colors=[color], alpha=0.16)
        axes.contour(*place, levels=[0], colors=[color], linewidths=1.6)
        at = facts["raw"][facts["kinds"] == k].T
        axes.scatter(*at, s=22, color=color, marker=marker, alpha=0.75, lw=0, label=names[k])
    axes.set_xlabel(say("petal length, cm", "длина лепестка, см"))
    axes.set_ylabel(say("petal width, cm", "ширина лепестка, см"))
    axes.legend(loc="upper left")
    return figure
