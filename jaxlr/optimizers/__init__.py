"""Every optimizer of the lecture as an (init, update) pair: names and defaults as in optax."""

from jaxlr.optimizers.adaptive import AdamState, adam
from jaxlr.optimizers.momentum import SgdState, momentum_ema, sgd

__all__ = ["AdamState", "SgdState", "adam", "momentum_ema", "sgd"]
