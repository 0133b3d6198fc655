"""A6. Logistic regression: a line squashed into a probability, and the loss of that probability.

Question: what does a probability cost, and what becomes of the formula at certainty?
Finding: minus its logarithm; as it stands, the formula gives NaN where the model is surely right.
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from experiments.kit import style
from experiments.lecture import ad_clicks, corners
from jaxlr import activations, losses, models

USERS, SHOWN = 1500, 5
CLICKS, P = np.linspace(0, 12, 121), np.linspace(0.001, 0.999, 999)
SOFT = (0.1, 0.3, 0.5)
ours = losses.log_loss_from_probability


def facts(mail=None) -> dict:
    """The score and its sigmoid over earlier clicks; the corners twice; the losses' curves."""
    x, labels = ad_clicks.users(np.random.default_rng(6), USERS)
    clicks = x[:, 0]
    w, b, score, p, p_user, loss, p_of_z = map(np.asarray, _fitted(x[:, :1], labels))
    first = [clicks[:SHOWN].astype(int), labels[:SHOWN], p_user[:SHOWN], loss[:SHOWN]]
    kept = [k for k in np.unique(clicks) if (clicks == k).sum() >= 20]
    q = labels.mean()
    return corners.table() | _curves() | {
        "users": USERS, "w": float(w), "b": float(b), "middle": float(-b / w),
        "score": score.tolist(), "squashed": p.tolist(), "at_least": 20,
        "shares": [(int(k), float(labels[clicks == k].mean())) for k in kept],
        "first": list(zip(*[column.tolist() for column in first], strict=True)),
        "shown": SHOWN, "mean_first": float(loss[:SHOWN].mean()), "mean": float(loss.mean()),
        "rate": float(q), "of_rate": float(-q * np.log(q) - (1 - q) * np.log(1 - q)),
        "coin": float(np.log(2)), "saturates": int((p_of_z == 1).argmax()),
    }  # fmt: skip


@jax.jit
def _fitted(x, labels):
    """A fit to earlier clicks: over their range and for every user; and σ(0), σ(1), …, σ(29)."""
    (w, b), _ = ad_clicks.fit(x, labels)
    params = {"w": w[None], "b": b}
    score = jax.vmap(models.linear, (None, 0))(params, jnp.asarray(CLICKS[:, None], x.dtype))
    p = activations.sigmoid(jax.vmap(models.linear, (None, 0))(params, x))
    loss, p_of_z = jax.vmap(ours)(p, labels), activations.sigmoid(jnp.arange(30.0))
    return w, b, score, activations.sigmoid(score), p, loss, p_of_z


def _curves() -> dict:
    """The loss over ŷ for labels that are certain, and for some that aren't."""
    y, guess = np.array([0, 1, *SOFT], np.float32), np.array([0.9, 0.5, 0.1, 0.01], np.float32)
    curves, entropy, mistakes, one, two = jax.tree.map(
        lambda found: np.asarray(found, float), _over(P.astype(np.float32), y, guess)
    )
    soft = [
        (s, float(P[c.argmin()]), float(c.min())) for s, c in zip(SOFT, curves[2:], strict=True)
    ]
    return {
        "curves": curves.tolist(), "entropy": entropy.tolist(), "soft": soft,
        "mistakes_said": [f"ŷ = {g:g} → {m:.3f}" for g, m in zip(guess, mistakes, strict=True)],
        "soft_said": ", ".join(f"{least:.3f}" for _, _, least in soft),
        "one": float(one), "two": float(two), "soft_y": SOFT[1], "soft_p": float(P[599]),
    }  # fmt: skip


@jax.jit
def _over(p, y, guess):
    curves = jax.vmap(jax.vmap(ours, (0, None)), (None, 0))(p, y)
    entropy = jax.vmap(ours)(p, p)  # every ŷ is right about itself
    one, share = ours(p[599], y[3]), p[599]
    logits, label = jnp.log(jnp.stack([1 - share, share])), jnp.stack([1 - y[3], y[3]])
    two = losses.softmax_cross_entropy(logits, label)
    return curves, entropy, jax.vmap(ours, (0, None))(guess, y[1]), one, two


def figures(facts: dict, say) -> dict:
    """The line and what the sigmoid makes of it; two scenarios; labels that are probabilities."""
    return {"squashed": _squashed(facts, say), "scenarios": _scenarios(facts, say),
            "soft": _soft(facts, say)}  # fmt: skip


def _squashed(facts, say):
    figure = Figure(figsize=(7.6, 3.4))
    left, right = figure.subplots(1, 2)
    left.plot(CLICKS, facts["score"], color=style.ACCENT, lw=2.5)
    left.axhline(0, color=style.INK, lw=1)
    left.set_title(say("score: any number", "оценка: любое число"))
    left.set_ylabel("wx + b")
    right.plot(CLICKS, facts["squashed"], color=style.ACCENT, lw=2.5)
    right.plot(*np.array(facts["shares"]).T, "o", color=style.WARM, ms=6)
    right.set(ylim=(-0.03, 1.03))
    right.set_title(say("squashed: a probability", "сжатая: вероятность"))
    right.set_ylabel("σ(wx + b)")
    for axes in (left, right):
        axes.axvline(facts["middle"], color=style.INK, lw=1, ls="--")
        axes.set_xlabel(say("earlier clicks x", "прошлые клики x"))
    return figure, say("A line, and the same line squashed between 0 and 1",
                       "Прямая и она же, сжатая между 0 и 1")  # fmt: skip


def _scenarios(facts, say):
    figure, axes = style.panel(6.4, 3.7)
    for curve, colour, line, x, side, text in [
        (facts["curves"][1], style.ACCENT, "-", 0.09, "left", "y = 1:  −ln ŷ"),
        (facts["curves"][0], style.WARM, "--", 0.91, "right", "y = 0:  −ln(1 − ŷ)"),
    ]:
        axes.plot(P, curve, color=colour, lw=2.5, ls=line)
        axes.text(x, 3.4, text, color=colour, ha=side, weight="bold")
    axes.set(ylim=(0, 5), xlim=(0, 1))
    axes.set_xlabel(say("predicted probability ŷ", "предсказанная вероятность ŷ"))
    axes.set_ylabel(say("loss, nats", "потери, нат"))
    return figure, say("Two mirrored loss curves", "Две зеркальные кривые потерь")


def _soft(facts, say):
    figure, axes = style.panel(6.4, 3.7)
    axes.plot(P, facts["entropy"], color=style.MUTED, lw=1.5, ls="--")
    axes.text(0.85, 0.46, "H(ŷ)", color=style.MUTED, weight="bold")
    for (y, at, least), curve, line in zip(
        facts["soft"], facts["curves"][2:], ("-", "-.", ":"), strict=True
    ):
        axes.plot(P, curve, color=style.ACCENT, lw=2.2, ls=line, label=f"y = {y}")
        axes.plot(at, least, "o", color=style.WARM, ms=7)
    axes.set(ylim=(0, 2.5), xlim=(0, 1))
    axes.legend(loc="upper center", handlelength=3)
    axes.set_xlabel(say("predicted probability ŷ", "предсказанная вероятность ŷ"))
    axes.set_ylabel(say("cross-entropy, nats", "кросс-энтропия, нат"))
    return figure, say("Cross-entropy of three soft labels, least where ŷ = y",
                       "Кросс-энтропия трёх мягких меток, минимум при ŷ = y")  # fmt: skip
