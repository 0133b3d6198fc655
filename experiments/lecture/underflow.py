"""How many probabilities can be multiplied before the product is zero."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import style
from experiments.lecture import ad_clicks
from jaxlr import losses


def product(x, labels) -> dict:
    """The likelihood of the first n users under the true law, in each format."""
    score = x @ ad_clicks.TRUTH[:3] + ad_clicks.TRUTH[3]
    loss = jax.vmap(losses.log_loss)(score, labels)
    exact = np.cumsum(np.asarray(loss, float))
    p, rows = np.exp(-np.asarray(loss, float)), []
    with np.errstate(under="ignore"):
        for name in ("float16", "float32", "float64"):
            product = np.cumprod(p.astype(name), dtype=name)
            smallest = float(np.finfo(name).smallest_subnormal)
            rows.append((name, smallest, int((product == 0).argmax()) + 1))
    return {"many": len(loss), "formats": rows, "exact": exact.tolist(),
            "sum32": float(jnp.sum(loss)), "wrong": abs(float(jnp.sum(loss)) / exact[-1] - 1),
            "power": -exact[-1] / math.log(10)}  # fmt: skip


def drawn(facts: dict, say):
    """The logarithm goes on where the product has ended."""
    figure, axes = style.panel(6.6, 3.7)
    exact = -np.array(facts["exact"]) / math.log(10)
    n = np.arange(1, len(exact) + 1)
    axes.plot(n, exact, color=style.ACCENT, lw=2.5)
    axes.text(n[900], exact[900] + 15, say("sum of logarithms", "сумма логарифмов"),
              color=style.ACCENT, weight="bold")  # fmt: skip
    for name, smallest, end in facts["formats"]:
        far = end > len(n) / 2
        axes.plot([0, end], [math.log10(smallest)] * 2, color=style.WARM, lw=1.2, ls="--")
        axes.plot(end, exact[end - 1], "X", color=style.WARM, ms=9, mec=style.PAPER)
        axes.annotate(say(f"{name}: 0 from n = {end}", f"{name}: 0 с n = {end}"),
                      (end, exact[end - 1]), (-10, -17) if far else (10, 4),
                      textcoords="offset points", ha="right" if far else "left",
                      color=style.WARM, weight="bold")  # fmt: skip
    axes.set(xlim=(0, None), ylim=(None, 15))
    axes.set_xlabel(say("users n", "пользователей n"))
    axes.set_ylabel(say("log₁₀ of the likelihood", "log₁₀ правдоподобия"))
    return figure, say("Where the product of n probabilities becomes zero in each format",
                       "Где произведение n вероятностей обращается в ноль")  # fmt: skip
