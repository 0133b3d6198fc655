"""A path's answers under named axes."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxlr.pytypes import Params
from jaxlr.results import axes, files, predictions, tables
from jaxlr.solvers.status import Status

ENDINGS = ("risk", "gap", "decrement", "status", "num_steps")


@files.kept
@jax.tree_util.register_static
@dataclass(frozen=True)
class About:
    """What isn't an array: the loss's name, and those of the axes, in order."""

    loss: str
    axes: tuple[str, ...]


@files.kept
class Path(NamedTuple):
    """Every lane's answer, and how far from the optimum it can be.

    The leading axes are target, dataset, fold, l1_ratio and lambda, in this order: of these the
    ones that were given as an axis (`axes` tells), and lambda always. Everything is NumPy, in
    float64.

    Attributes:
      params: {"w": [..., D] or [..., D, C], "b": [...] or [..., C]}.
      risk: J; where it is separable its infimum, without a penalty an estimate of that or NaN.
      gap: an upper bound on J - J*, infinite for a direction.
      decrement: an estimate of it, half of Newton's decrement squared, from a fresh Hessian, to a
        factor of two at worst; a bound on that where it was not found within the steps that are
        taken for it. Never more than the gap.
      status: of `Status`, int32.
      num_steps: int32.
      lambdas: [K] in the order that was given; where lambda is no axis each lane's own.
      l1_ratios: [A], or each lane's own, or [] of all.
      about: the loss's name, and the axes.
    """

    params: Params
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    status: np.ndarray
    num_steps: np.ndarray
    lambdas: np.ndarray
    l1_ratios: np.ndarray
    about: About

    @property
    def axes(self) -> tuple[str, ...]:
        """The lanes' axes, as many as `risk` has."""
        return self.about.axes

    @property
    def best(self) -> "Path":
        """A refit itself. A path of several penalties has none: it met no row that it held out."""
        if "lambda" not in self.axes:
            return self
        raise AttributeError(
            "a path has no best: its least risk is its weakest penalty's, and tells nothing of new"
            " rows; choose with paths.cross_validate, or take .at(lambda_=...)"
        )

    def at(
        self,
        *,
        lambda_: float | None = None,
        l1_ratio: float | None = None,
        fold: int | None = None,
        dataset: int | None = None,
        target: int | None = None,
    ) -> "Path":
        """The lanes of one penalty, fold, …, without these axes.

        Raises:
          ValueError: there is no such lane; the nearest penalty is named, and never taken.
        """
        asked = zip(axes.AXES, (target, dataset, fold, l1_ratio, lambda_), strict=True)
        found = self
        for name, wanted in asked:
            if wanted is not None:
                found = found._at(name, wanted)
        return found

    def _at(self, name: str, wanted: Any) -> "Path":
        hypers = {"l1_ratio": self.l1_ratios, "lambda": self.lambdas}
        if name not in self.axes:
            values = np.unique(hypers.get(name, []))
            if len(values) != 1:
                raise ValueError(f"{name} is no axis of this path, which has {list(self.axes)}")
            axes.value(name, wanted, values)
            return self
        axis = self.axes.index(name)
        if name in hypers:
            place = axes.value(name, wanted, hypers[name])
        else:
            place = axes.number(name, wanted, self.risk.shape[axis])
        lanes = jax.tree.map(lambda leaf: np.take(leaf, place, axis), self[:6])
        own = {
            other: values[place] if other == name else _of_lane(values, place, axis, self.risk)
            for other, values in hypers.items()
        }
        about = About(self.about.loss, tuple(axis for axis in self.axes if axis != name))
        return Path(*lanes, own["lambda"], own["l1_ratio"], about)

    def frame(self):
        """A pandas table with a row per lane: its place, its hypers, how it ended."""
        return tables.table(self.columns())

    def columns(self) -> dict[str, np.ndarray]:
        """The columns of `frame`."""
        shape = self.risk.shape
        places = dict(zip(self.axes, np.indices(shape), strict=True))
        for name, values in (("l1_ratio", self.l1_ratios), ("lambda", self.lambdas)):
            own = values[places[name]] if name in places else np.broadcast_to(values, shape)
            places[name] = own
        endings = {name: getattr(self, name) for name in ENDINGS}
        endings["status"] = np.array([status.name for status in Status])[self.status]
        ordered = {name: places[name] for name in axes.AXES if name in places}
        return {name: np.ravel(leaf) for name, leaf in (ordered | endings).items()}

    def predict(self, x: Any) -> np.ndarray:
        """Logits of every lane.

        Args:
          x: [M, D]; or [S, M, D], rows of its own for each data set.

        Returns:
          [..., M] or [..., M, C], after the lanes' axes.
        """
        w = self.params["w"]
        x = predictions.rows(x, w.shape[self.risk.ndim])
        if x.ndim == 2:
            return predictions.logits(self.params, x, self.risk.ndim)
        num = self.risk.shape[self.axes.index("dataset")] if "dataset" in self.axes else None
        if x.ndim != 3 or len(x) != num:
            raise ValueError(
                f"x must be [M, D]{f' or [{num}, M, D]' if num else ''}; its shape is {x.shape}"
            )
        at = self.axes.index("dataset")
        parts = [self.at(dataset=s).predict(own) for s, own in enumerate(x)]
        return np.stack(parts, axis=at)

    def probabilities(self, x: Any) -> np.ndarray:
        """Of label 1 [..., M], or of every class [..., M, C]; x as for `predict`.

        Raises:
          ValueError: a loss other than log_loss and softmax_cross_entropy.
        """
        return predictions.probabilities(self.about.loss, self.predict(x))

    def save(self, path: str) -> None:
        """Into one file, for `results.load`."""
        files.save(path, self)


def _of_lane(values, place, axis, risk):
    """A hyper that is each lane's own, without one axis of the lanes."""
    return np.take(values, place, axis) if values.shape == risk.shape != () else values
