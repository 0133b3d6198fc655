"""Which weights are 0 at the optimum, by proof, from a point that is only near it.

A loss whose second derivatives are at most B has a dual that is curved by 1/B at least. So a gap G
at slopes q says that the optimal ones q* are within Σ s ‖q - q*‖² <= 2 B G; as Σ s q = 0 = Σ s q*,

    |u_j - u*_j| = |Σ s (x_j - x̄_j) (q - q*)| <= √(2 B G Σ s (x_j - x̄_j)²),

and a weight is 0 where |u*_j| < λα.
"""

import jax.numpy as jnp

from jaxlr.paths.duality import Duality, unit
from jaxlr.paths.families import Family
from jaxlr.paths.problem import Lanes, Problem, without_intercept
from jaxlr.pytypes import Array


def zeros(family: Family, problem: Problem, lanes: Lanes, dual: Duality) -> Array:
    """Which weights [L, C, P] are 0 at their lane's optimum; False wherever that isn't proved.

    Runs in float64, and counts its rounding. Intercepts are never among them.

    Reference:
      Ndiaye, Fercoq, Gramfort and Salmon, Gap safe screening rules for sparsity enforcing
      penalties (2017), theorem 6; the slopes' common mean is taken out here.
    """
    bend = _bend(family)
    if bend is None:
        return jnp.zeros(dual.u.shape, bool)
    weights = problem.weights[lanes.fold]
    spread = spreads(problem)[lanes.fold][:, None]
    bound = (lanes.lam * lanes.l1_ratio)[:, None, None]
    u = jnp.abs(without_intercept(dual.u))
    slack = (1 + unit(problem.x)) * dual.error[:, None, None]

    def proved(gap, share):
        """At σ times the slopes, for σ = share [L]."""
        radius = jnp.sqrt(2 * bend * (gap + dual.rounding))[:, None, None]
        reach = (1 + unit(problem.x)) * (share[:, None, None] * u + radius * spread) + slack
        return reach < bound  # never of what is no number

    found = proved(dual.full, jnp.ones_like(dual.share)) | proved(dual.short, dual.share)
    heard = jnp.sum(weights, axis=1)[:, None, None] > 0
    return (found & heard).at[..., -1].set(False)


def spreads(problem: Problem) -> Array:
    """√ Σ s (x_j - x̄_j)² of every fold and column [F, P], from above."""
    weights, x = problem.weights, problem.x
    squares = jnp.dot(weights, x**2, precision="highest")
    means = jnp.dot(weights, x, precision="highest")
    return jnp.sqrt(jnp.maximum(squares - means**2, 0) + 4 * unit(x) * squares)


def _bend(family):
    """The most that a loss of one row bends, None where it isn't known."""
    if family.concordance is None:
        return None
    if family.concordance == 0:
        return 2.0  # of (z - y)²
    return 0.5 if family.multiclass else 0.25
