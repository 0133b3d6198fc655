"""The test rows of a regression: predicted against true, and the residuals."""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.kit import style
from experiments.kit.report.examine import Regressed
from jaxlr import metrics

NUM_RESAMPLES = 400


def panels(rows: Regressed, target: str):
    """(name, figure, alt text) of predicted against true, and of the residuals."""
    return [
        ("predicted", predicted(rows, target), f"Predicted against true {target} on test rows"),
        ("residuals", residuals(rows, target), f"Residuals against predicted {target}"),
    ]


def predicted(rows: Regressed, target: str) -> Figure:
    """A dot per row, and the line on which prediction is truth."""
    figure, axes = style.panel(height=4.2)
    ends = np.array([rows.true, rows.predicted])
    ends = [ends.min(), ends.max()]
    axes.plot(ends, ends, color=style.MUTED, ls=(0, (4, 3)), lw=1)
    _dots(axes, rows.true, rows.predicted, rows.weights)
    axes.set(xlabel=f"true {target}", ylabel=f"predicted {target}", title="predicted × true")
    return figure


def residuals(rows: Regressed, target: str) -> Figure:
    """Truth minus prediction, with ± RMSE around zero."""
    figure, axes = style.panel(height=4.2)
    error = root_mean_square(rows)
    axes.axhspan(-error, error, color=style.ACCENT, alpha=0.12, lw=0)
    axes.axhline(0, color=style.MUTED, ls=(0, (4, 3)), lw=1)
    _dots(axes, rows.predicted, rows.true - rows.predicted, rows.weights)
    axes.set(xlabel=f"predicted {target}", ylabel=f"true − predicted {target}")
    axes.set_title("residuals (band: ± RMSE)")
    return figure


def figures(rows: Regressed) -> list[tuple[str, float, tuple[float, float]]]:
    """Name, value and 95 % interval, by the bootstrap, of each figure, in original units."""
    found = metrics.bootstrap_interval(
        _figures,
        jax.random.key(0),
        *rows,
        num_resamples=NUM_RESAMPLES,
        chunk=max(1, 2_000_000 // len(rows.true)),
    )
    return [
        (name, float(found.estimate[name]), (float(found.low[name]), float(found.high[name])))
        for name in found.low
    ]


def root_mean_square(rows: Regressed) -> float:
    """Root of the mean squared error, in the target's units."""
    return float(
        metrics.root_mean_squared_error(rows.true, rows.predicted, sample_weight=rows.weights)
    )


def _figures(true, predicted, weights, *, sample_weight):
    pairs, weights = (true, predicted), weights * sample_weight.astype(weights.dtype)
    return {
        "RMSE": metrics.root_mean_squared_error(*pairs, sample_weight=weights),
        "R²": metrics.r2_score(*pairs, sample_weight=weights),
        "mean absolute error": metrics.mean_absolute_error(*pairs, sample_weight=weights),
        "mean of predicted − true": jnp.average(predicted - true, weights=weights),
    }


def inside(rows: Regressed) -> float:
    """The share of the rows that miss by less than the RMSE."""
    missed = np.abs(rows.true - rows.predicted)
    return float(np.average(missed <= root_mean_square(rows), weights=rows.weights))


def slope(rows: Regressed) -> float:
    """How much truth rises for each 1 predicted; NaN where all predictions are one."""
    if len(np.unique(rows.predicted)) == 1:
        return float("nan")
    return float(np.polyfit(rows.predicted, rows.true, 1, w=np.sqrt(rows.weights))[0])


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
    """Areas by weight."""
    size = float(np.clip(6_000 / len(x), 3, 26))
    size = size * weights / weights.mean() if np.ptp(weights) else size
    axes.scatter(x, y, size, style.ACCENT, alpha=0.65, linewidths=0)
