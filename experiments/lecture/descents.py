"""Paths of optimizers and solvers down a function, every setting of an optimizer at once."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import optimizers, solvers

# The lecture's optimizers, made from a learning rate alone, and its solvers.
RULES = {
    "sgd": optimizers.sgd,
    "momentum": optimizers.momentum_ema,
    "nesterov": functools.partial(optimizers.sgd, momentum=0.9, nesterov=True),
    "adagrad": optimizers.adagrad,
    "adadelta": optimizers.adadelta,
    "rmsprop": optimizers.rmsprop,
    "adam": optimizers.adam,
}
SOLVERS = {
    "nonlinear_cg": solvers.nonlinear_cg(scaled=False),  # the textbook's
    "bfgs": solvers.bfgs(),
    "newton": solvers.newton(),
}


def names(say) -> dict[str, str]:
    """What a page calls each of them."""
    own = {
        "momentum": say("momentum", "импульс"),
        "nesterov": say("Nesterov", "Нестеров"),
        "nonlinear_cg": say("conjugate gradients", "сопряжённые градиенты"),
        "newton": say("Newton", "Ньютон"),
    }
    same = {"sgd": "SGD", "rmsprop": "RMSProp", "bfgs": "BFGS"}
    return {name: (own | same).get(name, name.capitalize()) for name in (*RULES, *SOLVERS)}


def paths(make, hypers: dict, function, start, steps: int) -> jax.Array:
    """[L, T + 1, D] the paths of `make(hyper)` from the start [D], down function(w, hyper)."""

    def path(hyper):
        rule = make(hyper)

        def step(carry, _):
            w, state = carry
            updates, state = rule.update(jax.grad(function)(w, hyper), state, w)
            return (w + updates, state), w + updates

        return jax.lax.scan(step, (start, rule.init(start)), length=steps)[1]

    walked = jax.vmap(path)(hypers)
    first = jnp.broadcast_to(start, (walked.shape[0], 1, start.size))
    return jnp.concatenate([first, walked], axis=1)


def solved(solver, function, start, steps: int, *args) -> tuple[jax.Array, jax.Array, jax.Array]:
    """[T + 1, D] where a solver stands after each step, [T + 1] the value, and what it has cost.

    The cost [T + 1] is in passes over the data: a look (value and gradient) is one, and so is a
    product of the Hessian and a vector.
    """

    def step(run, _):
        run = solvers.advance(solver, function, start, run, *args, tol=0.0, max_steps=1)
        return run, run

    first = solvers.start(solver, function, start, *args, tol=0.0)
    runs = jax.lax.scan(step, first, length=steps)[1]
    runs = jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), first, runs)
    return runs.point.params, runs.point.value, runs.counts.gradients + runs.counts.hessian_products


def arrival(values: np.ndarray, share: float = 0.01) -> np.ndarray:
    """[L] the first step from which values [L, T] stay within `share` of the first; inf: none."""
    above = ~(values <= share * values[:, :1])
    last = values.shape[1] - 1 - np.argmax(above[:, ::-1], axis=1)
    return np.where(last < values.shape[1] - 1, last + 1.0, np.inf)
