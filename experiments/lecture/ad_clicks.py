"""Users who are shown an advertisement, and click or don't by a law that we know."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import Batch, activations, chain_rule, losses, models, solvers

TRUTH = np.array([0.5, 0.3, -0.4, -2.0], np.float32)  # clicks, hours, income; the intercept last


def users(rng: np.random.Generator, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Features [*shape, 3] and labels [*shape], 1 for a click.

    Features are the number of earlier clicks, the hours active in a week, and the income level
    from 1 to 5.
    """
    columns = rng.poisson(2, shape), rng.gamma(2, 1.5, shape), rng.integers(1, 6, shape)
    x = np.stack(columns, axis=-1).astype(np.float32)
    probability = np.asarray(activations.sigmoid(x @ TRUTH[:3] + TRUTH[3]))
    return x, (rng.random(shape) < probability).astype(np.int32)


def fit(x, labels):
    """The most likely weights [D + 1] and their standard errors [D + 1], the intercept last."""
    risk = losses.risk(models.linear, losses.log_loss)
    start = models.init_linear(x.shape[-1], dtype=x.dtype)
    params = solvers.minimise(solvers.newton(), risk, start, Batch(x, labels)).params
    errors = jnp.sqrt(jnp.diagonal(jnp.linalg.inv(information(params, x, labels))))
    return jnp.append(params["w"], params["b"]), errors


def information(params, x, labels):
    """The Hessian [D + 1, D + 1] of minus the log-likelihood: a sum over users."""
    each = jax.vmap(chain_rule.logistic_regression_hessian, (None, 0, 0))(params, x, labels)
    h = jax.tree.map(lambda leaf: leaf.sum(axis=0), each)
    return jnp.block([[h["w"]["w"], h["w"]["b"][:, None]], [h["b"]["w"][None], h["b"]["b"]]])
