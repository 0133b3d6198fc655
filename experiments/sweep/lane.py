"""A lane by name: a model, an optimizer, and the numbers that a problem adds."""

from functools import lru_cache, partial

import jax.numpy as jnp

from experiments.kit import optimizers, problems
from experiments.kit.problems import Problem
from experiments.sweep.choices import widths
from jaxlr import losses, models, sweeps

RATES = {"warmup": "warmup", "final_rate": "final"}  # by what `warmup_cosine` calls them


def lane(problem: Problem, settings: dict) -> sweeps.Lane:
    """A lane of the problem under one group's static settings: model and optimizer by name.

    Where its learning rate changes along the run, by RATES, it has another number: `num_steps`.
    """
    x, outputs, task = problem.train.x, problem.num_outputs, problem.table.task
    names = settings["model"], settings["optimizer"]
    return _lane(task, x.shape[1], outputs, x.dtype, settings.get("hidden", ""), *names)


@lru_cache  # one object for one lane: compiled programs are found by it
def _lane(task, num_features, num_outputs, dtype, hidden, model_name, optimizer_name):
    model = getattr(models, model_name)
    if model_name == "linear":

        def init(key):
            del key  # a convex problem starts at zero
            return models.init_linear(num_features, num_outputs, jnp.float32)

    else:
        shape = {"num_features": num_features, "num_outputs": num_outputs}
        init = partial(models.init_mlp, hidden=widths(hidden), **shape, dtype=dtype)

    def risk(hyper):
        return losses.risk(model, problems.loss_of(task), l2=hyper["l2"])

    def optimizer(hyper):
        asked = {name: hyper[key] for key, name in RATES.items() if key in hyper}
        if asked:
            rate = sweeps.warmup_cosine(hyper["learning_rate"], hyper["num_steps"], **asked)
            hyper = hyper | {"learning_rate": rate}
        return optimizers.build(optimizer_name, hyper)

    return sweeps.descent(init, risk, optimizer, problems.lane_metrics(task, model))
