"""Descents in float32: their answers are those of float64, or float64 takes over."""

from fractions import Fraction

import jax
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.paths import march, newton
from tests.test_paths import BINARY, CLASSES, LAMBDAS

pytestmark = pytest.mark.float64


@pytest.fixture
def dtypes(monkeypatch):
    """The precisions of the descents of a path, in order."""
    seen = []

    def note(module, name, dtype_of):
        descend = getattr(module, name)

        def noted(*args):
            seen.append(dtype_of(args))
            return descend(*args)

        monkeypatch.setattr(module, name, noted)

    note(march, "_walked", lambda args: "float32" if args[2].narrow else "float64")
    note(newton, "alone", lambda args: str(args[1].x.dtype))
    return seen


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_a_march_in_float32_ends_where_one_in_float64_does(kind, dtypes):
    x, labels = BINARY if kind == "binary" else CLASSES
    loss = losses.log_loss if kind == "binary" else losses.softmax_cross_entropy
    narrow = paths.fit(Batch(x, labels), LAMBDAS, loss=loss)
    assert dtypes == ["float32"]
    exact = paths.fit(Batch(x, labels), LAMBDAS, loss=loss, tol=1e-12)
    assert set(dtypes[1:]) == {"float64"}
    assert (narrow.status == paths.Status.certified).all()
    excess = narrow.risk - exact.risk
    assert (excess <= narrow.gap + exact.gap).all()
    assert (excess <= 1e-6 * exact.risk).all()
    assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(narrow.params))


def test_what_float32_cannot_do_is_done_in_float64(dtypes):
    """Two columns that differ in the seventh digit, under next to no penalty."""
    x, labels = BINARY
    twins = np.c_[x, x[:, 0] * (1 + 1e-7 * np.sign(x[:, 1]))]
    found = paths.fit(Batch(twins, labels), [1e-13], loss=losses.log_loss)
    none = paths.fit(Batch(twins, labels), [0.0], loss=losses.log_loss)
    assert dtypes[:3] == ["float32", "float32", "float64"]  # once more, and alone
    assert (found.status <= paths.Status.solved).all()
    assert none.status == [paths.Status.certified]
    w = found.params["w"][0]
    assert none.risk < found.risk < none.risk + 1e-13 * (none.params["w"] ** 2).sum()
    assert np.abs(w).max() > 1e3  # the penalty leaves the difference its weight


OFFSETS = [1e3, 1e6]  # times the standard deviation


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error", "softmax_cross_entropy"])
def test_an_offset_changes_nothing(loss, l1_ratio):
    """The intercept is free: J doesn't know where a column's origin is."""
    x, labels = CLASSES if loss == "softmax_cross_entropy" else BINARY
    if loss == "squared_error":
        labels = labels + x[:, 1]
    folds = np.arange(len(x))[None] % 2 != np.arange(2)[:, None]
    options = {"loss": getattr(losses, loss), "l1_ratio": l1_ratio, "fold_weights": folds}
    lambdas = [0.1, 1e-3]
    near = paths.fit(Batch(x, labels), lambdas, **options)
    assert (near.status == paths.Status.certified).all()
    sd = x.std(axis=0)
    for offset in OFFSETS:
        far = paths.fit(
            Batch(x + offset * sd * [1, -1, 0, 1, 1][: len(sd)], labels), lambdas, **options
        )
        np.testing.assert_array_equal(far.status, near.status)
        np.testing.assert_allclose(far.risk, near.risk, rtol=1e-8)
    lost = paths.fit(Batch(x + 1e9 * sd, labels), lambdas, **options)  # seven digits, in the data
    np.testing.assert_array_equal(lost.status, near.status)
    np.testing.assert_allclose(lost.risk, near.risk, rtol=1e-5)


def test_a_gap_counts_what_params_lose_as_they_are_rounded():
    """J of the params as they stand, by exact logits, on columns that sit at 2^44."""
    rng = np.random.default_rng(0)
    near = rng.integers(0, 4, (80, 2)).astype(float)
    labels = (near[:, 0] - near[:, 1] + rng.logistic(size=80) > 0).astype(int)
    best = paths.fit(Batch(near, labels), [1e-2], loss=losses.log_loss, tol=1e-12).risk[0]
    far = near + 2.0**44
    found = paths.fit(Batch(far, labels), [1e-2], loss=losses.log_loss)
    w, b = found.params["w"][0], found.params["b"][0]
    exact = [[Fraction(value) for value in row] for row in np.c_[far, np.ones(80)].tolist()]
    weights = [Fraction(value) for value in [*w.tolist(), b]]
    z = np.array([float(sum(a * c for a, c in zip(row, weights, strict=True))) for row in exact])
    risk = np.logaddexp(0, np.where(labels, -z, z)).mean() + 0.01 / 2 * (w**2).sum()
    assert 1e-8 < risk - best <= found.gap[0]
    assert found.status == [paths.Status.stalled]  # float64 ends here, and nobody says otherwise


@pytest.mark.parametrize("scale", [1e-25, 1e-3, 1e3, 1e25])
def test_features_of_any_size_have_the_optimum_scaled(scale):
    x, labels = BINARY
    lambdas = np.array(LAMBDAS)
    one = paths.fit(Batch(x, labels), lambdas, loss=losses.log_loss)
    found = paths.fit(Batch(x * scale, labels), lambdas * scale**2, loss=losses.log_loss)
    assert (found.status == paths.Status.certified).all()
    np.testing.assert_allclose(found.risk, one.risk, rtol=2e-6)
    np.testing.assert_allclose(found.params["w"] * scale, one.params["w"], rtol=0, atol=2e-2)
