"""A row of weight 0 is absent whatever it holds, and only the ratios of weights matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import metrics
from jaxlr.metrics import streaming
from tests.metrics_cases import assert_same
from tests.sizes import PROOFS

pytestmark = pytest.mark.once

N, C = 12, 3
RNG = np.random.default_rng(1)
ABSENT = np.isin(np.arange(N), [0, 4, 5, 11])
W = np.where(ABSENT, 0, RNG.integers(1, 5, N) / 4).astype(np.float32)
CLEAN = {
    "y": RNG.permutation(np.arange(N) % C),
    "p": RNG.integers(0, C, N),
    "c": RNG.integers(0, 2, N),
    "b": RNG.permutation(np.arange(N) % 2),
    "i": RNG.integers(0, 2, (N, C)),
    "j": RNG.integers(0, 2, (N, C)),
    "s": np.round(RNG.normal(size=N), 1).astype(np.float32),
    "t": RNG.normal(size=N).astype(np.float32),
    "q": RNG.random(N).astype(np.float32),
    "z": RNG.normal(size=(N, C)).astype(np.float32),
    "r": RNG.dirichlet(np.ones(C), N).astype(np.float32),
}
CLEAN["b"][1:4] = 0, 1, 0
BY_CLASS = ("balanced_accuracy_score", "matthews_corrcoef", "cohen_kappa_score")
NAMES = ("log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score")
REGRESSION = (
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "r2_score",
    "explained_variance_score",
)
SORTED = ("median_absolute_error", "d2_absolute_error_score", "max_error")


def garbage(seed):
    """The same rows, but for the absent ones, which hold what no metric takes."""
    rng = np.random.default_rng(seed)
    labels = [-100, 99, -1, 7, 2**31 - 1]
    numbers = [np.nan, np.inf, -np.inf, 7.0, -3.0, 3e38]
    return {
        name: np.where(
            ABSENT.reshape((N,) + (1,) * (a.ndim - 1)),
            rng.choice(labels if a.dtype.kind == "i" else numbers, a.shape).astype(a.dtype),
            a,
        )
        for name, a in CLEAN.items()
    }


def plain(d, w, probability=NAMES, regression=REGRESSION):
    """What compiles nothing where values can be read."""
    weighted = {"sample_weight": w}
    counts = weighted | {"num_classes": C}
    found = {name: getattr(metrics, name)(d["y"], d["p"], **counts) for name in BY_CLASS}
    found["f1"] = metrics.f1_score(d["y"], d["p"], average="macro", **counts)
    found["f1 of two"] = metrics.f1_score(d["b"], d["c"], **weighted)
    found["top k of two"] = metrics.top_k_accuracy_score(d["b"], d["q"], k=1, **weighted)
    for name in ("accuracy_score", "hamming_loss"):
        found[name] = getattr(metrics, name)(d["i"], d["j"], **weighted)
    for name in probability:
        found[name] = getattr(metrics, name)(d["y"], d["r"], **weighted)
        found[f"{name} of labels"] = getattr(metrics, name)(d["i"], d["r"], **weighted)
    for name in regression:
        found[name] = getattr(metrics, name)(d["t"], d["s"], **weighted)
    return found


def compiled(d, w):
    """What compiles a little."""
    weighted = {"sample_weight": w}
    options = weighted | {"n_bins": 4, "strategy": "quantile"}
    return {
        "auc": metrics.roc_auc_score(d["b"], d["s"], **weighted),
        "calibration": metrics.calibration_curve(d["b"], d["q"], **options),
        "interval": metrics.roc_auc_interval(d["b"], d["s"], **weighted),
    }


def dear(d, w):
    """What compiles long."""
    weighted = {"sample_weight": w}
    found = {
        "precision": metrics.average_precision_score(d["b"], d["s"], **weighted),
        "ovr": metrics.roc_auc_score(d["y"], d["z"], multi_class="ovr", **weighted),
        "roc": metrics.roc_curve(d["b"], d["s"], **weighted),
        "top ece": metrics.expected_calibration_error(d["y"], d["r"], **weighted),
        "temperature": metrics.temperature_scaling(d["y"], d["z"], **weighted),
        "platt": metrics.platt_scaling(d["b"], d["s"], **weighted),
    }
    for name in SORTED:
        found[name] = getattr(metrics, name)(d["t"], d["s"], **weighted)
    streams = {
        "exact": (streaming.exact_auc(N), ("b", "s")),
        "histogram": (streaming.histogram_auc(8, -3.0, 3.0), ("b", "s")),
        "counts": (streaming.confusion(C, weighted=True), ("y", "p")),
    }
    for name, (stream, columns) in streams.items():
        state = stream.update(stream.init(), *(d[c] for c in columns), w)
        found[name] = stream.result(state)
    return found


def agree(one, other, tolerance=3e-6):
    jax.tree.map(lambda a, b: assert_same(a, b, "", tolerance), one, other)


def test_where_values_are_known_garbage_of_weight_zero_is_not_looked_at():
    kept = {name: a[~ABSENT] for name, a in CLEAN.items()}
    for seed in range(3):
        agree(plain(garbage(seed), W), plain(kept, W[~ABSENT]))
    agree(compiled(garbage(0), W), compiled(CLEAN, W))
    if PROOFS:
        agree(dear(garbage(0), W), dear(CLEAN, W))


def test_inside_jit_and_vmap_garbage_of_weight_zero_changes_no_lane_and_no_slope():
    """Nor has it a slope of its own in the forecast, or another one in its weight."""

    def total(forecast, w, d):
        names = (NAMES, REGRESSION) if PROOFS else (NAMES[:1], REGRESSION[:1])
        found = plain(d | forecast, w, *names)
        return sum(found[name] for names in names for name in names), found

    d = [CLEAN, *(garbage(seed) for seed in range(3))]
    lanes = {name: jnp.stack([lane[name] for lane in d]) for name in CLEAN}
    forecast = {name: lanes[name] for name in ("r", "s")}
    slopes = jax.jit(jax.vmap(jax.grad(total, (0, 1), has_aux=True), (0, None, 0)))
    (by_forecast, by_weight), found = slopes(forecast, W, lanes)
    expected = plain(CLEAN, W)
    agree({k: v[0] for k, v in found.items()}, {k: expected[k] for k in found})
    for value in (*found.values(), by_weight):
        for lane in range(1, 4):
            assert_same(value[lane], value[0], "lane", 1e-5)
    for slope in map(np.asarray, by_forecast.values()):
        assert (slope[1:, ABSENT] == 0).all()
        assert slope[0, ~ABSENT].any()
        assert_same(slope[1:, ~ABSENT], np.stack([slope[0, ~ABSENT]] * 3), "slope", 1e-5)


def test_labels_known_beside_traced_weights_may_be_garbage_where_the_weight_is_zero():
    d = garbage(1)

    @jax.jit
    def inside(w):
        weighted = {"sample_weight": w}
        return (
            metrics.confusion_matrix(d["y"], d["p"], num_classes=C, **weighted),
            metrics.f1_score(d["b"], d["b"], **weighted),
            metrics.log_loss(d["y"], d["r"], **weighted),
            metrics.accuracy_score(np.where(ABSENT, np.nan, CLEAN["y"]), d["y"], **weighted),
        )

    expected = plain(CLEAN, W)
    found = inside(W)
    assert_same(found[0].sum(), W.sum(), "confusion")
    agree(list(found[1:4]), [1.0, expected["log_loss"], 1.0])
    heard = inside(jnp.ones(N))
    assert np.isnan(heard[0]).all()
    assert np.isnan([np.asarray(value) for value in heard[1:]]).all()


def test_a_batch_without_weight_adds_nothing():
    stream = streaming.confusion(2)
    masked = [-100, -100], [0, 1], [0, 0]
    state = stream.update(stream.update(stream.init(), [0, 1], [0, 1]), *masked)
    np.testing.assert_array_equal(stream.result(state), np.eye(2))


def test_one_row_that_counts_explains_nothing():
    y, w = [1.0, 2.0, np.nan], [1, 0, 0]
    assert np.isnan(metrics.r2_score(y, y, sample_weight=w))
    assert np.isnan(metrics.d2_log_loss_score([0, 1, 0], [0.1, 0.2, 0.3], sample_weight=w))


SCALES = [1 / 6, 1e-3, 100.0, 1e-300, 1e300]


@pytest.mark.parametrize("scale", SCALES)
def test_equal_weights_of_any_size_are_none(scale):
    """Also where a number of rows is needed: it is the effective one."""
    b, s, q, equal = CLEAN["b"], CLEAN["s"], CLEAN["q"], np.full(N, scale)
    interval = metrics.roc_auc_interval
    agree(interval(b, s, sample_weight=equal), interval(b, s))
    options = {"n_bins": 4, "strategy": "quantile"}
    curve = metrics.calibration_curve
    agree(curve(b, q, sample_weight=equal, **options), curve(b, q, **options))


@pytest.mark.parametrize("scale", SCALES)
def test_only_the_ratios_of_weights_matter(scale):
    w = RNG.random(N) + 0.1

    def ratios(w):
        counts = {"sample_weight": w, "num_classes": C}
        found = {
            name: getattr(metrics, name)(CLEAN["y"], CLEAN["p"], **counts) for name in BY_CLASS
        }
        for name in REGRESSION:
            found[name] = getattr(metrics, name)(1e5 * CLEAN["t"], CLEAN["s"], sample_weight=w)
        found["auc"] = metrics.roc_auc_score(CLEAN["b"], CLEAN["s"], sample_weight=w)
        found["log loss"] = metrics.log_loss(CLEAN["y"], CLEAN["r"], sample_weight=w)
        return found

    agree(ratios(w * scale), ratios(w))


def test_a_class_counts_as_kishs_effective_number_of_rows():
    """DeLong's variance from all pairs, each class's weights adding up to (Σw)² / Σw²."""
    b, s, w = CLEAN["b"], CLEAN["s"].astype(float), RNG.random(N) + 0.1
    won = np.sign(s[b == 1][:, None] - s[b == 0][None, :]) / 2 + 0.5
    up, down = w[b == 1], w[b == 0]
    auc = up @ won @ down / up.sum() / down.sum()
    variance = 0
    for weight, beaten in ((up, won @ down / down.sum()), (down, up @ won / up.sum())):
        share = weight / weight.sum()
        variance += share @ (beaten - auc) ** 2 / (1 / (share**2).sum() - 1)
    found = metrics.roc_auc_interval(b, s, sample_weight=w)
    assert_same([found.estimate, found.standard_error], [auc, np.sqrt(variance)], "kish", 2e-7)


def test_counts_beyond_the_integers_are_refused_or_minus_one():
    w = np.array([2**31 - 1, 5, 1])
    with pytest.raises(
        ValueError, match=r"sample_weight must add up to at most 2147483647.*give it"
    ):
        metrics.confusion_matrix([0, 0, 1], [0, 0, 1], sample_weight=w)
    inside = jax.jit(lambda w: metrics.confusion_matrix([0, 0, 1], [0, 0, 1], sample_weight=w))
    assert inside(w).tolist() == [[-1, 0], [0, 1]]
    floats = metrics.confusion_matrix([0, 0, 1], [0, 0, 1], sample_weight=w.astype(float))
    assert floats[0, 0] == np.float32(2**31 + 4)


def test_weights_too_small_for_xla_are_weights():
    tiny = np.full(4, 1e-44, np.float32)
    assert metrics.roc_auc_score([0, 1, 0, 1], [0, 1, 2, 3], sample_weight=tiny) == 0.75
