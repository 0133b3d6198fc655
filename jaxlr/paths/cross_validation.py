"""Penalties compared on the rows that each fold holds out, and the chosen one refitted on all."""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from jaxlr.glm.door import Given
from jaxlr.glm.losses import recognised
from jaxlr.paths import choices, data_sets, grids, scorers
from jaxlr.paths.path import HOLD, check_known, checked, solved, together, totals
from jaxlr.pytypes import Array, Batch, Params
from jaxlr.results.axes import AXES, stacked
from jaxlr.results.cross_validation import CrossValidation
from jaxlr.results.path import About, Path
from jaxlr.results.predictions import logits
from jaxlr.solvers.status import Status

RULES = ("best", "one_standard_error")


def cross_validate(
    batch: Batch,
    lambdas: Sequence[float] | Array | None = None,
    *,
    loss: Callable[[Array, Array], Array],
    fold_weights: Array,
    l1_ratio: float | Sequence[float] = 0.0,
    metric: Callable[..., Array] | None = None,
    maximise: bool | None = None,
    rule: str = "best",
    hold: str = "lambda",
    tol: float = 1e-6,
    num_classes: int | None = None,
    max_steps: int = 1000,
    mesh: jax.sharding.Mesh | None = None,
    fit_intercept: bool = True,
) -> CrossValidation:
    """Fits folds x l1_ratios x λ at once, scores what each fold holds out, chooses and refits.

    The refit is a lane among the others, a fold that holds nothing out. Arguments are those of
    `fit`, but that the default lambdas are those of all rows; and beside them:

    - fold_weights: [F, N], or [S, F, N]; a fold holds out the rows of weight 0, and one split is a
      single fold.
    - metric: one of `metrics` that is a single figure, or a `partial` of it: it is given classes,
      probabilities, logits or numbers, as it wants; of more than two classes averages are "macro",
      and areas of each class against the rest. Or a function of labels [N], logits [N] or [N, C]
      and a keyword sample_weight [N]. None is the mean loss.
    - maximise: whether more of the metric is better; None knows it of `metrics`, and says no of
      others.
    - rule: "best", or "one_standard_error", which needs two folds.
    - hold: what the refit on all rows keeps, "lambda" or "C" = 1 / (λ Σ weights). With "C" its λ is
      the chosen one times the folds' mean Σ of training weights, over the Σ of all.

    Raises:
      ValueError: as `fit`; a fold that holds nothing out; an unknown rule, hold or metric; scores
        that leave nothing to choose by.
    """
    mesh, loss = checked(tol, max_steps, mesh), recognised(loss)
    _known(rule, hold, fold_weights)
    options = loss, l1_ratio, fold_weights, num_classes
    sets, axes = data_sets.given(batch, lambdas, *options, refit=True, fit_intercept=fit_intercept)
    sets = grids.filled(sets, loss, slice(-1, None))
    if hold == "C":
        sets = [asked._replace(shrink=_shrink(asked)) for asked in sets]
    scorer = scorers.scorer(metric, maximise, loss, sets[0].num_classes)
    away = [_held_out(asked) for asked in sets]
    found = []
    for s, (asked, weights) in enumerate(zip(sets, away, strict=True)):
        path = solved(asked, loss, tol, max_steps, mesh)
        with data_sets.named(s if len(sets) > 1 else None):
            found.append(_chosen(path, asked, weights, scorer, rule))
    return _together(found, axes)


def _known(rule, hold, fold_weights) -> None:
    """Raises ValueError for what no choice can be made by."""
    check_known("rule", rule, RULES)
    check_known("hold", hold, HOLD)
    if fold_weights is None:
        raise ValueError("cross_validate needs fold_weights [F, N], as from data.folds")
    if rule == "one_standard_error" and np.shape(fold_weights)[-2:-1] == (1,):
        raise ValueError(
            "rule one_standard_error needs two folds, and there is one: take rule best"
        )


