"""Sums of w x xᵀ over rows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr.glm.problem import Problem, blocks_of

pytestmark = pytest.mark.float64


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_blocks_are_weighted_grams_in_the_precision_of_the_weights(dtype, rtol):
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(300, 7)), rng.uniform(size=(3, 300)) ** 4
    with jax.numpy_dtype_promotion("strict"):
        rows = Problem(jnp.asarray(x), None, None, jnp.asarray(x.T))
        found = blocks_of(rows, jnp.asarray(weights.astype(dtype)))
    assert found.dtype == dtype
    expected = np.einsum("gn,np,nq->gpq", weights, x, x)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * expected.max())
