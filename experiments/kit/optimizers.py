"""Every optimizer by its name: what it is, which numbers it has, and where they are worth trying.

One name is one algorithm in every command. `rmsprop` is Hinton's: it has no momentum unless asked
for by its own name. `lookahead` goes around the heavy ball, with its paper's period and pull.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

STEPS, SCALES, ADAMS = "gradient steps", "adaptive scales", "Adam and kin"
SIGNS, LAYERS = "signs", "layer norms"
DECADES = 1e4  # from the lowest rate to the highest: nobody's range is better informed


class Number(NamedTuple):
    """A range worth trying, and how it is spread.

    scale: "log", "uniform"; "memory", by the logarithm of 1 - x, for what lies below 1; or "whole",
    by the logarithm, rounded.
    """

    low: float
    high: float
    scale: str = "log"


class Rule(NamedTuple):
    """An optimizer: its learning rates are worth trying from `low` on.

    memory: the number that says how long gradients are remembered; None where nothing does.
    others: its other numbers. function: of jaxlr.optimizers, where that has another name.
    fixed: arguments of the function; a number among them can still be a lane's.
    """

    family: str
    low: float
    memory: str | None = None
    others: tuple[str, ...] = ()
    function: str | None = None
    fixed: Mapping[str, Any] = {}

    @property
    def high(self) -> float:
        """The highest learning rate worth trying."""
        return self.low * DECADES

    @property
    def numbers(self) -> tuple[str, ...]:
        """All but the learning rate."""
        return (self.memory, *self.others) if self.memory else self.others


NUMBERS = {
    "momentum": Number(0.0, 0.99, "memory"),
    "decay": Number(0.0, 0.99, "memory"),
    "rho": Number(0.0, 0.99, "memory"),
    "b1": Number(0.0, 0.99, "memory"),
    "b2": Number(0.9, 0.9999, "memory"),
    "b3": Number(0.9, 0.9999, "memory"),
    "eps": Number(1e-10, 1e-2),
    "eps_root": Number(1e-16, 1e-4),
    "weight_decay": Number(1e-6, 1e-1),
    "trust_coefficient": Number(1e-4, 1e-1),
    "initial_accumulator_value": Number(1e-3, 1.0),
    "initial_scale": Number(1e-3, 1.0),
    "threshold": Number(4.0, 10.0, "uniform"),
    "eta": Number(1e-4, 1.0),
    "gamma": Number(0.0, 1.0, "uniform"),
    "eta_minus": Number(0.2, 0.9, "uniform"),
    "eta_plus": Number(1.05, 2.0, "uniform"),
    "min_step_size": Number(1e-8, 1e-3),
    "max_step_size": Number(1e-1, 1e2),
    "sync_period": Number(2, 20, "whole"),
    "slow_step_size": Number(0.1, 1.0, "uniform"),
}

BALL = {"momentum": 0.9}
ADAM = ("b2", "eps", "eps_root")
ADAMW = (*ADAM, "weight_decay")
RULES = {
    "sgd": Rule(STEPS, 1e-3),
    "momentum": Rule(STEPS, 1e-4, "momentum", (), "sgd", BALL),  # it steps 1/(1 - m) as far
    "nesterov": Rule(STEPS, 1e-4, "momentum", (), "sgd", BALL | {"nesterov": True}),
    "momentum_ema": Rule(STEPS, 1e-3, "decay"),
    "lookahead": Rule(
        STEPS,
        1e-4,
        "momentum",
        ("sync_period", "slow_step_size"),
        fixed=BALL | {"sync_period": 5, "slow_step_size": 0.5},
    ),
    "noisy_sgd": Rule(STEPS, 1e-3, None, ("eta", "gamma")),
    "adagrad": Rule(SCALES, 1e-3, None, ("eps", "initial_accumulator_value")),
    "adadelta": Rule(SCALES, 1e-2, None, ("rho", "eps", "weight_decay")),
    "rmsprop": Rule(SCALES, 1e-4, None, ("decay", "momentum", "eps", "initial_scale")),
    "adam": Rule(ADAMS, 1e-4, "b1", ADAM),
    "adamw": Rule(ADAMS, 1e-4, "b1", ADAMW),
    "adamax": Rule(ADAMS, 1e-4, "b1", ("b2", "eps")),
    "adamaxw": Rule(ADAMS, 1e-4, "b1", ("b2", "eps", "weight_decay")),
    "amsgrad": Rule(ADAMS, 1e-4, "b1", ADAM),
    "nadam": Rule(ADAMS, 1e-4, "b1", ADAM),
    "nadamw": Rule(ADAMS, 1e-4, "b1", ADAMW),
    "radam": Rule(ADAMS, 1e-4, "b1", (*ADAM, "threshold")),
    "adabelief": Rule(ADAMS, 1e-4, "b1", ADAM),
    "yogi": Rule(ADAMS, 1e-4, "b1", ("b2", "eps")),
    "adan": Rule(ADAMS, 1e-4, "b1", (*ADAMW, "b3")),
    "sign_sgd": Rule(SIGNS, 1e-5),
    "rprop": Rule(SIGNS, 1e-5, None, ("eta_minus", "eta_plus", "min_step_size", "max_step_size")),
    "lion": Rule(SIGNS, 1e-5, "b1", ("b2", "weight_decay")),
    "lars": Rule(LAYERS, 1e-2, "momentum", ("eps", "weight_decay", "trust_coefficient")),
    "lamb": Rule(LAYERS, 1e-4, "b1", ADAMW),
    "novograd": Rule(LAYERS, 1e-4, "b1", ADAMW),
}


def taken(name: str, given) -> dict[str, str]:
    """{number of the optimizer: its name among those given}; its memory may be called momentum."""
    rule = RULES[name]
    own = {number: number for number in rule.numbers if number in given}
    return ({rule.memory: "momentum"} if rule.memory and "momentum" in given else {}) | own


def build(name: str, hyper: Mapping[str, Any]):
    """The optimizer (init, update) at the numbers of a lane; what it lacks there is its default.

    Args:
      name: one of RULES.
      hyper: {"learning_rate": [], number: []}; `momentum` is the memory of each that has one and
        is not given that by its own name. Other names are left alone.
    """
    from jaxlr import optimizers  # late, as it imports JAX

    rule, rate = RULES[name], hyper["learning_rate"]
    arguments = rule.fixed | {number: hyper[key] for number, key in taken(name, hyper).items()}
    if name == "lookahead":
        inner = optimizers.sgd(rate, arguments.pop("momentum"))
        return optimizers.lookahead(inner, **arguments)
    return getattr(optimizers, rule.function or name)(rate, **arguments)
