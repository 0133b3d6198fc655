"""How many steps momentum needs for each β, in ravines narrow and wide."""

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import style
from experiments.lecture import descents
from experiments.optimizers import ravine
from jaxlr import optimizers

CONDITIONS = (10.0, 50.0, 1000.0)
BETAS = np.round(1 - np.geomspace(1, 0.01, 41), 4)
SHARES = np.linspace(0.03, 0.99, 33)  # of the largest rate that doesn't diverge
STEPS = 1500


def facts() -> dict:
    """Fewest steps to 1 % [B] over the learning rates, by the ravine's κ, and at SGD's own rate."""
    best, plain = {}, {}
    with jax.enable_x64(True):
        for condition in CONDITIONS:
            best[condition], plain[condition] = _swept(condition)
    return {
        "best": best,
        "plain": plain,
        "chosen": {kappa: float(BETAS[np.argmin(steps)]) for kappa, steps in best.items()},
        "fewest": {kappa: int(steps.min()) for kappa, steps in best.items()},
        "without": {kappa: int(steps[0]) for kappa, steps in best.items()},
        "num_rates": len(SHARES),
        "theory": {kappa: polyak(kappa) for kappa in CONDITIONS},
    }


def polyak(condition: float) -> float:
    """The β that shrinks the slowest direction of a ravine fastest: ((√κ - 1) / (√κ + 1))²."""
    root = float(condition) ** 0.5
    return ((root - 1) / (root + 1)) ** 2


def suited(beta: float) -> float:
    """The κ of the ravine for which β is Polyak's."""
    root = beta**0.5
    return ((1 + root) / (1 - root)) ** 2


def parabola(w, hyper):
    """The ravine ½(across² + along²/κ)."""
    along, across = jnp.asarray(ravine.ALONG) @ w, jnp.asarray(ravine.ACROSS) @ w
    return 0.5 * (across**2 + along**2 / hyper["condition"])


def _swept(condition):
    beta, share = np.meshgrid(BETAS, SHARES, indexing="ij")
    rate = share * 2 * (1 + beta) / (1 - beta)
    rate = np.c_[rate, np.full(len(BETAS), 2 / (1 + 1 / condition))]  # the last is SGD's best
    hypers = {
        "beta": np.broadcast_to(BETAS[:, None], rate.shape).ravel(),
        "rate": rate.ravel(),
        "condition": np.full(rate.size, condition),
    }
    steps = descents.arrival(np.asarray(_values(hypers))).reshape(rate.shape)
    return steps[:, :-1].min(axis=1), steps[:, -1]


@jax.jit
def _values(hypers):
    start = jnp.asarray(ravine.START)

    def make(hyper):
        return optimizers.momentum_ema(hyper["rate"], hyper["beta"])

    walked = descents.paths(make, hypers, parabola, start, STEPS)
    along_path = jax.vmap(parabola, in_axes=(0, None))
    return jax.vmap(along_path)(walked, hypers)


def figure(facts: dict, condition: float, say) -> tuple:
    """Steps against β, its axis the logarithm of 1 - β."""
    drawn, axes = style.panel(7.0, 4.2)
    memory = 1 / (1 - BETAS)
    for kappa, line in zip(CONDITIONS, ("--", "-", "-."), strict=True):
        steps = facts["best"][kappa]
        axes.plot(memory, steps, line, color=style.ACCENT, lw=2)
        least = int(np.argmin(steps))
        axes.plot(memory[least], steps[least], "o", color=style.WARM, ms=8)
        axes.text(1.04, steps[0] * 1.12, f"κ = {kappa:g}", color=style.ACCENT)
    note = say(f"κ = {condition:g}, SGD's learning rate", f"κ = {condition:g}, скорость как у SGD")
    axes.plot(memory, facts["plain"][condition], ":", color=style.INK, lw=1.8, label=note)
    axes.legend(loc="upper left")
    style.log_axis(axes, "x", 1, 100)
    style.log_axis(axes, "y", 5, STEPS)
    ticks = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
    axes.set_xticks([1 / (1 - beta) for beta in ticks], [f"{beta:g}" for beta in ticks])
    axes.set(xlabel="β", title=say("steps to 1% of the start", "шагов до 1% от начала"))
    return drawn, say("Steps to 1% against β for three ravines", "Шаги до 1% от β для трёх оврагов")
