"""B1. Logistic regression once more: no formula for its minimum, and no trap on the way there.

Question: how does one minimise the loss of logistic regression?
Finding: by gradient descent; the risk is convex, and a step of 1/L, L its largest curvature, safe.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_breast_cancer

from experiments.kit import style
from jaxlr import (
    Batch,
    activations,
    chain_rule,
    data,
    losses,
    models,
    optimizers,
    solvers,
    training,
)

SHARES = {"small": 0.05, "good": 1.0, "large": 8.0}  # of 1/L, what each step size is
STEPS, POINTS, LINES = 30, 200, 4
ROWS, START, RATE = [0, 19, 37], np.array([1.0, 0.0], np.float32), 1.0  # of the step in numbers
RISK = losses.risk(models.linear, losses.log_loss)
HESSIAN = chain_rule.logistic_regression_hessian


def facts(mail=None) -> dict:
    """The risk of one feature of tumours as a surface over w and b, and three walks on it."""
    batch = _one_feature()
    rng = np.random.default_rng(0)
    eigenvalues = np.linalg.eigvalsh(_hessians(rng.normal(scale=3, size=(POINTS, 2)), batch))
    stiffest = float(np.linalg.eigvalsh(_hessians(np.zeros((1, 2)), batch)).max())
    best = solvers.minimise(solvers.newton(), RISK, models.init_linear(1), batch)
    rates = {name: share / stiffest for name, share in SHARES.items()}
    walks, seen = jax.jit(jax.vmap(_walk, (0, None)))(jnp.array([*rates.values()]), batch)
    w, b = np.meshgrid(np.linspace(-2, 13, 80), np.linspace(-5, 4, 70))
    ends = rng.uniform([-2, -5], [13, 4], size=(LINES, 2, 2))
    lines = ends[:, :1] + np.linspace(0, 1, 41)[:, None] * (ends[:, 1:] - ends[:, :1])
    points = np.concatenate([np.stack([w.ravel(), b.ravel()], axis=1), lines.reshape(-1, 2)])
    risks = jax.jit(jax.vmap(lambda p, batch: RISK(_params(p), batch), (0, None)))
    values = np.asarray(risks(points.astype(np.float32), batch))
    return {
        "n": len(batch.x),
        "points": POINTS,
        "lowest": float(eigenvalues.min()),
        "highest": float(eigenvalues.max()),
        "stiffest": stiffest,
        "best": [float(best.params["w"][0]), float(best.params["b"])],
        "least": float(best.value),
        "rates": rates,
        "shares": SHARES,
        "walks": dict(zip(rates, np.asarray(walks), strict=True)),
        "seen": dict(zip(rates, np.asarray(seen), strict=True)),
        "steps": STEPS,
        "surface": (w, b, values[: w.size].reshape(w.shape)),
        "ends": ends,
        "lines": values[w.size :].reshape(LINES, -1),
        "one": _one_step(training.take(batch, np.array(ROWS))),
        "rate": RATE,
    }


def figures(facts: dict, say) -> dict:
    """Risk along lines, the three walks on the surface, and what they cost."""
    return {
        "lines": _lines(facts, say),
        **{name: _map(facts, name, say) for name in SHARES},
        "losses": _losses(facts, say),
    }


def _one_feature() -> Batch:
    x, benign = load_breast_cancer(return_X_y=True)
    radius = x[:, :1].astype(np.float32)
    return Batch(data.standardise(radius, data.moments(radius)), 1 - benign)


def _params(point):
    return {"w": point[:1], "b": point[1]}


def _hessians(points, batch):
    """[P, 2, 2], the mean over the rows of the Hessian by hand."""
    with jax.enable_x64(True):
        batch = Batch(np.asarray(batch.x, float), batch.labels)
        of_rows = jax.vmap(HESSIAN, (None, 0, 0))
        h = jax.jit(jax.vmap(lambda p: of_rows(_params(p), batch.x, batch.labels)))(points)
        blocks = [
            [h["w"]["w"], h["w"]["b"][..., None]],
            [h["b"]["w"][..., None, :], h["b"]["b"][..., None, None]],
        ]
        return np.block(jax.tree.map(np.asarray, blocks)).mean(axis=1)


def _walk(rate, batch):
    """Points [STEPS + 1, 2] of gradient descent from zeros, and the risk at each."""
    state = training.init(optimizers.sgd(rate), models.init_linear(1))
    step = partial(training.step, RISK, optimizers.sgd(rate), batch=batch)
    _, (params, seen) = jax.lax.scan(partial(_seen, step), state, length=STEPS + 1)
    return jnp.column_stack([params["w"], params["b"]]), seen


def _seen(step, state, _):
    after, risk = step(state)
    return after, (state.params, risk)


def _one_step(batch) -> dict:
    """A step of `training.step` on three rows, with all that goes into it."""
    z, p, grads, after, before, then = jax.jit(_spelled_out)(batch)
    x, y = batch.x[:, 0], batch.labels
    columns = (x, z, p, y, p - y, (p - y) * x)
    return {
        "rows": [[float(number) for number in row] for row in zip(*columns, strict=True)],
        "start": START.tolist(),
        "grads": [float(grads["w"][0]), float(grads["b"])],
        "after": [float(after["w"][0]), float(after["b"])],
        "before": float(before),
        "then": float(then),
    }


def _spelled_out(batch):
    params, optimizer = _params(jnp.array(START)), optimizers.sgd(RATE)
    z = jax.vmap(models.linear, in_axes=(None, 0))(params, batch.x)
    grads = chain_rule.risk(chain_rule.logistic_regression)(params, batch)
    state, before = training.step(RISK, optimizer, training.init(optimizer, params), batch)
    then = RISK(state.params, batch)
    return z, activations.sigmoid(z), grads, state.params, before, then


def _lines(facts, say):
    figure, axes = style.panel(5.2, 3.6)
    t = np.linspace(0, 1, facts["lines"].shape[1])
    looks = ((style.ACCENT, "-"), (style.WARM, "-"), (style.INK, "-"), (style.MUTED, "-"))
    for risk, (colour, dashes) in zip(facts["lines"], looks, strict=True):
        axes.plot(t, risk, color=colour, ls=dashes, lw=2)
        axes.plot([0, 1], risk[[0, -1]], color=colour, ls=":", lw=1.2, marker="o", ms=4)
    axes.set_xlabel(say("from one point (0) to another (1)", "от одной точки (0) к другой (1)"))
    axes.set_ylabel(say("risk, nats", "риск, нат"))
    return figure, say(
        "The risk along straight lines, below its chords",
        "Риск вдоль прямых лежит под своими хордами",
    )


def _map(facts, name, say):
    figure, axes = style.panel(5.2, 3.8)
    w, b, risk = facts["surface"]
    levels = facts["least"] + np.geomspace(0.005, 2.5, 12)
    axes.contour(w, b, risk, levels=levels, colors=style.MUTED, linewidths=0.8, alpha=0.7)
    way = facts["walks"][name]
    axes.plot(*way.T, color=style.ACCENT, lw=1.4, marker="o", ms=4)
    axes.plot(*facts["best"], color=style.WARM, marker="*", ms=15, ls="none")
    axes.set(xlim=(w.min(), w.max()), ylim=(b.min(), b.max()), xlabel="w", ylabel="b")
    axes.grid(False)
    return figure, say("Steps over the contours of the risk", "Шаги по линиям уровня риска")


def _losses(facts, say):
    figure, axes = style.panel(5.4, 3.6)
    looks = {"small": (style.MUTED, "--"), "good": (style.ACCENT, "-"), "large": (style.WARM, "-")}
    names = {
        "small": say("too small", "мал"),
        "good": say("good", "хорош"),
        "large": say("too large", "велик"),
    }
    for name, (colour, dashes) in looks.items():
        label = f"{names[name]}: α = {facts['rates'][name]:.3g}"
        axes.plot(facts["seen"][name], color=colour, ls=dashes, lw=2, label=label)
    axes.axhline(facts["least"], color=style.INK, lw=0.8, ls=":", label=say("least", "наименьший"))
    axes.legend(loc="upper right")
    axes.set(xlim=(0, facts["steps"]), ylim=(0.2, 1.1))
    axes.set_xlabel(say("step", "шаг"))
    axes.set_ylabel(say("risk, nats", "риск, нат"))
    return figure, say(
        "The risk step by step for three step sizes", "Риск по шагам при трёх величинах шага"
    )
