"""A8. Gradient descent for logistic regression, step by step on real data.

Question: how does the line find its place between two classes?
Finding: every step is the mean of (ŷ - y) x, and the steps end at the certified minimum.
"""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn import datasets

from experiments.kit import style, words
from jaxlr import Batch, chain_rule, data, losses, metrics, models, optimizers, paths, training

FEATURES = (0, 1)  # mean radius, mean texture
RATE, STEPS, BATCH = 1.0, 128, 16
FRAMES = (1, 2, 4, 8, 32, STEPS)
WIDTH = 1e-5  # of the finite difference
WORDS = {
    "names": [
        ("mean radius, standardised", "средний радиус, стандартизованный"),
        ("mean texture, standardised", "средняя текстура, стандартизованная"),
    ],
    "classes": [("benign", "доброкачественная"), ("malignant", "злокачественная")],
}
RISK = losses.risk(models.linear, losses.log_loss)


def facts(mail=None) -> dict:
    """Both descents on breast cancer, three ways to their gradient, and the certified minimum."""
    with jax.enable_x64(True):
        batch, names = breast_cancer()
        n = len(batch.labels)
        whole = jnp.tile(jnp.arange(n), (STEPS, 1))
        minibatches = data.epochs(jax.random.key(0), n, BATCH, STEPS)
        gd, _ = trajectory(RISK, optimizers.sgd(RATE), batch, whole)
        sgd, _ = trajectory(RISK, optimizers.sgd(RATE), batch, minibatches)
        end = paths.fit(batch, [0.0], loss=losses.log_loss, tol=1e-10)
        risk = jax.jit(jax.vmap(RISK, in_axes=(0, None)))
        fall, noisy = np.asarray(risk(gd, batch)), np.asarray(risk(sgd, batch))
        towards = np.arctan2(gd["w"][:, 1], gd["w"][:, 0])  # where w points
        aim = np.arctan2(*end.params["w"][0][::-1])
        long = np.linalg.norm(gd["w"], axis=1)
        last = {name: np.asarray(leaf[-1]) for name, leaf in gd.items()}
        answer = batch.x @ last["w"] + last["b"] > 0
        return {
            "columns": names,
            "shown": [batch.x.tolist(), batch.labels.tolist()],
            "n": n,
            "rate": RATE,
            "steps": STEPS,
            "batch": BATCH,
            "per_pass": n // BATCH,
            "frame_names": [f"step{k}" for k in FRAMES],
            "path": np.column_stack([gd["w"], gd["b"]]).tolist(),
            "turn": float(np.degrees(abs(towards[1] - aim))),
            "growth": float(long[-1] / long[1]),
            "gd": fall.tolist(),
            "sgd": noisy.tolist(),
            "first": float(fall[0]),
            "last": float(fall[-1]),
            "end": np.append(end.params["w"][0], end.params["b"][0]).tolist(),
            "minimum": float(end.risk[0]),
            "gap": float(end.gap[0]),
            "status": paths.Status(int(end.status[0])).name,
            "over": float(fall[-1] - end.risk[0]),
            "jitter": float(np.median(noisy[len(noisy) // 2 :]) - end.risk[0]),
            "accuracy": float(metrics.accuracy_score(batch.labels, answer)),
            "width": WIDTH,
            "gradients": three_gradients(batch),
            "play": {"sets": play_sets() | {"cancer": rounded(batch.x, batch.labels) | WORDS}},
        }


def breast_cancer() -> tuple[Batch, list[str]]:
    """Two standardised features of 569 tumours, class 1 the malignant; and their names."""
    bunch = datasets.load_breast_cancer()
    x = bunch.data[:, FEATURES]
    x = data.standardise(x, data.moments(x))
    labels = jnp.asarray(bunch.target == 0, jnp.int32)
    return Batch(x, labels), [str(bunch.feature_names[j]) for j in FEATURES]


def trajectory(risk, optimizer, batch: Batch, order) -> tuple[dict, np.ndarray]:
    """`training.fit` that keeps the params of every step [T + 1], and its losses [T]."""

    def one_step(state, rows):
        state, loss = training.step(risk, optimizer, state, training.take(batch, rows))
        return state, (state.params, loss)

    start = models.init_linear(batch.x.shape[1])
    first = training.init(optimizer, start)
    _, (params, seen) = jax.jit(lambda state: jax.lax.scan(one_step, state, order))(first)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), start, params), seen


def three_gradients(batch: Batch) -> list[tuple[str, float, float, float]]:
    """∂J by hand, by autodiff, and by differences of J, at a point that is no special one."""
    params = {"w": jnp.array([0.5, -0.25]), "b": jnp.array(0.1)}
    by_hand = chain_rule.risk(chain_rule.logistic_regression)(params, batch)
    autodiff = jax.jit(jax.grad(RISK))(params, batch)
    moved = np.append(params["w"], params["b"]) + WIDTH * np.vstack([np.eye(3), -np.eye(3)])
    value = jax.jit(jax.vmap(RISK, in_axes=(0, None)))(
        {"w": jnp.asarray(moved[:, :2]), "b": jnp.asarray(moved[:, 2])}, batch
    )
    difference = (value[:3] - value[3:]) / (2 * WIDTH)
    columns = [np.append(g["w"], g["b"]) for g in (by_hand, autodiff)] + [np.asarray(difference)]
    rows = np.stack(columns, axis=1)
    return [(name, *map(float, row)) for name, row in zip(("w_1", "w_2", "b"), rows, strict=True)]


def play_sets() -> dict:
    """The generated sets that the picture offers by name."""
    rng = np.random.default_rng(8)
    half = np.repeat([0, 1], 40)
    side = 2 * half[:, None] - 1
    noise = rng.normal(size=(80, 2))
    corners = rng.integers(0, 2, (80, 2))
    few = np.repeat([0, 1], [90, 10])
    return {
        "blobs": rounded(1.2 * side * [1, 0.7] + 0.75 * noise, half),
        "overlapping": rounded(0.6 * side * [1, -0.5] + noise, half),
        "separable": rounded(side * (0.4 + abs(noise)) * [1, 0.6], half),
        "xor": rounded(3 * corners - 1.5 + 0.5 * rng.normal(size=(80, 2)), corners.sum(1) % 2),
        "imbalanced": rounded(
            np.where(few, 1.0, -0.4)[:, None] + 0.8 * rng.normal(size=(100, 2)), few
        ),
    }


def rounded(x, labels) -> dict:
    """Points as the page has them: two decimals are what a screen shows."""
    return {"x": np.round(x, 2).tolist(), "labels": np.asarray(labels).tolist()}


def figures(facts: dict, say) -> dict:
    """The line and the risk after some of the steps, and the two descents beside each other."""
    film = {f"step{k}": _frame(facts, k, say) for k in FRAMES}
    return film | {"passes": _passes(facts, say)}


def _frame(facts, k, say):
    figure, (plane, curve) = style.panel(8.4, 3.9, ncols=2, width_ratios=[1.15, 1])
    x, labels = (np.array(part) for part in facts["shown"])
    for label, colour, marker in ((0, style.WARM, "s"), (1, style.ACCENT, "o")):
        points = x[labels == label].T
        plane.plot(*points, ls="", marker=marker, ms=3.2, mew=0, color=colour, alpha=0.55)
    low, high = x.min(0) - 0.2, x.max(0) + 0.2
    w1, w2, b = facts["path"][k]
    across = np.array([low[0], high[0]])
    for p, dashes in ((0.1, ":"), (0.5, "-"), (0.9, "--")):
        level = np.log(p / (1 - p))
        plane.plot(across, (level - b - w1 * across) / w2, ls=dashes, lw=2, color=style.INK)
    plane.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    plane.set_xlabel(say(*WORDS["names"][0]))
    plane.set_ylabel(say(*WORDS["names"][1]))
    plane.set_title(say(f"Step {k}", f"Шаг {k}"))
    curve.plot(facts["gd"], color=style.RULE, lw=1.5)
    curve.plot(facts["gd"][: k + 1], color=style.ACCENT, lw=2.5)
    curve.plot(k, facts["gd"][k], "o", color=style.ACCENT)
    curve.axhline(facts["minimum"], color=style.MUTED, ls="--", lw=1)
    minimum = say("certified minimum", "доказанный минимум")
    curve.annotate(minimum, (facts["steps"], facts["minimum"]), (0, 5), ha="right",
                   textcoords="offset points", color=style.MUTED)  # fmt: skip
    curve.set(ylim=(0.2, 0.72), xlabel=say("step", "шаг"), ylabel=say("risk, nats", "риск, нат"))
    curve.set_title(say("Risk: ", "Риск: ") + words.number(facts["gd"][k]))
    return figure, say(f"The line and the risk after step {k}", f"Прямая и риск после шага {k}")


def _passes(facts, say):
    figure, axes = style.panel(6.4, 3.6)
    over = [np.array(facts[name]) - facts["minimum"] for name in ("gd", "sgd")]
    some = np.unique(np.geomspace(1, len(over[1]) - 1, 400).astype(int))  # no block of ink
    axes.plot(some / facts["per_pass"], over[1][some], color=style.WARM, lw=0.9)
    axes.plot(np.arange(1, len(over[0])), over[0][1:], color=style.ACCENT, lw=2.5)
    axes.text(4, 0.2, say("all rows", "все строки"), color=style.ACCENT)
    few = say(f"{facts['batch']} rows a step", f"{facts['batch']} строк на шаг")
    axes.text(0.09, 0.05, few, color=style.WARM, ha="center")
    style.log_axis(axes, "x", 1 / facts["per_pass"], facts["steps"])
    style.log_axis(axes, "y", 1e-5, 0.5)
    axes.set_xlabel(say("passes through the data", "проходов по данным"))
    axes.set_ylabel(say("risk above the minimum, nats", "риск сверх минимума, нат"))
    return figure, say("Risk above the minimum of GD and SGD", "Риск сверх минимума у GD и SGD")
