"""Models: the linear score, a composition of any depth, and starts of the right size."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import activations, models


def normal(rng, shape):
    return jnp.asarray(rng.normal(size=shape), float)


@pytest.mark.parametrize("outputs", [None, 1, 4])
def test_linear_is_the_dot_product_plus_the_intercept(outputs):
    rng = np.random.default_rng(0)
    shape = () if outputs is None else (outputs,)
    params = {"w": normal(rng, (3, *shape)), "b": normal(rng, shape)}
    x = normal(rng, (3,))
    score = models.linear(params, x)
    chex.assert_shape(score, shape)
    chex.assert_trees_all_close(
        np.asarray(score), np.asarray(x) @ np.asarray(params["w"]) + params["b"], rtol=1e-5
    )


@pytest.mark.parametrize("outputs", [None, 5])
def test_init_linear_is_zeros_of_the_documented_shape(outputs):
    params = models.init_linear(7, outputs, jnp.bfloat16)
    shape = () if outputs is None else (outputs,)
    chex.assert_shape([params["w"], params["b"]], [(7, *shape), shape])
    chex.assert_type(jax.tree.leaves(params), jnp.bfloat16)
    assert not any(leaf.any() for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize("activation", [jnp.tanh, activations.sigmoid, jax.nn.relu])
@pytest.mark.parametrize("outputs", [None, 3])
def test_mlp_is_the_composition_written_out(activation, outputs):
    params = models.init_mlp(jax.random.key(1), 4, (6, 5), outputs)
    x = normal(np.random.default_rng(2), (4,))
    one, two, three = params
    hidden = activation(activation(x @ one["w"] + one["b"]) @ two["w"] + two["b"])
    chex.assert_trees_all_close(
        models.mlp(params, x, activation=activation),
        hidden @ three["w"] + three["b"],
        rtol=1e-5,
        atol=1e-6,
    )


def test_an_mlp_without_hidden_stages_is_linear():
    params = models.init_mlp(jax.random.key(3), 4, (), 2)
    x = jnp.arange(4.0)
    chex.assert_trees_all_equal(models.mlp(params, x), models.linear(params[0], x))


def test_init_mlp_spreads_its_weights_as_glorot_and_bengio_say():
    first, _ = models.init_mlp(jax.random.key(4), 300, (200,))
    limit = np.sqrt(6 / 500)
    w = np.asarray(first["w"])
    assert np.abs(w).max() <= limit
    # variance of a uniform on ±a is a²/3; 60,000 draws give it to about 1 %
    assert w.var() == pytest.approx(limit**2 / 3, rel=0.03)
    assert len({tuple(row) for row in w[:, :3]}) == 300
