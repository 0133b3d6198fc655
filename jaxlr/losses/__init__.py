"""Losses of one example, in nats, and `risk`: their weighted mean plus penalties.

A loss checks what it is given before it computes: ranks and dtypes always (they are
static), a label's value where it is known, that is outside `jit` and `vmap`.
"""

from jaxlr.losses.binary import log_loss, log_loss_from_probability
from jaxlr.losses.multiclass import softmax_cross_entropy
from jaxlr.losses.regression import squared_error
from jaxlr.losses.risks import l1_penalty, l2_penalty, risk

__all__ = [
    "l1_penalty",
    "l2_penalty",
    "log_loss",
    "log_loss_from_probability",
    "risk",
    "softmax_cross_entropy",
    "squared_error",
]
