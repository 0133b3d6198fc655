"""Paths as if solved, in a moment and without compiling: what a page and a command must tell."""

import numpy as np

from jaxlr import losses, paths
from jaxlr.paths import scorers
from jaxlr.results.path import About

STEPS = 25


def fit(
    batch,
    lambdas,
    *,
    loss,
    l1_ratio=0.0,
    fold_weights=None,
    tol=1e-6,
    num_classes=None,
    fit_intercept=True,
):
    """A path of the right shapes from a few proximal gradient steps, its endings made up."""
    folds = np.ones((1, len(batch.x))) if fold_weights is None else np.asarray(fold_weights)
    path = _lanes(
        batch,
        np.asarray(lambdas),
        np.atleast_1d(l1_ratio),
        folds,
        loss,
        num_classes,
        tol,
        fit_intercept,
    )
    given = (True, fold_weights is not None, np.ndim(l1_ratio) > 0)
    gone = tuple(axis for axis, kept in enumerate(given) if not kept)
    names = [n for n, kept in zip(("target", "fold", "l1_ratio"), given, strict=True) if kept]
    lanes = _each(path, lambda leaf: np.squeeze(leaf, gone))
    about = About(loss.__name__, (*names, "lambda"))
    return paths.Path(*lanes, np.asarray(lambdas), np.asarray(l1_ratio), about)


def cross_validate(
    batch,
    lambdas,
    *,
    loss,
    fold_weights,
    l1_ratio=0.0,
    metric=None,
    maximise=None,
    rule="best",
    hold="lambda",
    tol=1e-6,
    num_classes=None,
    fit_intercept=True,
):
    """What `paths.cross_validate` returns, from `fit` above."""
    options = {"loss": loss, "tol": tol, "num_classes": num_classes}
    options["fit_intercept"] = fit_intercept
    path = fit(batch, lambdas, fold_weights=fold_weights, l1_ratio=l1_ratio, **options)
    scorer = scorers.scorer(metric, maximise, loss, num_classes)
    scores = np.empty(path.risk.shape)
    for at in np.ndindex(*scores.shape):
        logits = np.asarray(batch.x) @ path.params["w"][at] + path.params["b"][at]
        held = (1 - np.asarray(fold_weights)[at[1]]) * np.asarray(batch.weights)
        labels = np.asarray(batch.labels)[at[0]]
        if metric is None:
            scores[at] = np.average(_values(logits, labels, loss), weights=held)
        else:
            scores[at] = scorer.metric(labels, logits.astype(np.float32), sample_weight=held)
    mean = scores.mean(axis=1)
    error = np.full(mean.shape, np.nan)
    if scores.shape[1] > 1:
        error = scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    best, simplest = [], []
    for table, spread in zip(-mean if scorer.maximise else mean, error, strict=True):
        a, k = np.unravel_index(table.argmin(), table.shape)
        best.append((a, k))
        simplest.append((a, int(np.argmax(table[a] <= table[a, k] + np.nan_to_num(spread[a, k])))))
    chosen = np.array(best if rule == "best" else simplest)
    lambdas = np.asarray(lambdas)
    own = lambdas[chosen[:, 1]]
    if hold == "C":
        weights = np.asarray(batch.weights)
        own = own * np.mean(np.asarray(fold_weights) @ weights) / weights.sum()
    ratios = np.atleast_1d(l1_ratio)[chosen[:, 0]]
    parts = [
        fit(batch, [lam], l1_ratio=ratio, **options) for lam, ratio in zip(own, ratios, strict=True)
    ]
    refit = [_each(part[:6], lambda leaf, t=t: leaf[t, 0]) for t, part in enumerate(parts)]
    refit = paths.Path(
        {name: np.stack([part[0][name] for part in refit]) for name in "wb"},
        *(np.stack(columns) for columns in list(zip(*refit, strict=True))[1:]),
        own,
        ratios,
        About(loss.__name__, ("target",)),
    )
    return paths.CrossValidation(
        path,
        lambdas,
        np.asarray(l1_ratio),
        scores,
        mean,
        error,
        np.array(best),
        np.array(simplest),
        chosen,
        refit,
        None,
    )


def lambda_grid(batch, *, loss, num, ratio, l1_ratio, num_classes=None, fit_intercept=True):
    """A grid of its own."""
    del batch, loss, num_classes, fit_intercept
    return np.geomspace(0.3 / l1_ratio, 0.3 / l1_ratio * ratio, num)


def _lanes(batch, lambdas, ratios, folds, loss, num_classes, tol, fit_intercept):
    x, labels = np.asarray(batch.x, np.float64), np.asarray(batch.labels)
    weights = folds * np.asarray(batch.weights, np.float64)
    shape = (len(labels), len(folds), len(ratios), len(lambdas))
    outputs = (num_classes,) if num_classes else ()
    w, b = np.zeros((*shape, x.shape[1], *outputs)), np.zeros((*shape, *outputs))
    risk = np.empty(shape)
    for t, f, a, k in np.ndindex(*shape):
        at, s = (t, f, a, k), weights[f] / weights[f].sum()
        penalty = lambdas[k], ratios[a]
        w[at], b[at] = _descend(x, labels[t], s, *penalty, loss, w[at], b[at], fit_intercept)
        size = (1 - ratios[a]) / 2 * np.sum(w[at] ** 2) + ratios[a] * np.abs(w[at]).sum()
        values = _values(x @ w[at] + b[at], labels[t], loss)
        risk[at] = s @ values + lambdas[k] * size
    decrement = risk * 1e-10 * (1 + np.arange(len(lambdas)))
    gap = decrement * 1.2 + risk * 1e-9 / np.maximum(lambdas, 1e-9)
    status = np.where(gap <= tol * risk, paths.Status.certified, paths.Status.solved)
    separable = (lambdas == 0) & (loss is not losses.squared_error)
    status = np.where(separable, paths.Status.separable, status).astype(np.int32)
    risk, gap = np.where(separable, 0.0, risk), np.where(separable, np.inf, gap)
    steps = np.full(shape, 7, np.int32)
    return [{"w": w, "b": b}, risk, gap, decrement, status, steps]


def _descend(x, labels, s, lam, ratio, loss, w, b, fit_intercept):
    step = 1 / (2 * s @ (1 + np.sum(x**2, axis=1)) + lam)
    for _ in range(STEPS):
        slope = (_slopes(x @ w + b, labels, loss).T * s).T
        w = w - step * (x.T @ slope + lam * (1 - ratio) * w)
        w = np.sign(w) * np.maximum(np.abs(w) - step * lam * ratio, 0)
        b = b - fit_intercept * step * slope.sum(axis=0)
    return w, b


def _slopes(z, labels, loss):
    if loss is losses.squared_error:
        return 2 * (z - labels)
    if loss is losses.log_loss:
        return 1 / (1 + np.exp(-z)) - labels
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) - np.eye(z.shape[1])[labels]


def _values(z, labels, loss):
    if loss is losses.squared_error:
        return (z - labels) ** 2
    if loss is losses.log_loss:
        return np.logaddexp(0, z) - labels * z
    top = z.max(axis=1)
    return np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - z[np.arange(len(z)), labels]


def _each(leaves, change):
    first, *rest = leaves
    return [{name: change(leaf) for name, leaf in first.items()}, *map(change, rest)]
