"""The optimizers raced on real data: logistic regression on the breast cancer set.

Minibatches for the optimizers, each at the best of the learning rates tried; all rows for the
solvers. What is drawn is the risk above its minimum, against passes over the data.
"""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn import datasets

from experiments.kit import style
from experiments.lecture import descents
from jaxlr import data, losses, models, training
from jaxlr.pytypes import Batch

RATES = np.array([float(f"{m}e{k}") for k in range(-3, 2) for m in (1, 2, 5)])
BATCH, EPOCHS, L2 = 32, 10, 1e-3
SOLVER_STEPS = 60
CLOSE = -9  # a power of ten: the risk so near its minimum


def facts() -> dict:
    """The curve [T] of every method, the passes [T] it took, and the optimizers' best rates."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    risk = losses.risk(models.linear, losses.log_loss, l2=L2)
    with jax.enable_x64(True):
        batch = Batch(jnp.asarray(x), jnp.asarray(y))
        order = data.epochs(jax.random.key(0), len(y), BATCH, EPOCHS)
        raced = jax.tree.map(np.asarray, jax.jit(_raced(risk))(batch, order, jnp.asarray(RATES)))
        solved = jax.tree.map(np.asarray, jax.jit(_solved(risk))(batch))
    least = min(float(values[-1]) for _, values, _ in solved.values())
    per_pass = len(y) // BATCH
    curves, passes, rates, ends = {}, {}, {}, {}
    for name in descents.RULES:
        # The mean of the last pass, for single steps are noisy.
        risks = raced[name][:, -per_pass:].mean(axis=1) - least
        best = int(np.nanargmin(risks))
        ends[name] = float(risks[best])
        curves[name] = raced[name][best] - least
        passes[name] = np.arange(1, len(order) + 1) / per_pass
        rates[name] = float(RATES[best])
    for name in descents.SOLVERS:
        curves[name], passes[name] = solved[name][1] - least, solved[name][2]
    return {
        "curves": curves, "passes": passes, "rates": rates, "least": least, "rows": len(y),
        "features": x.shape[1], "epochs": EPOCHS, "batch": BATCH, "num_rates": len(RATES),
        "power": CLOSE, "newton": int(np.argmax(curves["newton"] < 10.0**CLOSE)),
        "newton_cost": int(np.diff(passes["newton"])[0]),
        "behind": max(ends.values()) / min(ends.values()),
    }  # fmt: skip


def _raced(risk):
    """(batch, order, rates [L]) -> {name: [L, T] risk of all rows after each step}."""

    def curve(rule, batch, order):
        def step(state, rows):
            state, _ = training.step(risk, rule, state, training.take(batch, rows))
            return state, risk(state.params, batch)

        start = training.init(rule, models.init_linear(batch.x.shape[1]))
        return jax.lax.scan(step, start, order)[1]

    def race(batch, order, rates):
        return {
            name: jax.vmap(lambda rate, make=make: curve(make(rate), batch, order))(rates)
            for name, make in descents.RULES.items()
        }

    return race


def _solved(risk):
    """batch -> {name: what `descents.solved` gives}."""

    def flat(w, batch):
        return risk({"w": w[1:], "b": w[0]}, batch)

    def solve(batch):
        start = jnp.zeros(1 + batch.x.shape[1])
        return {
            name: descents.solved(solver, flat, start, SOLVER_STEPS, batch)
            for name, solver in descents.SOLVERS.items()
        }

    return solve


LOOKS = {
    "sgd": (style.INK, "-"), "momentum": (style.ACCENT, "-"), "nesterov": (style.ACCENT, "--"),
    "adagrad": (style.WARM, "-"), "adadelta": (style.WARM, "--"), "rmsprop": (style.MUTED, "--"),
    "adam": (style.MUTED, "-"), "nonlinear_cg": (style.WARM, "-"), "newton": (style.ACCENT, "-"),
    "bfgs": (style.INK, "-"),
}  # fmt: skip


def figures(facts: dict, say) -> dict:
    """The optimizers against one another, and the solvers against the best of them."""
    first = _curves(facts, tuple(descents.RULES), say)
    first[1].set_xlim(0, facts["epochs"])
    style.log_axis(first[1], "y", 1e-3, 1)
    best = min(descents.RULES, key=lambda name: facts["curves"][name][-1])
    second = _curves(facts, (*descents.SOLVERS, best), say)
    style.log_axis(second[1], "x", 0.5, 400)
    style.log_axis(second[1], "y", 1e-10, 1)
    second[1].legend(loc="lower left")
    return {
        "curves": (first[0], say("Risk of seven optimizers by passes over the data",
                                 "Риск семи оптимизаторов по проходам по данным")),
        "curvature": (second[0], say("Risk of three solvers by passes over the data",
                                     "Риск трёх методов, знающих кривизну")),
    }  # fmt: skip


def _curves(facts, shown, say):
    figure, axes = style.panel(7.2, 4.3)
    names = descents.names(say)
    for name in shown:
        color, line = LOOKS[name]
        curve = facts["curves"][name]
        if name in descents.RULES:  # a running mean over half a pass, for minibatches are noisy
            curve = np.convolve(np.pad(curve, (4, 4), mode="edge"), np.ones(9) / 9, "valid")
        axes.plot(facts["passes"][name], curve, line, color=color, lw=1.8, label=names[name])
    axes.set_xlabel(say("passes over the data", "проходов по данным"))
    axes.set_title(say("risk above its minimum, nats", "риск сверх минимума, нат"))
    axes.legend(loc="upper right", ncols=2)
    return figure, axes
