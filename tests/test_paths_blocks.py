"""Sums of w x xᵀ over rows, in tiles."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr.glm import blocks

pytestmark = pytest.mark.float64_pass


def rows(num_rows=300, num_columns=7, num_groups=3):
    rng = np.random.default_rng(num_rows)
    x = rng.normal(size=(num_rows, num_columns))
    return x, rng.uniform(size=(num_groups, num_rows)) ** 4


@pytest.mark.parametrize("num_columns", [7, 8])
def test_tiles_below_the_diagonal_are_the_whole_block(monkeypatch, num_columns):
    monkeypatch.setattr(blocks, "ROWS", 64)
    monkeypatch.setattr(blocks, "TILED", 4)
    x, weights = rows(num_columns=num_columns)
    found = blocks.blocks_of(*map(jnp.asarray, (x, x.T, weights)))
    np.testing.assert_allclose(found, np.einsum("gn,np,nq->gpq", weights, x, x), rtol=1e-11)
    np.testing.assert_array_equal(found, np.swapaxes(found, 1, 2))
