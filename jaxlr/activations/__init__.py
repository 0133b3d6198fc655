"""The logistic trick: sigmoid, softplus, softmax and their logarithms, never forming exp(+large).

Value and derivatives of every order are right to the last bits. Floats narrower
than float32 are computed in float32 and rounded once.
"""

from jaxlr.activations.logistic import log_sigmoid, sigmoid, softplus
from jaxlr.activations.multiclass import log_softmax, softmax

__all__ = ["log_sigmoid", "log_softmax", "sigmoid", "softmax", "softplus"]
