"""Random problems for metrics by the thousand, as arrays [L, N], and how much may differ.

Numbers are exact in float32, so both precisions are asked the same question.
"""

import jax
import numpy as np
from hypothesis import settings

from tests.sizes import PROOFS

# 20,000 small problems by default, ten times as many under the "proofs" profile.
NUM_CASES = 200_000 if PROOFS else 20_000
NUM_THEIRS = min(settings.default.max_examples, 500)
TOLERANCE = 1e-12 if jax.config.jax_enable_x64 else 1e-6
# For witnesses that lose a digit themselves, by subtracting sums of fractions.
LOOSE = max(TOLERANCE, 1e-11)


def labels(seed, num_cases=NUM_CASES, num_rows=9, num_classes=3):
    """(y_true, y_pred) [L, N], in which classes may be missing from either, or all but one."""
    rng = np.random.default_rng(seed)
    kept = rng.integers(1, num_classes + 1, (2, num_cases, 1))
    first = rng.integers(0, num_classes, (2, num_cases, 1))
    return (first + rng.integers(0, 10**6, (2, num_cases, num_rows)) % kept) % num_classes


def weights(seed, num_cases=NUM_CASES, num_rows=9):
    """[L, N] weights: a third all ones, a third integers with zeros, a third fractions."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 4, (num_cases, num_rows)).astype(float)
    fractions = rng.random((num_cases, num_rows)).astype(np.float32).astype(float)
    kind = np.arange(num_cases)[:, None] % 3
    chosen = np.where(kind == 0, 1.0, np.where(kind == 1, whole, fractions))
    chosen[:, 0] = np.where(chosen.sum(axis=1) == 0, 1.0, chosen[:, 0])
    return chosen


def scores(seed, num_cases=NUM_CASES, num_rows=9):
    """[L, N] scores with no ties, some, many, and all equal; both zeros and both infinities."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(num_cases, num_rows)).astype(np.float32)
    kind = np.arange(num_cases)[:, None] % 4
    tied = np.where(kind == 1, np.round(raw, 1), np.where(kind == 2, np.sign(raw) * 0.0, raw))
    tied = np.where(kind == 3, np.clip(np.round(raw * 2), -1, 1), tied)
    far = rng.random((num_cases, num_rows)) < 0.02
    return np.where(far, np.copysign(np.inf, raw), tied).astype(np.float32)


def assert_same(ours, theirs, name, tolerance=TOLERANCE):
    """Equal within the tolerance of the precision, NaN where NaN; numbers above 1 relatively."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    assert ours.shape == theirs.shape, (name, ours.shape, theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=name)
