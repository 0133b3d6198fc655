"""What each optimizer is given to tune: one table, and points of it in equal number.

Every learning rate is spread by its logarithm over four decades, so that nobody's range is better
informed than another's; the decades are those where the family's steps make sense on columns of
variance 1. Memory (momentum, decay or b1) is spread by the logarithm of 1 - memory from 1 to 0.01.
"""

from typing import NamedTuple

from experiments.sweep import study
from jaxlr import optimizers, sweeps

LEAST_FORGOTTEN = 0.01


class Contestant(NamedTuple):
    """Loss, range of learning rates, and the argument that is its memory (None: it has none)."""

    family: str
    low: float
    high: float
    memory: str | None


STEPS, SCALES, ADAMS = "gradient steps", "adaptive scales", "Adam and kin"
SIGNS, LAYERS = "signs", "layer norms"

CONTESTANTS = {
    "sgd": Contestant(STEPS, 1e-3, 1e1, None),
    "momentum": Contestant(STEPS, 1e-4, 1e0, "momentum"),  # a heavy ball steps 1/(1 - m) as far
    "nesterov": Contestant(STEPS, 1e-4, 1e0, "momentum"),
    "momentum_ema": Contestant(STEPS, 1e-3, 1e1, "decay"),
    "lookahead": Contestant(STEPS, 1e-4, 1e0, "momentum"),
    "noisy_sgd": Contestant(STEPS, 1e-3, 1e1, None),
    "adagrad": Contestant(SCALES, 1e-3, 1e1, None),
    "adadelta": Contestant(SCALES, 1e-2, 1e2, None),
    "rmsprop": Contestant(SCALES, 1e-4, 1e0, None),
    "adam": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "adamw": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "adamax": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "adamaxw": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "amsgrad": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "nadam": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "nadamw": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "radam": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "adabelief": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "yogi": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "adan": Contestant(ADAMS, 1e-4, 1e0, "b1"),
    "sign_sgd": Contestant(SIGNS, 1e-5, 1e-1, None),
    "rprop": Contestant(SIGNS, 1e-5, 1e-1, None),
    "lion": Contestant(SIGNS, 1e-5, 1e-1, "b1"),
    "lars": Contestant(LAYERS, 1e-2, 1e2, "momentum"),
    "lamb": Contestant(LAYERS, 1e-4, 1e0, "b1"),
    "novograd": Contestant(LAYERS, 1e-4, 1e0, "b1"),
}
# Left out unless asked for: rprop is for whole batches, the others differ little from a neighbour.
EXTRAS = ("rprop", "noisy_sgd", "nadamw", "adamaxw")
DEFAULT = tuple(name for name in CONTESTANTS if name not in EXTRAS)


def points(name: str, num_points: int, seed: int) -> dict:
    """A scrambled Sobol design of the optimizer's own space: {learning_rate, momentum?: [K]}."""
    contestant = CONTESTANTS[name]
    space = {"learning_rate": sweeps.LogUniform(contestant.low, contestant.high)}
    if contestant.memory:
        space["forgotten"] = sweeps.LogUniform(LEAST_FORGOTTEN, 1.0)
    hypers = sweeps.sobol(space, num_points, seed).hypers
    if contestant.memory:
        hypers["momentum"] = 1 - hypers.pop("forgotten")
    return hypers


def build(name: str, hyper: dict):
    """The optimizer at one point; its memory, under whatever name, is hyper["momentum"]."""
    if name == "lookahead":  # around momentum, with the period and pull of its paper
        inner = optimizers.sgd(hyper["learning_rate"], momentum=hyper["momentum"])
        return optimizers.lookahead(inner, sync_period=5, slow_step_size=0.5)
    make = study.FORMS.get(name) or getattr(optimizers, name)
    memory = CONTESTANTS[name].memory
    given = {memory: hyper["momentum"]} if memory else {}
    return make(hyper["learning_rate"], **given)
