"""A4. Classification: a law that separates, and a law of clicks found again in its data.

Question: how near does a fit come to the law that made the data?
Finding: within a few standard errors, and the 95 % intervals hold the truth in 95 % of samples.
"""

import jax
import numpy as np

from experiments.kit import style
from experiments.lecture import ad_clicks, petals
from jaxlr import losses

SAMPLES, USERS, SHOWN = 1000, 500, 60
NORMAL = 1.959964  # 95 % of a normal law lie within so many standard errors


def facts(mail=None) -> dict:
    """Two questions about the same flowers; a law of clicks, fitted to many samples of it."""
    x, labels = ad_clicks.users(np.random.default_rng(0), SAMPLES, USERS)
    fitted = jax.jit(jax.vmap(ad_clicks.fit))(x, labels)
    estimates, errors = (np.asarray(one, float) for one in fitted)  # [samples, weights]
    away = (estimates - ad_clicks.TRUTH) / errors
    table = zip(ad_clicks.TRUTH, estimates[0], errors[0], away[0], strict=True)
    held = (abs(away) <= NORMAL).mean(axis=0)
    first = np.stack([estimates[:SHOWN, 0], errors[:SHOWN, 0]])
    return {"normal": NORMAL} | petals.facts() | _steps(x[0], labels[0], estimates[0]) | {
        "users": USERS, "samples": SAMPLES, "shown": SHOWN, "features": x.shape[-1],
        "clicked": labels[0].mean(), "table": [[float(n) for n in row] for row in table],
        "farthest": abs(away[0]).max(), "held": held.tolist(),
        "chance": (0.95 * 0.05 / SAMPLES) ** 0.5,
        "spread": estimates.std(axis=0).tolist(), "claimed": errors.mean(axis=0).tolist(),
        "first": first.tolist(), "missed": int((abs(away[:SHOWN, 0]) > NORMAL).sum()),
    }  # fmt: skip


def _steps(x, labels, estimate) -> dict:
    """The share of wrong answers, and the mean loss, as the weight of earlier clicks moves."""
    few, y = x[:40], labels[:40]
    weight = np.linspace(-0.5, 1.5, 401).astype(np.float32)
    rest = few[:, 1:] @ estimate[1:3] + estimate[3]
    score = (few[:, 0] * weight[:, None] + rest).astype(np.float32)  # [weights, users]
    loss = jax.vmap(jax.vmap(losses.log_loss), (0, None))(score, y).mean(axis=1)
    wrong = ((score > 0) != y).mean(axis=1)
    return {"weight": weight.tolist(), "wrong": wrong.tolist(), "loss": np.asarray(loss).tolist(),
            "few": len(y), "jumps": int((np.diff(wrong) != 0).sum())}  # fmt: skip


def figures(facts: dict, say) -> dict:
    """Regression beside classification, the staircase of wrong answers, and the intervals."""
    return {"questions": petals.drawn(facts, say), "steps": _drawn_steps(facts, say),
            "intervals": _intervals(facts, say)}  # fmt: skip


def _drawn_steps(facts, say):
    figure, axes = style.panel(6.2, 3.5)
    axes.plot(facts["weight"], facts["loss"], color=style.ACCENT, lw=2.5)
    axes.step(facts["weight"], facts["wrong"], color=style.WARM, lw=2, where="mid")
    for at, up, name, colour in [
        (130, 0.05, say("mean loss", "средние потери"), style.ACCENT),
        (0, 0.03, say("share of wrong answers", "доля ошибок"), style.WARM),
    ]:
        y = facts["loss" if at else "wrong"][at] + up
        axes.text(facts["weight"][at], y, name, color=colour, weight="bold")
    axes.set_xlabel(say("weight of earlier clicks", "вес прошлых кликов"))
    axes.set_ylim(0, None)
    return figure, say(
        "A staircase of errors and a smooth loss", "Лестница ошибок и гладкие потери"
    )


def _intervals(facts, say):
    figure, axes = style.panel(7.2, 3.2)
    estimates, errors = np.array(facts["first"])
    missed = abs(estimates - facts["table"][0][0]) > NORMAL * errors
    for where, colour, marker in [(~missed, style.ACCENT, "o"), (missed, style.WARM, "s")]:
        at = np.flatnonzero(where) + 1
        axes.errorbar(at, estimates[where], NORMAL * errors[where], fmt=marker, color=colour,
                      ms=3.5, elinewidth=1.6)  # fmt: skip
    axes.axhline(facts["table"][0][0], color=style.INK, lw=1.2, ls="--")
    axes.set_xlim(0, facts["shown"] + 1)
    axes.set_xlabel(say("sample", "номер выборки"))
    axes.set_ylabel(say("weight of earlier clicks", "вес прошлых кликов"))
    return figure, say("Intervals of many samples around the true weight",
                       "Интервалы многих выборок вокруг истинного веса")  # fmt: skip
