"""B4. Practice: the whole of logistic regression four times over, on real data.

Question: do the hand, autodiff, scikit-learn and the certified path come to the same model?
Finding: yes, to as many digits as each was asked for; only the path says how many these are.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from experiments.kit import style
from jaxlr import Batch, chain_rule, data, losses, metrics, models, optimizers, paths, training

L2, TOL, SEGMENT, SEGMENTS, TEST = 0.01, 1e-12, 50, 80, 0.3
RISK = losses.risk(models.linear, losses.log_loss, l2=L2)
BY_HAND = chain_rule.risk(chain_rule.logistic_regression, l2=L2)
STEPS = np.logspace(-12, 0, 37)  # of finite differences


def risk(w, b, x, y):
    """J: the mean log-loss of the scores and the penalty on the weights."""
    z = x @ w + b
    return np.mean(np.logaddexp(0, z) - y * z) + L2 / 2 * w @ w


def gradient(w, b, x, y):
    """The chain rule by hand: the mean of (ŷ - y) x, and what the penalty adds."""
    z = x @ w + b
    error = (np.exp(-np.logaddexp(0, -z)) - y) / len(y)  # σ(z) - y; nothing overflows
    return x.T @ error + L2 * w, error.sum()


def descend(w, b, x, y, rate, steps):
    """Gradient descent, a plain loop."""
    for _ in range(steps):
        dw, db = gradient(w, b, x, y)
        w, b = w - rate * dw, b - rate * db
    return w, b


def facts(mail=None) -> dict:
    """The four ways on the same training rows, and every derivative beside every other."""
    x, y, x_test, y_test = _rows()
    rows = np.column_stack([x, np.ones(len(x))])
    rate = 1 / (np.linalg.eigvalsh(rows.T @ rows / (4 * len(x)))[-1] + L2)
    path = paths.fit(Batch(x, y), [L2], loss=losses.log_loss, tol=TOL)
    certified = path.params["w"][0], path.params["b"][0]
    walks = {"hand": _by_hand(x, y, rate), "autodiff": _by_autodiff(x, y, rate)}
    theirs = LogisticRegression(C=1 / (L2 * len(x)), tol=1e-8, max_iter=10_000).fit(x, y)
    ways = {name: walk[-1] for name, walk in walks.items()}
    ways |= {"sklearn": (theirs.coef_[0], theirs.intercept_[0]), "paths": certified}
    least = float(path.risk[0] - path.gap[0])  # proved: no risk is smaller
    said = [x_test @ w + b > 0 for w, b in ways.values()]
    return {
        "rows": {
            name: _row(way, certified, least, (x, y), (x_test, y_test))
            for name, way in ways.items()
        },
        "curves": {name: [risk(*at, x, y) - least for at in walk] for name, walk in walks.items()},
        "farthest": max(
            np.linalg.norm(np.append(*way) - np.append(*certified)) for way in ways.values()
        ),
        "alike": float(np.mean([len(set(votes)) == 1 for votes in zip(*said, strict=True)])),
        "gap": float(path.gap[0]),
        "tol": TOL,
        "status": paths.Status(path.status[0]).name,
        "iterations": int(theirs.n_iter_[0]),
        "segment": SEGMENT,
        "steps": SEGMENT * SEGMENTS,
        "rate": float(rate),
        "l2": L2,
        "C": 1 / (L2 * len(x)),
        "shape": x.shape,
        "test_rows": len(x_test),
        "source": "\n\n".join(inspect.getsource(f) for f in (risk, gradient, descend)),
        "checks": {name: _check(x, y, name) for name in ("float32", "float64")},
    }


def figures(facts: dict, say) -> dict:
    """Both descents above the proved bound, and finite differences beside the two derivatives."""
    return {"descent": _descent(facts, say), "differences": _differences(facts, say)}


def _rows():
    """Training and test rows in float64, of numbers that float32 has too."""
    x, benign = load_breast_cancer(return_X_y=True)
    train, test = data.split(jax.random.key(0), benign, TEST)
    moments = data.moments(x[train].astype(np.float32))
    x = np.asarray(data.standardise(x.astype(np.float32), moments), np.float64)
    y = 1.0 - benign
    return x[train], y[train], x[test], y[test]


def _by_hand(x, y, rate):
    walk = [(np.zeros(x.shape[1]), 0.0)]
    for _ in range(SEGMENTS):
        walk.append(descend(*walk[-1], x, y, rate, SEGMENT))
    return walk


def _by_autodiff(x, y, rate):
    """The same descent by `training.fit`, whose derivative is the machine's, in float32."""
    batch = Batch(x.astype(np.float32), y.astype(np.float32))
    order = jnp.tile(jnp.arange(len(x)), (SEGMENT, 1))
    descent = optimizers.sgd(float(rate))
    run = jax.jit(lambda params: training.fit(RISK, descent, params, batch, order).params)
    walk = [models.init_linear(x.shape[1])]
    for _ in range(SEGMENTS):
        walk.append(run(walk[-1]))
    return [(np.asarray(p["w"], np.float64), float(p["b"])) for p in walk]


