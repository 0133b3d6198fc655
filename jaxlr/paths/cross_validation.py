"""Penalties compared on the rows that each fold holds out, and the chosen one refitted on all."""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from jaxlr.data import containers
from jaxlr.glm.door import Given
from jaxlr.glm.losses import recognised
from jaxlr.paths import choices, data_sets, grids, held_out, scorers
from jaxlr.paths.path import checked, solved, together
from jaxlr.pytypes import Array, Batch
from jaxlr.results.axes import AXES
from jaxlr.results.cross_validation import CrossValidation
from jaxlr.results.path import About, Path

RULES = ("best", "one_standard_error")
HOLD = ("lambda", "C")


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

    The refit is a lane among the others, a fold that holds nothing out.

    Args:
      batch: as for `fit`, and so loss, l1_ratio, tol, num_classes, max_steps, mesh, fit_intercept.
      lambdas: as for `fit`; the default ones are those of all rows.
      loss: see batch.
      l1_ratio: see batch.
      tol: see batch.
      num_classes: see batch.
      max_steps: see batch.
      mesh: see batch.
      fit_intercept: see batch.
      fold_weights: [F, N], or [S, F, N]; a fold holds out the rows of weight 0, and one split is a
        single fold.
      metric: one of `metrics` that is a single figure, or a `partial` of it: it is given classes,
        probabilities, logits or numbers, as it wants; of more than two classes averages are
        "macro", and areas of each class against the rest. Or (labels [N], logits [N] or [N, C], *,
        sample_weight [N]) -> []. None is the mean loss.
      maximise: whether more of the metric is better; None knows it of `metrics`, and says no of
        others.
      rule: "best", or "one_standard_error", which needs two folds.
      hold: what the refit on all rows keeps, "lambda" or "C" = 1 / (λ Σ weights). With "C" its λ is
        the chosen one times the folds' mean Σ of training weights, over the Σ of all.

    Raises:
      ValueError: as `fit`; a fold that holds nothing out; an unknown rule, hold or metric; scores
        that leave nothing to choose by.
    """
    mesh, loss = checked(tol, max_steps, mesh), recognised(loss)
    _known(rule, hold, fold_weights)
    options = loss, l1_ratio, fold_weights, num_classes
    sets, axes = data_sets.given(
        batch, lambdas, *options, held_out=True, fit_intercept=fit_intercept
    )
    parts = data_sets.split(batch, fold_weights) or [(batch, fold_weights)]
    sets = [_with_refit(*part, asked, hold) for part, asked in zip(parts, sets, strict=True)]
    if lambdas is None:
        whole = [asked._replace(weights=asked.weights[-1:]) for asked, _ in sets]
        lambdas = grids.of_sets(whole, loss)
        sets = [(asked._replace(lambdas=lambdas), away) for asked, away in sets]
    scorer = scorers.scorer(metric, maximise, loss, sets[0][0].num_classes)
    found = []
    for s, (asked, away) in enumerate(sets):
        path = solved(asked, loss, tol, max_steps, mesh)
        try:
            found.append(_chosen(path, asked, away, scorer, rule))
        except ValueError as error:
            raise ValueError(f"data set {s}: {error}" if len(sets) > 1 else str(error)) from None
    return _together(found, axes)


def _known(rule, hold, fold_weights) -> None:
    """Raises ValueError for what no choice can be made by."""
    for name, value, known in (("rule", rule, RULES), ("hold", hold, HOLD)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, and is {value!r}")
    if fold_weights is None:
        raise ValueError("cross_validate needs fold_weights [F, N], as from data.folds")
    if rule == "one_standard_error" and np.shape(fold_weights)[-2:-1] == (1,):
        raise ValueError(
            "rule one_standard_error needs two folds, and there is one: take rule best"
        )


def _with_refit(batch, fold_weights, asked: Given, hold) -> tuple[Given, np.ndarray]:
    """The folds and one more that has all rows, and the weights [F, N] that the others hold out."""
    sample = np.ones(len(asked.counted))
    if batch.weights is not None:
        sample = containers.numbers("weights", batch.weights)
    sample = sample[asked.counted]
    folds = containers.numbers("fold_weights", fold_weights)[:, asked.counted]
    away = held_out.weights(sample, folds)
    sample = sample / sample.max()
    shrink = 1.0
    if hold == "C":
        shrink = np.append(np.ones(len(folds)), (folds @ sample).mean() / sample.sum())
    weights = np.concatenate([asked.weights, sample[None] / sample.sum()])
    return asked._replace(weights=weights, shrink=shrink), away


def _chosen(path: Path, asked: Given, away, scorer, rule) -> CrossValidation:
    """One data set's, of T targets, from its lanes [T, F + 1, A, K]."""
    lanes = jax.tree.map(lambda leaf: leaf[:, :-1], path[:6])
    folds = Path(*lanes, path.lambdas, path.l1_ratios, path.about)
    endless = held_out.endless(folds, asked)
    scores = np.where(endless, np.nan, held_out.scores(folds, asked, away, scorer))
    mean, error = choices.means(scores, endless)
    best, simplest = choices.choose(mean, error, path.lambdas, scorer.maximise)
    if rule == "one_standard_error":
        choices.check_errors(error)
    chosen = best if rule == "best" else simplest
    at = (np.arange(len(chosen)), -1, *chosen.T)
    refit = jax.tree.map(lambda leaf: leaf[at], path[:6])
    own = path.lambdas[chosen[:, 1]] * np.broadcast_to(asked.shrink, path.risk.shape[1])[-1]
    about = About(path.about.loss, ("target",))
    refit = Path(*refit, own, path.l1_ratios[chosen[:, 0]], about)
    away = away * ~endless[np.arange(len(chosen)), :, *chosen.T][:, :, None]
    predictions = held_out.predictions(folds, asked, away, chosen)
    hypers = path.lambdas, path.l1_ratios
    choice = best, simplest, chosen
    return CrossValidation(folds, *hypers, scores, mean, error, *choice, refit, predictions)


def _together(found: list[CrossValidation], axes) -> CrossValidation:
    """The data sets' answers, with targets and data sets as axes where they are given."""
    gone = tuple(at for at, name in enumerate(("target", "dataset")) if name not in axes)

    def stacked(*leaves):
        return np.stack(leaves, axis=1).squeeze(gone)

    first = found[0]
    kept = [name for name in AXES if name in axes or name == "l1_ratio"]
    path = together([one.path for one in found], kept)
    refit = jax.tree.map(stacked, *(one.refit[:8] for one in found))
    about = About(first.path.about.loss, tuple(a for a in axes if a in ("target", "dataset")))
    kept = {"path": path, "refit": Path(*refit, about)}
    for name in first._fields:
        if name not in ("path", "refit", "lambdas", "l1_ratios"):
            kept[name] = stacked(*(getattr(one, name) for one in found))
    return first._replace(**kept)
