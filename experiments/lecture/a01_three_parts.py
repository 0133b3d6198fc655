"""A1. A model is a task, a loss and an optimizer: each chosen alone, put together by `training`.

Question: what has to change when regression becomes classification?
Finding: the task and the loss; gradient descent and all its kin stay as they are.
"""

from functools import partial

import jax
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes

from experiments.kit import style
from jaxlr import Batch, activations, data, losses, models, optimizers, training

PASSES, RATE, ADAMS_RATE, SIZE, SMALL = 40, 0.05, 0.01, 32, 4


def facts(mail=None) -> dict:
    """Two tasks by three optimizers, and the squared error pass by pass for three batch sizes."""
    sugar, cells = _diabetes(), _breast_cancer()
    n = len(sugar.x)
    descents = (("gd", optimizers.sgd(RATE)), ("sgd", optimizers.sgd(RATE)))
    descents += (("adam", optimizers.adam(ADAMS_RATE)),)
    seen, fitted = {}, {}
    for task, batch, loss in (
        ("regression", sugar, losses.squared_error),
        ("classification", cells, losses.log_loss),
    ):
        for name, optimizer in descents:
            size = len(batch.x) if name == "gd" else SIZE
            seen[task, name], fitted[task] = _descent(loss, optimizer, batch, size)
    small, _ = _descent(losses.squared_error, optimizers.sgd(RATE), sugar, SMALL)
    curves = {SMALL: small, SIZE: seen["regression", "sgd"], n: seen["regression", "gd"]}
    score = jax.vmap(models.linear, in_axes=(None, 0))
    probability = activations.sigmoid(score(fitted["classification"], cells.x))
    return {
        "rows": [(*key, curve[0], curve[-1]) for key, curve in seen.items()],
        "shapes": {"regression": sugar.x.shape, "classification": cells.x.shape},
        "curves": curves,
        "least": _least_squares(sugar),
        "steps": {size: n // size for size in curves},
        "n": n,
        "small": SMALL,
        "size": SIZE,
        "passes": PASSES,
        "rate": RATE,
        "adams_rate": ADAMS_RATE,
        "regression": (np.asarray(score(fitted["regression"], sugar.x)), np.asarray(sugar.labels)),
        "classification": (np.asarray(probability), np.asarray(cells.labels)),
    }


def figures(facts: dict, say) -> dict:
    """What the two models say of their rows, and the risk against passes over the data."""
    return {
        "numbers": _numbers(facts, say),
        "classes": _classes(facts, say),
        "passes": _passes(facts, say),
    }


def _descent(loss, optimizer, batch, size):
    """The risk of all rows before the first pass and after each, and the params at the end."""
    num_rows, num_features = batch.x.shape
    risk = losses.risk(models.linear, loss)
    start = training.init(optimizer, models.init_linear(num_features))
    order = data.epochs(jax.random.key(0), num_rows, size, PASSES).reshape(PASSES, -1, size)
    one_pass = partial(_one_pass, risk, optimizer)
    run = jax.jit(lambda batch, order: jax.lax.scan(partial(one_pass, batch), start, order))
    state, after = run(batch, order)
    return [float(risk(start.params, batch)), *np.asarray(after, float)], state.params


def _one_pass(risk, optimizer, batch, state, order):
    step = partial(_step, risk, optimizer, batch)
    state, _ = jax.lax.scan(step, state, order)
    return state, risk(state.params, batch)


def _step(risk, optimizer, batch, state, rows):
    return training.step(risk, optimizer, state, training.take(batch, rows))


def _least_squares(batch) -> float:
    """The least mean squared error there is, from NumPy and in float64."""
    x = np.column_stack([batch.x, np.ones(len(batch.x))]).astype(float)
    y = np.asarray(batch.labels, float)
    return float(np.mean((x @ np.linalg.lstsq(x, y)[0] - y) ** 2))


def _diabetes() -> Batch:
    x, y = (a.astype(np.float32) for a in load_diabetes(return_X_y=True))
    return Batch(data.standardise(x, data.moments(x)), (y - y.mean()) / y.std())


def _breast_cancer() -> Batch:
    x, benign = load_breast_cancer(return_X_y=True)
    x = x.astype(np.float32)
    return Batch(data.standardise(x, data.moments(x)), 1 - benign)


def _numbers(facts, say):
    figure, axes = style.panel(4.6, 3.4)
    said, truth = facts["regression"]
    ends = [truth.min(), truth.max()]
    axes.plot(ends, ends, color=style.MUTED, lw=1)
    axes.scatter(truth, said, s=12, color=style.ACCENT, alpha=0.5, lw=0)
    axes.set_xlabel(
        say("progression of diabetes, standardised", "развитие диабета, в станд. единицах")
    )
    axes.set_ylabel(say("predicted", "предсказано"))
    alt = say("Predicted number against the true one", "Предсказанное число против истинного")
    return figure, alt


def _classes(facts, say):
    figure, axes = style.panel(4.6, 3.4)
    said, truth = facts["classification"]
    bins = np.linspace(0, 1, 21)
    names = say("benign", "доброкачественная"), say("malignant", "злокачественная")
    for label, colour in ((0, style.ACCENT), (1, style.WARM)):
        shown = {"label": names[label], "alpha": 0.55, "color": colour}
        axes.hist(said[truth == label], bins, **shown)
    style.log_axis(axes, "y", 1, 300)
    axes.legend(loc="upper center")
    axes.set_xlabel(
        say("predicted probability of malignant", "предсказанная вероятность злокачественной")
    )
    axes.set_ylabel(say("tumours", "опухолей"))
    alt = say(
        "Predicted probabilities of both classes", "Предсказанные вероятности для двух классов"
    )
    return figure, alt


def _passes(facts, say):
    figure, axes = style.panel(5.6, 3.7)
    looks = ((style.WARM, 1.2), (style.ACCENT, 2.2), (style.INK, 2.2))
    for (size, curve), (colour, width) in zip(facts["curves"].items(), looks, strict=True):
        name = say("minibatches of %d", "мини-батчи по %d") % size
        if size == facts["n"]:
            name = say("gradient descent: all %d", "градиентный спуск: все %d") % size
        axes.plot(curve, color=colour, lw=width, label=name)
    axes.axhline(
        facts["least"],
        color=style.MUTED,
        ls="--",
        lw=1.2,
        label=say("least squares", "наименьшие квадраты"),
    )
    axes.set(ylim=(facts["least"] - 0.02, 0.8), xlim=(0, facts["passes"]))
    axes.legend(loc="upper right")
    axes.set_xlabel(say("passes over the data", "проходов по данным"))
    axes.set_ylabel(say("mean squared error", "средний квадрат ошибки"))
    return figure, say("The risk after each pass", "Риск после каждого прохода")
