"""A2. Every optimizer of the lecture's list, raced down one ravine and on real data.

Question: same start, same loss: what does the choice of the optimizer change?
Finding: the number of steps, several-fold, and which learning rate works, a hundredfold; methods
that know the curvature need a handful of steps, each of which costs more.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import style, words
from experiments.lecture import data_race, descents, ravine_panel, texts
from experiments.optimizers import ravine
from jaxlr import optimizers

STEPS = 300
LATE = 100  # a step at which the slip is looked at again
RATES = np.array([float(f"{rate:.2g}") for rate in np.geomspace(1e-3, 1e2, 101)])


def facts(mail=None) -> dict:
    """Each method's best path down the ravine, the steps it took, and the race on data."""
    with jax.enable_x64(True):
        walks, passes = _down_the_ravine()
        slip = _slip()
    arrivals = {name: walk.arrival for name, walk in walks.items()}
    rates = {name: walks[name].hyper["rate"] for name in descents.RULES}
    first, second = ([arrivals[name] for name in kind] for kind in (descents.RULES, passes))
    return {
        "walks": walks,
        "arrivals": arrivals,
        "rates": rates,
        "names": [descents.names(texts.sayer(language)) for language in texts.LANGUAGES],
        "fastest": min(first),
        "slowest": max(first),
        "least_solver": min(second),
        "most_solver": max(second),
        "spread": max(rates.values()) / min(rates.values()),
        "passes": passes,
        "condition": ravine.CONDITION,
        "num_rates": len(RATES),
        "slip": slip,
        "data": data_race.facts(),
        "adam": _defaults(optimizers.adam),
        "accumulator": _defaults(optimizers.adagrad)["initial_accumulator_value"],
    }


def _defaults(function):
    return {name: p.default for name, p in inspect.signature(function).parameters.items()}


def _parabola(w, hyper=None):
    return 0.5 * jnp.sum((jnp.asarray(ravine.ROOT) @ w) ** 2)


def _down_the_ravine():
    """The walk of the rate that comes to 1 % first, of each optimizer; of each solver its only."""
    start = jnp.asarray(ravine.START)

    @jax.jit
    def run(rates):
        race = {
            name: descents.paths(
                lambda h, rule=rule: rule(h["rate"]), rates, _parabola, start, STEPS
            )
            for name, rule in descents.RULES.items()
        }
        solved = {
            name: descents.solved(s, _parabola, start, 8) for name, s in descents.SOLVERS.items()
        }
        return race, solved

    race, solved = jax.tree.map(np.asarray, run({"rate": jnp.asarray(RATES)}))
    walks, passes = {}, {}
    for name in descents.RULES:
        with np.errstate(over="ignore", invalid="ignore"):  # rates that are too large diverge
            values = ravine.value(race[name])
        best = np.lexsort((values[:, -1], descents.arrival(values)))[0]
        hyper = {"rate": float(RATES[best])}
        walks[name] = ravine.Walk(name, hyper, race[name][best], values[best])
    for name in descents.SOLVERS:
        path, values, cost = solved[name]
        walks[name] = ravine.Walk(name, {}, path, values)
        passes[name] = int(cost[walks[name].arrival])
    return walks, passes


def _slip(steps: int = 3000) -> dict:
    """Adam's step over the learning rate where the gradient is 1 for ever, and with b1 for b2."""
    b1 = _defaults(optimizers.adam)["b1"]
    rule = optimizers.adam(1.0)

    def step(state, t):
        update, state = rule.update(jnp.ones(1), state)
        wrong = (state.mu / (1 - b1**t)) / jnp.sqrt(state.nu / (1 - b1**t))
        return state, (-update[0], wrong[0])

    times = jnp.arange(1.0, steps + 1)
    right, wrong = jax.lax.scan(step, rule.init(jnp.zeros(1)), times)[1]
    return {"right": np.asarray(right), "wrong": np.asarray(wrong), "worst": float(wrong[0]),
            "late": float(wrong[LATE - 1]), "late_step": LATE}  # fmt: skip


def figures(facts: dict, say) -> dict:
    """A path in front of the others for each method, the slip, and the curves on data."""
    names, walks = descents.names(say), facts["walks"]
    seen = {name: ravine_panel.first(walk, walk.arrival) for name, walk in walks.items()}
    drawn = {}
    for name, walk in seen.items():
        rivals = descents.RULES if name in descents.RULES else descents.SOLVERS
        behind = [seen[other].path for other in rivals if other != name]
        title = f"{names[name]}: {_steps(facts['arrivals'][name], say)}"
        drawn[name] = (ravine_panel.draw(walk, title, behind), title)
    slip = {"slip": _slip_figure(facts["slip"], say)}
    return drawn | slip | data_race.figures(facts["data"], say)


def _steps(count, say):
    last, teen = count % 10, count % 100 in range(11, 15)
    ending = "" if last == 1 and not teen else "а" if last in (2, 3, 4) and not teen else "ов"
    return say(words.count(count, "step") + " to 1%", f"{count} шаг{ending} до 1%")


def _slip_figure(slip, say):
    figure, axes = style.panel(6.4, 3.3)
    times = np.arange(1, len(slip["right"]) + 1)
    axes.loglog(times, slip["wrong"], color=style.WARM, lw=2.2)
    axes.loglog(times, slip["right"], color=style.ACCENT, lw=2.2)
    style.log_axis(axes, "x", 1, times[-1])
    style.log_axis(axes, "y", 0.8, slip["worst"])
    axes.text(1.3, 1.12, "s / (1 − β₂ᵗ)", color=style.ACCENT)
    axes.text(14, slip["wrong"][13] * 1.15, "s / (1 − β₁ᵗ)", color=style.WARM)
    axes.set_xlabel(say("step t", "шаг t"))
    axes.set_ylabel(say("step / learning rate", "шаг / скорость обучения"))
    title = say("Adam's first steps, right and with the slip", "Шаги Adam: верно и с опиской")
    return figure, title
