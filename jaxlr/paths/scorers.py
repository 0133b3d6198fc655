"""Metrics as cross-validation asks them: of logits on rows held out, knowing what is better."""

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import losses, metrics
from jaxlr.backend import on_one_core
from jaxlr.glm.door import Given
from jaxlr.glm.losses import loss as loss_of
from jaxlr.metrics import kinds
from jaxlr.pytypes import Array, Params
from jaxlr.results.predictions import LINKS, logits, loss_name


class Scorer(NamedTuple):
    """A metric (labels [N], logits [N] or [N, C], *, sample_weight [N]) -> [] and what it asks."""

    metric: Callable[..., Array]  # one object for one question, by which its program is found
    maximise: bool
    of_classes: bool = False  # whether labels must be whole


def scorer(
    metric: Callable[..., Array] | None,
    maximise: bool | None,
    loss: Callable[[Array, Array], Array],
    num_classes: int | None,
) -> Scorer:
    """A metric of `metrics`, with options in a `partial` or without, a caller's own, or the loss.

    A ValueError for a metric that is no single figure, or not one of this loss, or scikit-learn's.
    """
    if metric is None:
        return Scorer(_mean_loss(loss, num_classes), bool(maximise))
    plain = metric.func if isinstance(metric, partial) else metric
    plain = inspect.unwrap(plain, stop=_is_ours)
    if not _is_ours(plain):
        if getattr(plain, "__module__", "").split(".")[0] == "sklearn":
            raise ValueError(
                f"metric is scikit-learn's {plain.__name__}, which no compiled program can call:"
                f" give jaxlr.metrics.{plain.__name__}"
            )
        return Scorer(metric, bool(maximise))
    name, whose = plain.__name__, loss_name(loss)
    kind = kinds.KINDS.get(name)
    if kind is None:
        raise ValueError(f"metric {name} is no single figure of predictions to choose by")
    if kind == "numbers" and whose in LINKS:
        raise ValueError(f"metric {name} is one of numbers, and {whose} predicts classes")
    if kind == "probabilities" and whose not in LINKS:
        raise ValueError(f"metric {name} is one of probabilities, and {whose} predicts none")
    if kind != "numbers" and loss is losses.squared_error:
        raise ValueError(f"metric {name} is one of classes, and {whose} predicts numbers")
    more = kinds.more_is_better(name) if maximise is None else bool(maximise)
    found = kinds.of_logits(metric, name, LINKS.get(whose), num_classes)
    return Scorer(found, more, kind != "numbers")


def _is_ours(function: Any) -> bool:
    return getattr(metrics, getattr(function, "__name__", ""), None) is function


@lru_cache  # one object for one loss: programs are found by it
def _mean_loss(loss: Callable, num_classes: int | None) -> Callable[..., Array]:
    def mean_loss(labels, logits, *, sample_weight):
        family = loss_of(loss, num_classes)
        value = family.value(logits.T if num_classes else logits[None], labels)
        return jnp.vdot(value, sample_weight) / jnp.sum(sample_weight)

    return mean_loss


def scores(scorer: Scorer, params: Params, asked: Given, away: np.ndarray) -> np.ndarray:
    """The metric of lanes [T, F, A, K] on rows of weights `away` [F, N]."""
    labels = _whole(asked.labels) if scorer.of_classes else asked.labels
    out = np.empty(params["b"].shape[:4])
    plain = jax.enable_x64(True), jax.numpy_dtype_promotion("standard")
    with plain[0], plain[1], on_one_core(asked.x.shape[1]):
        for a, k in np.ndindex(out.shape[2:]):  # one by one: logits are [T, F, N]
            own = {name: leaf[:, :, a, k] for name, leaf in params.items()}
            out[:, :, a, k] = _scores(scorer.metric, labels, logits(own, asked.x, 2), away)
    return out


@partial(jax.jit, static_argnums=0)
def _scores(metric, labels, logits, away):
    def one(labels, logits, weights):
        return metric(labels, logits, sample_weight=weights)

    of_target = jax.vmap(one, in_axes=(None, 0, 0))
    return jax.vmap(of_target, in_axes=(0, 0, None))(labels, logits, away)


def _whole(labels: np.ndarray) -> np.ndarray:
    """Labels [T, N] as the classes that they are; a ValueError for probabilities among them."""
    odd = labels[labels != np.round(labels)]
    if len(odd):
        raise ValueError(f"the metric is one of classes, and labels hold {odd[0]}, which is none")
    return labels.astype(np.int64)
