"""How sure a figure on the test rows is: intervals, calibration, and what luck alone would show."""

from typing import NamedTuple

import numpy as np

Z95 = 1.959963984540054  # the normal quantile of a 95 % interval


class Reliability(NamedTuple):
    """Rows in K equal bins of a stated probability, and how often it came true; NaN where empty."""

    edges: np.ndarray  # [K + 1]
    rows: np.ndarray  # [K] how many rows, unweighted
    stated: np.ndarray  # [K] mean probability
    true: np.ndarray  # [K] share that came true
    low: np.ndarray  # [K] Wilson interval of the share
    high: np.ndarray
    error: float  # expected calibration error: mean |stated - true| by weight
    luck: tuple[float, float]  # the same if every probability were true: mean, 95 % quantile


def effective_rows(weights: np.ndarray) -> float:
    """(Σs)² / Σs²: as many equally weighted rows tell as much (Kish 1965). Free of s's scale."""
    total = np.sum(weights, dtype=np.float64)
    return float(total**2 / np.sum(np.square(weights, dtype=np.float64))) if total > 0 else 0.0


def wilson(share, rows):
    """Wilson's 95 % interval of a share seen in `rows` rows; scalars or arrays, NaN for 0 rows.

    Reference:
      Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    share, rows = np.asarray(share, np.float64), np.asarray(rows, np.float64)
    rows = np.where(rows > 0, rows, np.nan)
    centre = share + Z95**2 / (2 * rows)
    spread = Z95 * np.sqrt(share * (1 - share) / rows + (Z95 / (2 * rows)) ** 2)
    scale = 1 + Z95**2 / rows
    return np.clip((centre - spread) / scale, 0, 1), np.clip((centre + spread) / scale, 0, 1)


def mean_and_error(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The weighted mean and its standard error."""
    values, weights = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    mean = np.average(values, weights=weights)
    rows = effective_rows(weights)
    variance = np.average((values - mean) ** 2, weights=weights)
    return float(mean), float(np.sqrt(variance / (rows - 1))) if rows > 1 else float("nan")


def reliability(stated, came_true, weights, num_bins: int = 10, rounds: int = 200) -> Reliability:
    """Stated probabilities [N] against what came true [N] (0 or 1)."""
    stated, weights = np.asarray(stated, np.float64), np.asarray(weights, np.float64)
    bins = np.minimum((stated * num_bins).astype(int), num_bins - 1)
    weight = np.bincount(bins, weights, num_bins)
    squares = np.bincount(bins, weights**2, num_bins)
    mean_stated = _ratio(np.bincount(bins, weights * stated, num_bins), weight)
    share = _ratio(np.bincount(bins, weights * came_true, num_bins), weight)
    low, high = wilson(share, _ratio(weight**2, squares))
    generator = np.random.default_rng(0)
    lucky = [
        calibration_error(bins, stated, generator.random(len(stated)) < stated, weights, num_bins)
        for _ in range(rounds)
    ]
    return Reliability(
        edges=np.linspace(0, 1, num_bins + 1),
        rows=np.bincount(bins[weights > 0], minlength=num_bins),
        stated=mean_stated,
        true=share,
        low=low,
        high=high,
        error=calibration_error(bins, stated, came_true, weights, num_bins),
        luck=(float(np.mean(lucky)), float(np.quantile(lucky, 0.95))),
    )


def calibration_error(bins, stated, came_true, weights, num_bins: int) -> float:
    """Σ over bins of |Σ s (stated - true)| / Σ s."""
    gaps = np.bincount(bins, weights * (stated - came_true), num_bins)
    return float(np.abs(gaps).sum() / weights.sum())


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.full(len(b), np.nan), where=b > 0)
