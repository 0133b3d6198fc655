"""What was run, which setting to choose and why, and how good it is: the page's first screen."""

import numpy as np

from experiments.kit import words
from experiments.kit.problems import Problem
from experiments.kit.report import examine, regression, uncertainty
from experiments.kit.report.examine import Classified, Regressed

KINDS = {
    "binary": "logistic regressions",
    "multiclass": "softmax regressions",
    "regression": "linear regressions",
}


def of_classes(problem: Problem, rows: Classified) -> list[tuple[str, str, str]]:
    """Title, value and remark of each figure on the test rows."""
    accuracy = np.average(rows.labels == rows.predicted, weights=rows.weights)
    low, high = uncertainty.wilson(accuracy, uncertainty.effective_rows(rows.weights))
    loss, error = uncertainty.mean_and_error(rows.losses, rows.weights)
    spread = uncertainty.Z95 * error
    name, share = examine.majority(problem, rows)
    found = examine.reliability(rows)
    return [
        (
            "Test accuracy",
            words.percent(accuracy),
            f"95% interval {words.interval(low, high, words.percent)}; always saying "
            f"“{words.clipped(name, 24)}” gives {words.percent(share)}",
        ),
        (
            "Test log-loss",
            words.number(loss),
            f"95% interval {words.interval(max(loss - spread, 0), loss + spread)} nats; guessing "
            f"by class frequency gives {words.number(examine.guessing_loss(problem))}",
        ),
        (
            "Test calibration error",
            words.percent(found.error),
            f"a perfectly calibrated model would show about {words.percent(found.luck[0])}, and "
            f"more than {words.percent(found.luck[1])} in 5 of 100 cases",
        ),
    ]


def of_numbers(rows: Regressed, target: str) -> list[tuple[str, str, str]]:
    """Title, value and remark of each figure on the test rows."""
    spread = np.sqrt(np.cov(rows.true, aweights=rows.weights, ddof=0))
    (_, rmse, rmse_ends), (_, r2, r2_ends) = regression.figures(rows)[:2]
    return [
        (
            "Test RMSE",
            words.number(rmse),
            f"95% interval {words.interval(*rmse_ends)}, in the units of "
            f"“{words.clipped(target, 24)}”; always saying its mean gives {words.number(spread)}",
        ),
        ("Test R²", words.number(r2), f"95% interval {words.interval(*r2_ends)}; guessing gives 0"),
    ]
