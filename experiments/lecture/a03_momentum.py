"""A3. Momentum in the ravine: the zig-zag, both forms of the memory, and β swept.

Question: why does a memory of past gradients help where plain descent swings from wall to wall?
Finding: across the ravine the gradients cancel and along it they add up, so that a larger learning
rate becomes safe; the narrower the ravine, the longer the best memory.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import style
from experiments.lecture import descents, memory_sweep, ravine_panel
from experiments.optimizers import ravine
from jaxlr import optimizers

BETA = inspect.signature(optimizers.momentum_ema).parameters["decay"].default
RATE = round(ravine.BEST_FIXED_RATE, 2)
SEEN, STEPS = ravine.STEPS, 300
MEMORIES = (0.5, 0.9, 0.98)
# What the picture to play with starts from.
PLAY = {
    "angle": float(ravine.ANGLE),
    "condition": ravine.CONDITION,
    "rate": RATE,
    "beta": BETA,
    "x": round(float(ravine.START[0]), 3),
    "y": round(float(ravine.START[1]), 3),
    "steps": SEEN,
}


def facts(mail=None) -> dict:
    """The walks, how far apart the two forms are, the weights of the past, and the sweep of β."""
    with jax.enable_x64(True):
        walks = _walks()
        weights = {beta: _weights(beta) for beta in MEMORIES}
    window = round(1 / (1 - BETA))
    first = {name: ravine_panel.first(walk, SEEN) for name, walk in walks.items()}
    return {
        "walks": walks,
        "turns": {name: walk.turns for name, walk in first.items()},
        "arrivals": {name: walk.arrival for name, walk in walks.items()},
        "rates": {name: walk.hyper["rate"] for name, walk in walks.items()},
        "apart": float(np.abs(walks["average"].path - walks["ball"].path).max()),
        "beta": BETA, "seen": SEEN, "condition": ravine.CONDITION, "weights": weights,
        "window": window, "recent": float(weights[BETA][:window].sum()),
        "sweep": memory_sweep.facts(), "suited": memory_sweep.suited(BETA),
        "play": PLAY,
    }  # fmt: skip


def _walks():
    """SGD at its best rate; the average at that rate and at its own best; two heavy balls."""
    grid = np.array([RATE, *np.round(np.geomspace(0.5, 40, 80), 2)])

    @jax.jit
    def run(rates):
        start = jnp.asarray(ravine.START)
        hypers = {"rate": rates, "condition": jnp.full_like(rates, ravine.CONDITION)}

        def down(make):
            return descents.paths(
                lambda h: make(h["rate"]), hypers, memory_sweep.parabola, start, STEPS
            )

        ball = lambda rate: optimizers.sgd(rate * (1 - BETA), BETA)  # noqa: E731
        same = lambda rate: optimizers.sgd(rate, BETA)  # noqa: E731
        return [down(make) for make in (optimizers.sgd, optimizers.momentum_ema, ball, same)]

    sgd, average, ball, same = (np.asarray(path) for path in run(jnp.asarray(grid)))
    best = int(np.argmin(descents.arrival(ravine.value(average))))
    chosen = {"sgd": (sgd, 0), "average": (average, 0), "fast": (average, best), "ball": (ball, 0)}
    chosen["same"] = (same, 0)
    return {
        name: ravine.Walk(name, {"rate": float(grid[i])}, paths[i], ravine.value(paths[i]))
        for name, (paths, i) in chosen.items()
    }


def _weights(beta, length: int = 60):
    """[T] what v still holds of one gradient of 1, by its age: (1 - β) βᵏ, as jaxlr has it."""
    rule = optimizers.momentum_ema(1.0, beta)
    impulse = jnp.zeros((length, 1)).at[0].set(1.0)
    _, updates = jax.lax.scan(lambda s, g: rule.update(g, s)[::-1], rule.init(impulse[0]), impulse)
    return -np.asarray(updates)[:, 0]


def figures(facts: dict, say) -> dict:
    """The zig-zag, the calmed walk, the two forms, the weights of the past, and β swept."""
    first = {name: ravine_panel.first(walk, SEEN) for name, walk in facts["walks"].items()}
    turns = say("turns across the ravine", "поворотов поперёк")
    drawn = {}
    for name, method in (("sgd", "SGD"), ("average", f"β = {BETA}"), ("fast", f"β = {BETA}")):
        rate = f"α = {facts['rates'][name]:.3g}"
        title = f"{method}, {rate}: {facts['turns'][name]} {turns}"
        drawn[name] = (ravine_panel.draw(first[name], title), title)
    return drawn | {
        "forms": _forms(first, say),
        "weights": _weights_figure(facts["weights"], say),
        "beta": memory_sweep.figure(facts["sweep"], facts["condition"], say),
    }


def _forms(walks, say):
    title = say("line: average at α; rings: heavy ball at (1 − β)α",
                "линия: среднее с α; кольца: шарик с (1 − β)α")  # fmt: skip
    figure = ravine_panel.draw(walks["average"], title, [walks["same"].path], size=1.5)
    figure.axes[0].plot(*walks["ball"].path.T, "o", mfc="none", mec=style.WARM, ms=7, mew=1.1)
    return figure, say("Both forms take the same path", "Обе формы идут одним путём")


def _weights_figure(weights, say):
    figure, axes = style.panel(6.8, 3.6)
    for (beta, shares), line in zip(weights.items(), ("--", "-", "-."), strict=True):
        axes.plot(shares, line, color=style.ACCENT, lw=2, marker=".", ms=5)
        at = {0.5: 2, 0.9: 16, 0.98: 30}[beta]
        axes.text(at + 1, shares[at] * 1.15, f"β = {beta:g}", color=style.ACCENT)
    style.log_axis(axes, "y", 1e-3, 0.5)
    axes.set_xlabel(say("age of the gradient, steps", "возраст градиента, шагов"))
    axes.set_title(say("its weight in v", "его вес в v"))
    return figure, say("Weights of past gradients", "Веса прошлых градиентов")
