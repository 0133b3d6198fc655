"""The same answers inside jit, vmap, grad and checkpointing, on eight devices, in bfloat16."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxlr import metrics
from jaxlr.metrics import figures
from tests.metrics_cases import assert_same

pytestmark = pytest.mark.once

RNG = np.random.default_rng(1)
L, N, C = 8, 16, 3
Y = jnp.asarray(RNG.integers(0, C, (L, N)))
P = jnp.asarray(RNG.integers(0, C, (L, N)))
B = (Y > 0).astype(int)
S = jnp.asarray(np.round(RNG.normal(size=(L, N)), 1), jnp.float32)
Q = jnp.asarray(scipy.special.softmax(RNG.normal(size=(L, N, C)), axis=-1), jnp.float32)
W = jnp.asarray(RNG.integers(0, 3, (L, N)), jnp.float32)


def everything(b, y, p, s, q, w):
    """One number or array of every family, for one lane."""
    counts = {"sample_weight": w, "num_classes": C}
    return {
        "confusion": metrics.confusion_matrix(y, p, **counts),
        "f1": metrics.f1_score(y, p, average="macro", **counts),
        "accuracy": metrics.accuracy_score(y, p),
        "auc": metrics.roc_auc_score(b, s),
        "weighted auc": metrics.roc_auc_score(b, s, sample_weight=w),
        "precision": metrics.average_precision_score(b, s),
        "ovo": metrics.roc_auc_score(y, q, multi_class="ovo"),
        "roc": metrics.roc_curve(b, s, sample_weight=w),
        "log loss": metrics.log_loss(y, q, sample_weight=w),
        "median": metrics.median_absolute_error(s, w),
        "interval": metrics.roc_auc_interval(b, s),
    }


ARGUMENTS = (B, Y, P, S, Q, W)
LANES = jax.jit(jax.vmap(everything))


@functools.cache
def expected():
    return jax.tree.map(np.asarray, LANES(*ARGUMENTS))


def test_a_lane_alone_is_the_lane_in_company():
    alone = jax.jit(everything)
    for i in range(2):
        one = alone(*(a[i] for a in ARGUMENTS))
        jax.tree.map(lambda a, b, i=i: assert_same(a, b[i], "lane", 2e-7), one, expected())


def called(name, lane):
    """One metric of the family list, on one lane."""
    b, y, p, s, q, w = lane
    metric = getattr(metrics, name)
    if name in COUNTS:
        return metric(y, p, sample_weight=w, num_classes=C)
    if name in RANKING or name == "platt_scaling":
        return metric(b, s, sample_weight=w)
    if name == "roc_auc_difference":
        return metric(b, s, q[:, 0])
    if name in REGRESSION:
        return metric(s, w, sample_weight=w)
    return metric(y, q, sample_weight=w)


COUNTS = [
    "confusion_matrix", "multilabel_confusion_matrix", "balanced_accuracy_score",
    "matthews_corrcoef", "cohen_kappa_score",
]  # fmt: skip
RANKING = [
    "roc_auc_score", "average_precision_score", "roc_curve", "precision_recall_curve", "det_curve",
    "confusion_matrix_at_thresholds", "roc_auc_interval", "calibration_curve",
]  # fmt: skip
PROBABILITY = [
    "log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score", "top_k_accuracy_score",
    "expected_calibration_error", "temperature_scaling",
]  # fmt: skip
REGRESSION = [
    "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score", "max_error",
    "median_absolute_error", "explained_variance_score", "d2_absolute_error_score",
]  # fmt: skip
ALL = [*COUNTS, *RANKING, *PROBABILITY, *REGRESSION, "roc_auc_difference", "platt_scaling"]


@pytest.mark.parametrize("name", ALL)
def test_transformations_nest_outside_of_jit(name):
    """Sixty-four bits inside stay inside: jax's rules meet them with the setting switched back.

    Lowering is enough to see it; nothing is compiled.
    """
    metric = jax.jit(lambda *lane: called(name, lane))
    jax.jit(jax.vmap(jax.vmap(jax.checkpoint(metric)))).lower(*(a[None] for a in ARGUMENTS))
    if name in (*PROBABILITY[:4], *REGRESSION):
        slope = jax.grad(lambda s, q: metric(*(a[0] for a in (B, Y, P)), s, q, W[0]), (0, 1))
        jax.jit(jax.vmap(jax.jit(slope))).lower(S, Q)


@pytest.mark.parametrize("wrap", ["vmap of jit", "scan"])
def test_transformations_give_the_same_answers(wrap):
    transformed = {
        "vmap of jit": jax.vmap(jax.jit(everything)),
        "scan": lambda *a: jax.lax.map(lambda lane: everything(*lane), a),
    }[wrap](*ARGUMENTS)
    jax.tree.map(lambda a, b: assert_same(a, b, wrap, 2e-7), transformed, expected())


@pytest.mark.parametrize("axis", ["lanes", "examples"])
def test_sharded_over_eight_devices(axis):
    mesh = jax.make_mesh((8,), (axis,), axis_types=(AxisType.Auto,))
    spec = PartitionSpec("lanes") if axis == "lanes" else PartitionSpec(None, "examples")
    sharded = jax.device_put(ARGUMENTS, NamedSharding(mesh, spec))
    assert len(sharded[0].sharding.device_set) == 8
    found = LANES(*sharded)
    jax.tree.map(lambda a, b: assert_same(a, b, axis, 2e-7), found, expected())


def test_confusions_of_devices_add_up_by_psum():
    mesh = jax.make_mesh((8,), ("examples",), axis_types=(AxisType.Auto,))

    def part(y, p):
        counts = metrics.confusion_matrix(y, p, num_classes=C)
        return jax.lax.psum(counts, "examples")

    spec = PartitionSpec("examples")
    total = jax.jit(jax.shard_map(part, mesh=mesh, in_specs=spec, out_specs=PartitionSpec()))
    y, p = Y.reshape(-1), P.reshape(-1)
    np.testing.assert_array_equal(total(y, p), metrics.confusion_matrix(y, p))


def test_figures_of_many_lanes_come_from_one_tensor():
    tensor = jax.vmap(functools.partial(metrics.confusion_matrix, num_classes=C))(Y, P)

    @jax.jit
    def by_figure(tensor):
        f_beta = figures.f_beta(metrics.one_vs_rest(tensor), 2.0, "macro")
        return f_beta, figures.cohen_kappa(tensor, "linear")

    @jax.jit
    @jax.vmap
    def by_metric(y, p):
        f_beta = metrics.fbeta_score(y, p, beta=2.0, average="macro", num_classes=C)
        return f_beta, metrics.cohen_kappa_score(y, p, weights="linear", num_classes=C)

    assert_same(by_figure(tensor), by_metric(Y, P), "f_beta and kappa")
    assert_same(figures.accuracy(tensor.sum(0)), np.mean(np.asarray(Y == P)), "merged")


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_short_scores_are_taken_at_their_word(dtype):
    short = S.astype(dtype)
    for metric in (metrics.roc_auc_score, metrics.average_precision_score):
        lanes = jax.jit(jax.vmap(metric))
        found = lanes(B, short)
        np.testing.assert_array_equal(found, lanes(B, short.astype(jnp.float32)))
        assert found.dtype == jnp.result_type(float)
    q = Q.astype(dtype)
    log_loss = jax.jit(jax.vmap(metrics.log_loss))
    assert_same(log_loss(Y, q), log_loss(Y, q.astype(jnp.float32)), "log loss")


@pytest.mark.parametrize("nest", ["grad", "grad of jit", "jit of grad"])
def test_gradients_are_those_of_the_formulas(nest):
    def derivative(metric):
        inner = jax.jit(metric) if nest == "grad of jit" else metric
        outer = jax.grad(inner, argnums=(1, 2))
        return jax.jit(outer) if nest == "jit of grad" else outer

    y, q, w = (np.asarray(a) for a in (B[0], Q[0, :, 0], W[0] + 1))
    share = w / w.sum()
    values = {
        "log_loss": -np.log(np.where(y == 1, q, 1 - q)),
        "brier_score_loss": np.asarray((q - y) ** 2),
    }
    slopes = {
        "log_loss": -np.asarray(y / q - (1 - y) / (1 - q)),
        "brier_score_loss": np.asarray(2 * (q - y)),
    }
    for name, value in values.items():
        metric = getattr(metrics, name)
        by_q, by_w = derivative(lambda y, q, w, m=metric: m(y, q, sample_weight=w))(y, q, w)
        assert_same(by_q, share * slopes[name], name, 2e-6)
        assert_same(by_w, (value - share @ value) / float(w.sum()), name, 2e-6)


def test_areas_are_flat_in_the_scores():
    for metric in (metrics.roc_auc_score, metrics.average_precision_score):
        slope = jax.jit(jax.grad(metric, argnums=1))(B[0], S[0])
        np.testing.assert_array_equal(slope, 0)
        weighted = jax.grad(lambda s, m=metric: m(B[0], s, sample_weight=W[0] + 1))
        np.testing.assert_array_equal(jax.jit(weighted)(S[0]), 0)


def test_hessians_and_scans_through_a_loss_work():
    y = B[0]

    def loss(z):
        return metrics.log_loss(y, jax.nn.sigmoid(z))

    hessian = jax.jit(jax.hessian(loss))(S[0])
    p = jax.nn.sigmoid(S[0])
    assert_same(hessian, jnp.diag(p * (1 - p)) / N, "hessian", 2e-6)
