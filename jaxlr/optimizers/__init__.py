"""Every optimizer of the lecture as an (init, update) pair: names and defaults as in optax.

Each number may be a Python float (checked), a traced array (not checked: its value is not known
when the program is written), or a schedule, step -> number, where the signature says so.
"""

from jaxlr.optimizers.adam import AdamState, AdanState, adam, adamw, adan, nadam, nadamw
from jaxlr.optimizers.adaptive import (
    AdadeltaState,
    AdagradState,
    RmspropState,
    adadelta,
    adagrad,
    rmsprop,
)
from jaxlr.optimizers.layers import LarsState, NovogradState, lamb, lars, novograd
from jaxlr.optimizers.momentum import NoisySgdState, SgdState, momentum_ema, noisy_sgd, sgd
from jaxlr.optimizers.parts import CountState
from jaxlr.optimizers.sign import LionState, RpropState, lion, rprop, sign_sgd
from jaxlr.optimizers.spread import (
    AmsgradState,
    adabelief,
    adamax,
    adamaxw,
    amsgrad,
    radam,
    yogi,
)
from jaxlr.optimizers.wrappers import (
    LookaheadParams,
    LookaheadState,
    add_weight_decay,
    chain,
    clip_by_global_norm,
    lookahead,
)

__all__ = [
    "AdadeltaState",
    "AdagradState",
    "AdamState",
    "AdanState",
    "AmsgradState",
    "CountState",
    "LarsState",
    "LionState",
    "LookaheadParams",
    "LookaheadState",
    "NoisySgdState",
    "NovogradState",
    "RmspropState",
    "RpropState",
    "SgdState",
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "add_weight_decay",
    "amsgrad",
    "chain",
    "clip_by_global_norm",
    "lamb",
    "lars",
    "lion",
    "lookahead",
    "momentum_ema",
    "nadam",
    "nadamw",
    "noisy_sgd",
    "novograd",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "sign_sgd",
    "yogi",
]
