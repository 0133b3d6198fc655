"""Every gradient again, by hand: the lecture's chain rule, one example at a time.

A witness for `jax.grad`, so nothing here calls it. `factors` keeps the derivative as the lecture
writes it, factor by factor; `scores` collapses the factors so that nothing cancels; `linear`, `mlp`
and `whole` carry them on to the parameters.
"""

from jaxlr.chain_rule.factors import (
    Factors,
    linear_regression_factors,
    logistic_regression_factors,
    product,
    softmax_regression_factors,
)
from jaxlr.chain_rule.linear import (
    linear_regression,
    linear_regression_hessian,
    linear_regression_hvp,
    logistic_regression,
    logistic_regression_hessian,
    logistic_regression_hvp,
    softmax_regression,
    softmax_regression_hessian,
    softmax_regression_hvp,
)
from jaxlr.chain_rule.mlp import mlp
from jaxlr.chain_rule.whole import risk

__all__ = [
    "Factors",
    "linear_regression",
    "linear_regression_factors",
    "linear_regression_hessian",
    "linear_regression_hvp",
    "logistic_regression",
    "logistic_regression_factors",
    "logistic_regression_hessian",
    "logistic_regression_hvp",
    "mlp",
    "product",
    "risk",
    "softmax_regression",
    "softmax_regression_factors",
    "softmax_regression_hessian",
    "softmax_regression_hvp",
]
