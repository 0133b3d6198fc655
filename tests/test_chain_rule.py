"""Hand = autodiff = finite differences, on ten thousand random problems per shape and regime."""

import functools

import chex
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxlr import Batch, activations, chain_rule, losses, models

NUM_PROBLEMS = 10_000
SCORES = {
    "linear_regression": (None, losses.squared_error),
    "logistic_regression": (None, losses.log_loss),
    "softmax_regression": (4, losses.softmax_cross_entropy),
}


def random_problems(name, num_features, scale, seed):
    """Params, x and labels whose scores are of the size of `scale`; some weights are zero."""
    random = np.random.default_rng(seed)
    classes = () if SCORES[name][0] is None else (SCORES[name][0],)
    w = scale * random.normal(size=(NUM_PROBLEMS, num_features, *classes)) / num_features**0.5
    w = np.where(random.random(w.shape) < 0.1, 0, w)  # also a row or model of zeros
    b = random.normal(size=(NUM_PROBLEMS, *classes))
    x = random.normal(size=(NUM_PROBLEMS, num_features))
    most = {"linear_regression": None, "logistic_regression": 2}.get(name, *classes)
    return cast(({"w": w, "b": b}, x, random_labels(random, most)))


def random_labels(random, num_classes):
    if num_classes is None:
        return random.normal(size=NUM_PROBLEMS)
    return random.integers(0, num_classes, NUM_PROBLEMS)


def cast(tree):
    """In the precision of this pass. Drawn by numpy, whose draws are no part of the programs."""
    return jax.tree.map(jnp.asarray, tree)


@functools.cache
def objective_of(name):
    loss = SCORES[name][1]
    return lambda params, x, label: loss(models.linear(params, x), label)


def problems(name, num_features, scale, seed=0):
    return random_problems(name, num_features, scale, seed), objective_of(name)


def tolerance(*trees):
    """Both sides do the same few products and one σ: 16 roundings cover their differences."""
    return 16 * float(jnp.finfo(jax.tree.leaves(trees)[0].dtype).eps)


def assert_equal(one, other, rows, scale=1.0):
    eps = tolerance(one)
    # z itself carries eps·|z|, which the slope of a saturated loss passes on
    chex.assert_trees_all_close(one, other, rtol=eps * max(scale, 1), atol=eps * rows)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])  # from 100: p is 0 or 1 exactly
@pytest.mark.parametrize("num_features", [1, 5])
@pytest.mark.parametrize("name", SCORES)
def test_autodiff_agrees_with_the_chain_rule_by_hand(name, num_features, scale):
    given, _ = problems(name, num_features, scale)
    autodiff, hand = gradients(name, given)
    chex.assert_tree_all_finite(hand)
    assert_equal(autodiff, hand, rows=10)


@functools.partial(jax.jit, static_argnums=0)
def gradients(name, given):
    by_hand = getattr(chain_rule, name)
    return jax.vmap(jax.grad(objective_of(name)))(*given), jax.vmap(by_hand)(*given)


@pytest.mark.parametrize("name", SCORES)
def test_central_differences_of_the_loss_in_numpy_agree_with_the_hand(name):
    given, _ = problems(name, 3, 2.0)
    params, x, label = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), given)
    hand = jax.jit(jax.vmap(getattr(chain_rule, name)))(*given)
    rng = np.random.default_rng(0)
    ahead = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)
    step = 1e-5  # error step² · L''' ≈ 1e-10 · 10, and rounding 1e-16 / step ≈ 1e-11

    def at(t):
        moved = jax.tree.map(lambda p, d: p + t * d, params, ahead)
        return numpy_loss(name, np.einsum("nd,nd...->n...", x, moved["w"]) + moved["b"], label)

    slope = (at(step) - at(-step)) / (2 * step)
    along = sum(
        (np.asarray(g, np.float64) * d).reshape(len(x), -1).sum(axis=1)
        for g, d in zip(jax.tree.leaves(hand), jax.tree.leaves(ahead), strict=True)
    )
    eps = tolerance(hand)
    np.testing.assert_allclose(along, slope, rtol=10 * eps + 1e-7, atol=100 * eps + 1e-8)


def numpy_loss(name, z, y):
    """The lecture's formulas; log p as it is, since log(1 - p) of a p near 1 has few bits left."""
    if name == "linear_regression":
        return (z - y) ** 2
    if name == "logistic_regression":
        return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(np.take_along_axis(p, y.astype(int)[:, None], axis=1)[:, 0])


