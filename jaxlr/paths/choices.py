"""Means over the folds that have scores, and the settings that they choose."""

import numpy as np


def means(scores: np.ndarray, endless: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error [T, A, K] over the folds that have a score at some setting.

    Of scores [T, F, A, K]; `endless` [T, F, A, K], lanes without an optimum, are for the message of
    the ValueError where all of a target's means would be NaN.
    """
    scored = np.isfinite(scores)
    mean, error = np.full((2, *scores[:, 0].shape), np.nan)
    for target, table in enumerate(np.where(scored, scores, np.nan)):
        table = table[scored[target].any(axis=(1, 2))]
        if len(table):
            mean[target] = table.mean(axis=0)
        if len(table) > 1:
            error[target] = table.std(axis=0, ddof=1) / np.sqrt(len(table))
        if np.isnan(mean[target]).all():
            raise ValueError(_nothing_to_choose_by(target, scored[target], endless[target]))
    return mean, error


def _nothing_to_choose_by(target, scored, endless) -> str:
    """What a ValueError says of one target's [F, A, K]."""

    def folds(those):
        first, more = np.flatnonzero(those)[:5], max(0, int(those.sum()) - 5)
        return f"fold {', '.join(map(str, first))}" + f" and {more} more" * bool(more)

    endless = (endless & ~scored).any(axis=(1, 2))
    odd = ~scored.all(axis=(1, 2)) & ~endless
    why = []
    if endless.any():
        why.append(f"no optimum in {folds(endless)} (a class without a row to train on, or λ = 0)")
    if odd.any():
        why.append(f"the metric is not finite on what {folds(odd)} holds out")
    return (
        f"target {target} has no setting to choose: {' and '.join(why)}; take fewer folds, folds"
        " with strata (data.folds) or another metric; the default one leaves `predictions` of all"
        " folds, which your metric can judge at once"
    )


def choose(
    mean: np.ndarray, error: np.ndarray, lambdas: np.ndarray, maximise: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(best, one_standard_error), [T, 2] each: (a, k) of the least mean, and of the largest λ near.

    Of equal means the largest λ is the best. Where one fold alone has scores there is no error, and
    the second is the first.
    """
    order = np.argsort(-lambdas, kind="stable")
    loss = np.where(np.isnan(mean), np.inf, -mean if maximise else mean)[:, :, order]
    targets = np.arange(len(loss))
    a, k = np.unravel_index(loss.reshape(len(loss), -1).argmin(axis=1), loss.shape[1:])
    limit = loss[targets, a, k] + np.nan_to_num(error[targets, a, order[k]])
    simplest = (loss[targets, a] <= limit[:, None]).argmax(axis=1)
    return np.stack([a, order[k]], axis=1), np.stack([a, order[simplest]], axis=1)


def check_errors(error: np.ndarray) -> None:
    """Raises ValueError where a target has one fold with scores, and so no standard error."""
    single = np.flatnonzero(np.isnan(error).all(axis=(1, 2)))
    if len(single):
        raise ValueError(
            f"rule one_standard_error needs two folds with scores, and target {single[0]} has one:"
            " take more folds, or rule best"
        )
