"""The best of the first k settings tried, over all orders of trying: exact, by order statistics.

Of K settings with losses v₁ ≤ v₂ ≤ … ≤ v_K, the first k of a random order miss the j best with
probability C(K - j, k) / C(K, k). Everything here is a sum or a comparison of those numbers.
"""

import numpy as np


def missed(num_settings: int) -> np.ndarray:
    """[j, k] for j, k = 0..K: the probability that k settings out of K miss the j best."""
    j, i = np.arange(num_settings + 1)[:, None], np.arange(num_settings)
    factors = np.clip(num_settings - j - i, 0, None) / (num_settings - i)
    return np.cumprod(np.hstack([np.ones((num_settings + 1, 1)), factors]), axis=1)


def expected_best(losses) -> np.ndarray:
    """[K] expected smallest loss among the first k = 1..K settings; losses [K] must be finite."""
    ordered = np.sort(np.asarray(losses, np.float64))
    return ordered @ -np.diff(missed(len(ordered)), axis=0)[:, 1:]


def quantile_of_best(losses, q: float) -> np.ndarray:
    """[K] the loss that the best of the first k = 1..K settings stays at or below with P >= q."""
    ordered = np.sort(np.asarray(losses, np.float64))
    reached = 1 - missed(len(ordered))[1:, 1:] >= q - 1e-12  # rounding must not ask for one more
    return ordered[np.argmax(reached, axis=0)]