@pytest.mark.as_shipped
@pytest.mark.parametrize("logit", [-100.0, -20.0, -1.5, 0.0, 0.7, 20.0, 80.0])
@pytest.mark.parametrize("label", [0, 1])
def test_the_slope_at_one_logit_is_mpmaths_to_the_last_bits(logit, label):
    with mpmath.workdps(60):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(logit)))
        exact = float(p - label)
    params = {"w": jnp.zeros(1), "b": jnp.asarray(logit)}
    hand = jax.jit(chain_rule.logistic_regression)(params, jnp.ones(1), jnp.asarray(label))["b"]
    if abs(exact) < float(jnp.finfo(hand.dtype).tiny):
        assert abs(float(hand)) < float(jnp.finfo(hand.dtype).tiny)
    else:
        assert float(hand) == pytest.approx(exact, rel=4 * float(jnp.finfo(hand.dtype).eps))


@pytest.mark.as_shipped
def test_the_true_class_of_a_softmax_loses_no_bits():
    logits = np.array([0.0, 30.0, 3.0, -2.0])
    with mpmath.workdps(60):
        e = [mpmath.exp(mpmath.mpf(z)) for z in logits]
        exact = float(-(e[0] + e[2] + e[3]) / sum(e))  # about -1e-12, where p - 1 rounds to 0
    params = {"w": jnp.zeros((1, 4)), "b": jnp.asarray(logits, jnp.zeros(()).dtype)}
    hand = jax.jit(chain_rule.softmax_regression)(params, jnp.ones(1), jnp.asarray(1))["b"]
    assert float(hand[1]) == pytest.approx(exact, rel=8 * float(jnp.finfo(hand.dtype).eps))


@pytest.mark.parametrize("name", SCORES)
def test_the_lectures_three_factors_multiply_to_the_collapsed_form(name):
    given, _ = problems(name, 3, 1.0)
    factors = getattr(chain_rule, f"{name}_factors")

    @jax.jit
    def both(given):
        by_factors = jax.vmap(lambda *one: chain_rule.product(factors(*one)))(*given)
        return by_factors, jax.vmap(getattr(chain_rule, name))(*given)

    # y/p and (1 - y)/(1 - p) lose what p - y keeps: up to 1/(1 - p) roundings, p within e⁻⁶ of 1
    by_factors, collapsed = both(given)
    eps = tolerance(collapsed)
    chex.assert_trees_all_close(by_factors, collapsed, rtol=100 * eps, atol=20 * eps)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("name", SCORES)
def test_hessian_and_its_product_agree_with_autodiff(name, scale):
    given, _ = problems(name, 3, scale)
    tangents = problems(name, 3, 1.0, seed=1)[0][0]
    autodiff, hand = curvatures(name, given, tangents)
    assert_equal(autodiff, hand, rows=40)


@functools.partial(jax.jit, static_argnums=0)
def curvatures(name, given, tangents):
    objective = objective_of(name)
    hessian = jax.vmap(jax.hessian(objective))(*given)
    hvp = jax.vmap(
        lambda p, x, y, t: jax.jvp(lambda p: jax.grad(objective)(p, x, y), (p,), (t,))[1]
    )(*given, tangents)
    by_hand = jax.vmap(getattr(chain_rule, f"{name}_hessian"))(*given)
    product = jax.vmap(getattr(chain_rule, f"{name}_hvp"))(*given, tangents)
    return (hessian, hvp), (by_hand, product)


@pytest.mark.as_shipped
def test_every_entry_of_a_saturated_hessian_keeps_its_last_bits():
    logits = [0.0, 30.0, 3.0, -2.0]
    with mpmath.workdps(60):
        e = [mpmath.exp(z) for z in logits]
        p = [one / mpmath.fsum(e) for one in e]
        exact = [
            [float(p[j] * (1 - p[j]) if j == k else -p[j] * p[k]) for k in range(4)]
            for j in range(4)
        ]
    params = {"w": jnp.zeros((1, 4)), "b": jnp.array(logits)}
    by_hand = jax.jit(chain_rule.softmax_regression_hessian)
    hessian = by_hand(params, jnp.ones(1), jnp.asarray(1))
    # exp(-30) has its argument's rounding: 30 eps at most, beside a few for sums and products.
    rtol = 40 * float(jnp.finfo(hessian["b"]["b"].dtype).eps)
    np.testing.assert_allclose(hessian["b"]["b"], exact, rtol=rtol)