def _shrink(asked: Given) -> np.ndarray:
    """What the λ of each fold is multiplied by: the refit keeps C, the others λ."""
    sums = totals(asked)
    return np.append(np.ones(len(sums) - 1), sums[:-1].mean() / sums[-1])


def _held_out(asked: Given) -> np.ndarray:
    """Weights [F, N] of the rows where each fold has none, but for the refit's."""
    away = (asked.folds[:-1] == 0) * asked.sample
    empty = np.flatnonzero(~away.any(axis=1))
    if len(empty):
        raise ValueError(f"fold {empty[0]} of fold_weights holds no row out: give it zeros")
    return away


def _chosen(path: Path, asked: Given, away, scorer, rule) -> CrossValidation:
    """One data set's, of T targets, from its lanes [T, F + 1, A, K]."""
    folds = Path(*jax.tree.map(lambda leaf: leaf[:, :-1], path[:6]), *path[6:])
    endless = _endless(folds, asked)
    scores = np.where(endless, np.nan, scorers.scores(scorer, folds.params, asked, away))
    mean, error = choices.means(scores, endless)
    best, simplest = choices.choose(mean, error, path.lambdas, scorer.maximise)
    if rule == "one_standard_error":
        choices.check_errors(error)
    chosen = best if rule == "best" else simplest
    a, k = chosen.T
    targets = np.arange(len(chosen))
    refit = jax.tree.map(lambda leaf: leaf[targets, -1, a, k], path[:6])
    own = path.lambdas[k] * np.broadcast_to(asked.shrink, path.risk.shape[1])[-1]
    refit = Path(*refit, own, path.l1_ratios[a], About(path.about.loss, ("target",)))
    params = jax.tree.map(lambda leaf: leaf[targets, :, a, k], folds.params)
    predictions = _predictions(params, asked, away * ~endless[targets, :, a, k][:, :, None])
    found = folds, path.lambdas, path.l1_ratios, scores, mean, error, best, simplest, chosen
    return CrossValidation(*found, refit, predictions)


def _endless(path: Path, asked: Given) -> np.ndarray:
    """[T, F, A, K] lanes that can't be chosen: what has no optimum is no fit.

    A class that no row at all is of is in no fold's way, if two others are left.
    """
    separable = path.status == Status.separable
    if asked.num_classes is None:
        return separable
    classes = np.arange(asked.num_classes)
    heard = np.array([np.isin(classes, labels) for labels in asked.labels])  # [T, C]
    same = (np.isfinite(path.params["b"]) == heard[:, None, None, None]).all(axis=-1)
    return separable & ~(same & (heard.sum(axis=1) > 1)[:, None, None, None])


def _predictions(params: Params, asked: Given, away: np.ndarray) -> np.ndarray:
    """Logits [T, N] or [T, N, C] of all the caller's rows, by params of [T, F] lanes.

    The mean of the folds with weights `away` [T, F, N]; NaN where there is none.
    """
    said = logits(params, asked.x, 2)
    here = (away > 0).reshape(*away.shape, *[1] * (said.ndim - 3))
    out = np.full((len(said), len(asked.counted), *said.shape[3:]), np.nan)
    with np.errstate(invalid="ignore"):
        out[:, asked.counted] = np.where(here, said, 0).sum(axis=1) / here.sum(axis=1)
    return out


def _together(found: list[CrossValidation], axes) -> CrossValidation:
    """The data sets' answers, with targets and data sets as axes where they are given."""
    first = found[0]
    kept = [name for name in AXES if name in axes or name == "l1_ratio"]
    path = together([one.path for one in found], kept)
    own = [one._replace(path=None, lambdas=None, l1_ratios=None) for one in found]
    whole = stacked(own, {*axes, *AXES[2:]})
    about = About(first.path.about.loss, tuple(name for name in AXES[:2] if name in axes))
    refit = whole.refit._replace(about=about)
    hypers = {"lambdas": first.lambdas, "l1_ratios": first.l1_ratios}
    return whole._replace(path=path, refit=refit, **hypers)