def _row(way, certified, least, train, test) -> dict:
    (w, b), (x, y) = way, test
    return {
        "risk": float(risk(w, b, *train)),
        "above": float(risk(w, b, *train)) - least,
        "distance": float(np.linalg.norm(np.append(*way) - np.append(*certified))),
        "accuracy": float(metrics.accuracy_score(y, (x @ w + b > 0).astype(float))),
    }


def _check(x, y, dtype) -> dict:
    """Errors of every derivative at a random point, against the hand's in float64."""
    rng = np.random.default_rng(0)
    w, b = rng.normal(scale=0.5, size=x.shape[1]).astype(np.float32), np.float32(0.3)
    truth = np.append(*gradient(w.astype(np.float64), np.float64(b), x, y))
    with jax.enable_x64(dtype == "float64"):
        batch = Batch(jnp.asarray(x, dtype), jnp.asarray(y, dtype))
        params = {"w": jnp.asarray(w, dtype), "b": jnp.asarray(b, dtype)}
        hand, machine = jax.jit(lambda p, batch: (BY_HAND(p, batch), jax.grad(RISK)(p, batch)))(
            params, batch
        )
        hand, machine = (np.append(g["w"], g["b"]).astype(np.float64) for g in (hand, machine))
        ends = np.append(w, b) + np.stack([STEPS, -STEPS])[..., None, None] * np.eye(len(truth))
        ends = jnp.asarray(ends.reshape(-1, len(truth)), dtype)
        risks = jax.jit(
            jax.vmap(lambda p, batch: RISK({"w": p[:-1], "b": p[-1]}, batch), (0, None))
        )
        ahead, back = np.asarray(risks(ends, batch), np.float64).reshape(2, len(STEPS), -1)
    wrong = np.abs((ahead - back) / (2 * STEPS[:, None]) - truth).max(axis=1)
    return {
        "between": float(np.abs(hand - machine).max()),
        "hand": float(np.abs(hand - truth).max()),
        "machine": float(np.abs(machine - truth).max()),
        "differences": wrong,
        "best": float(wrong.min()),
        "step": float(STEPS[wrong.argmin()]),
        "largest": float(np.abs(truth).max()),
        "digits": float(np.log10(np.abs(truth).max() / wrong.min())),
        "all_digits": float(-np.log10(jnp.finfo(dtype).eps)),
    }


def _descent(facts, say):
    figure, axes = style.panel(5.6, 3.8)
    steps = np.arange(SEGMENTS + 1) * SEGMENT
    hand, autodiff = (
        say("by hand, float64", "вручную, float64"),
        say("autodiff, float32", "автодифф., float32"),
    )
    axes.plot(steps, facts["curves"]["autodiff"], color=style.WARM, lw=4, alpha=0.5, label=autodiff)
    axes.plot(steps, facts["curves"]["hand"], color=style.ACCENT, lw=1.6, label=hand)
    gap = say("gap of paths.fit", "зазор paths.fit")
    axes.axhline(facts["gap"], color=style.INK, lw=1.2, ls="--", label=gap)
    style.log_axis(axes, "y", facts["gap"] / 2, 1)
    axes.legend(loc="upper right")
    axes.set_xlabel(say("steps", "шаги"))
    axes.set_ylabel(say("risk above the proved bound", "риск над доказанной границей"))
    return figure, say("Two descents on a logarithmic scale", "Два спуска на логарифмической шкале")


def _differences(facts, say):
    figure, axes = style.panel(5.6, 3.8)
    for dtype, colour in (("float32", style.WARM), ("float64", style.ACCENT)):
        check = facts["checks"][dtype]
        name = say("differences, ", "разности, ") + dtype
        axes.plot(STEPS, check["differences"], color=colour, lw=2, label=name)
        machine = say("autodiff, ", "автодифф., ") + dtype
        axes.axhline(check["machine"], color=colour, lw=1.4, ls="--", label=machine)
    style.log_axis(axes, "x", STEPS[0], STEPS[-1])
    style.log_axis(axes, "y", facts["checks"]["float64"]["machine"] / 1e5, 10)
    axes.legend(loc="lower left", ncols=2)
    axes.set_xlabel(say("step h", "шаг h"))
    axes.set_ylabel(say("largest error", "наибольшая ошибка"))
    alt = say(
        "Errors of finite differences against their step", "Ошибка разностей в зависимости от шага"
    )
    return figure, alt