@pytest.mark.parametrize(
    ("activation", "hidden", "outputs"),
    [
        (activations.sigmoid, (), None),
        (jnp.tanh, (3,), 4),
        (jax.nn.relu, (3, 2), None),
        (activations.sigmoid, (2, 3, 2), 3),
        (jnp.tanh, (2, 3, 2, 3), None),
        (jax.nn.relu, (2, 3, 2, 3, 2), 3),
    ],
    ids=[f"depth {depth}" for depth in range(1, 7)],
)
def test_an_mlp_of_any_depth_agrees_with_autodiff(activation, hidden, outputs):
    loss = losses.log_loss if outputs is None else losses.softmax_cross_entropy
    depth = len(hidden) + 1
    random = np.random.default_rng(3)
    shapes = jax.eval_shape(lambda: models.init_mlp(jax.random.key(0), 2, hidden, outputs))
    sizes = 10 ** random.uniform(-1, 1, NUM_PROBLEMS)  # some stages saturate

    def draw(leaf):
        spread = random.uniform(-1, 1, (NUM_PROBLEMS, *leaf.shape))
        return spread * sizes.reshape(-1, *[1] * len(leaf.shape))

    params = jax.tree.map(draw, shapes)
    given = cast(
        (params, random.normal(size=(NUM_PROBLEMS, 2)), random_labels(random, outputs or 2))
    )

    def objective(params, x, label):
        return loss(models.mlp(params, x, activation=activation), label)

    @jax.jit
    def both(given):
        hand = jax.vmap(lambda *one: chain_rule.mlp(*one, activation=activation))(*given)
        return jax.vmap(jax.grad(objective))(*given), hand

    autodiff, hand = both(given)
    eps = tolerance(hand)
    # weights of up to 10 multiply the roundings of 1 - tanh² (autodiff's form) at every stage
    size = 1 + max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(hand))
    chex.assert_trees_all_close(autodiff, hand, rtol=30 * depth * eps, atol=30 * depth * eps * size)


def test_an_unknown_activation_is_named():
    params = models.init_mlp(jax.random.key(0), 2, (2,))
    with pytest.raises(ValueError, match="has no derivative here; known are"):
        chain_rule.mlp(params, jnp.ones(2), 1, activation=jnp.sin)


def distributions():
    return cast(np.random.default_rng(7).dirichlet(np.ones(4), NUM_PROBLEMS))


def test_a_distribution_as_label_agrees_with_autodiff():
    given, objective = problems("softmax_regression", 3, 3.0)
    labels = distributions()
    given = (*given[:2], labels)
    autodiff, hand = jax.jit(
        lambda given: (
            jax.vmap(jax.grad(objective))(*given),
            jax.vmap(chain_rule.softmax_regression)(*given),
        )
    )(given)
    assert_equal(autodiff, hand, rows=20)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SCORES)
def test_the_gradient_of_the_whole_risk_agrees_with_autodiff(name, weighted):
    (params, x, labels), _ = problems(name, 3, 1.0)
    x = x.at[1].set(x[0])  # a duplicated row
    weights = jnp.arange(20) % 3 / 40 if weighted else None  # the sum is below 1
    batch = Batch(x[:20], labels[:20], weights)
    one = jax.tree.map(lambda leaf: leaf[0], params)
    penalties = {"l2": 0.3, "l1": 0.2}
    risk = losses.risk(models.linear, SCORES[name][1], **penalties)
    whole = chain_rule.risk(getattr(chain_rule, name), **penalties)
    assert_equal(jax.jit(jax.grad(risk))(one, batch), jax.jit(whole)(one, batch), rows=20)


def test_a_batch_without_weight_has_the_slope_of_the_penalty_alone():
    (params, x, labels), _ = problems("logistic_regression", 3, 1.0)
    one = jax.tree.map(lambda leaf: leaf[0], params)
    batch = Batch(x[:4], labels[:4], jnp.zeros(4))
    grads = chain_rule.risk(chain_rule.logistic_regression, l2=0.5)(one, batch)
    chex.assert_trees_all_equal(grads, {"w": 0.5 * one["w"], "b": jnp.zeros_like(one["b"])})


def test_a_distribution_that_sums_to_two_has_twice_the_gradient_and_the_curvature():
    (params, x, _), _ = problems("softmax_regression", 3, 1.0)
    labels = distributions()
    for name in ("softmax_regression", "softmax_regression_hessian"):
        by_hand = jax.jit(jax.vmap(getattr(chain_rule, name)))
        once, twice = by_hand(params, x, labels), by_hand(params, x, 2 * labels)
        chex.assert_trees_all_equal(twice, jax.tree.map(lambda leaf: 2 * leaf, once))  # no bit lost


def test_the_slope_of_an_mlps_relu_at_zero_is_zero_as_in_jax():
    params = [
        {"w": jnp.zeros((2, 3)), "b": jnp.zeros(3)},
        {"w": jnp.ones(3), "b": jnp.zeros(())},
    ]
    hand = chain_rule.mlp(params, jnp.ones(2), 1, activation=jax.nn.relu)
    chex.assert_trees_all_equal(hand[0], params[0])


def test_a_risk_has_no_penalty_unless_asked_and_its_params_may_be_one_array():
    def gradient(slope, x, label):
        return 2 * (slope * x - label) * x

    batch = Batch(jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0]))
    found = chain_rule.risk(gradient)(jnp.array(2.0), batch)
    np.testing.assert_array_equal(found, (2 * (2 - 3) * 1 + 2 * (4 - 5) * 2) / 2)
    penalised = chain_rule.risk(gradient, l2=0.5, l1=0.25)(jnp.array(2.0), batch)
    np.testing.assert_array_equal(penalised, found + 0.5 * 2 + 0.25)
