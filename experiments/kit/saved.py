"""A model in one file: what it was trained on and for, so that it can be applied to new rows."""

import dataclasses
import os
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd

from experiments.datasets import DataError, Encoder, Table
from experiments.datasets.errors import listed, shown
from experiments.kit.problems import Problem
from jaxlr.pytypes import Params
from jaxlr.results import files

VERSION = 1
FAR = 1e6  # deviations from 0 to a column's mean, from which on own units cost six digits
_BLOCK = 4096  # rows in float64 at a time


@dataclasses.dataclass(frozen=True)
class Model:
    """What a training left.

    Attributes:
      task: binary, multiclass or regression.
      target: its name.
      class_names: [C], () for regression.
      target_scale: (mean, deviation) of a regression's target, else (0, 1).
      data: the name of the table, or of the layer.
      encoder: makes features of a table.
      params: {"w": [D] or [D, C], "b": [] or [C]}, or a list of an mlp's stages, for features and
        a regression's target in standardised units.
      certificate: how far from the optimum it is; None where nothing is known.
      provenance: what was asked, and of which versions.
    """

    task: str
    target: str
    class_names: tuple[str, ...]
    target_scale: tuple[float, float]
    data: str
    encoder: Encoder
    params: Params
    certificate: dict | None = None
    provenance: dict = dataclasses.field(default_factory=dict)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """[D] names of the encoded features."""
        return self.encoder.names

    @property
    def is_linear(self) -> bool:
        """Whether each feature has a weight."""
        return isinstance(self.params, dict)


class OwnUnits(NamedTuple):
    """A linear model for features as a table holds them, gaps filled by the encoder's fills."""

    w: np.ndarray  # [D] or [D, C]
    b: np.ndarray  # [] or [C]
    notes: tuple[str, ...]  # what these units can't say


def of(
    problem: Problem,
    params: Params,
    *,
    certificate: dict | None = None,
    provenance: dict | None = None,
) -> Model:
    """The model that these params are, on the problem's features."""
    table = problem.table
    return Model(
        task=table.task,
        target=table.target,
        class_names=tuple(table.class_names),
        target_scale=problem.target_scale,
        data=table.name,
        encoder=problem.encoder,
        params=jax.tree.map(np.asarray, params),
        certificate=certificate,
        provenance=provenance or {},
    )


def save(path: str | os.PathLike, model: Model) -> None:
    """Writes one NPZ without pickle, beside its goal first."""
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    files.save(path, {"model": VERSION, **fields, "encoder": model.encoder._asdict()})


def keep(folder: Path, model: Model) -> None:
    """Into a result folder: model.npz, and where it is linear coefficients.csv."""
    save(folder / "model.npz", model)
    if model.is_linear:
        coefficients(model).to_csv(folder / "coefficients.csv", index=False)


def load(path: str | os.PathLike) -> Model:
    """What `save` kept, with the same bits.

    Raises:
      DataError: no such file, none of these, cut short, or of another version; in one line.
    """
    try:
        told = files.load(Path(path))
    except OSError as error:
        cure = "give a result folder, or a model.npz in one"
        raise DataError(f"cannot read {shown(str(path))}: {error.strerror}", cure) from error
    except ValueError as error:
        raise DataError(str(error)) from error
    version = told.pop("model", None) if isinstance(told, dict) else None
    if version is None:
        raise DataError(f"{shown(str(path))} holds no saved model; give the model.npz of a result")
    if version != VERSION:
        raise DataError(
            f"{shown(str(path))} is a model of version {version}, and this jaxlr reads {VERSION};"
            " load it with the version that saved it"
        )
    return Model(**{**told, "encoder": Encoder(**told["encoder"])})


def scores(model: Model, table: Table) -> np.ndarray:
    """[N] or [N, C] float64: logits, or a regression's predictions in the target's units.

    Raises:
      DataError: as of `Encoder.apply`.
    """
    features = model.encoder.apply(table)
    *hidden, last = [model.params] if model.is_linear else model.params
    found = []
    for start in range(0, len(features), _BLOCK):
        x = features[start : start + _BLOCK].astype(np.float64)
        for stage in hidden:
            x = np.tanh(x @ stage["w"] + stage["b"])
        found.append(x @ np.float64(last["w"]) + last["b"])
    mean, deviation = model.target_scale
    return np.concatenate(found) * deviation + mean


def predictions(model: Model, scores: np.ndarray) -> np.ndarray:
    """[N] names of the most probable classes, or a regression's values."""
    if model.task == "regression":
        return scores
    codes = scores > 0 if model.task == "binary" else scores.argmax(axis=-1)
    return np.array(model.class_names, dtype=object)[codes.astype(int)]


def own_units(model: Model) -> OwnUnits:
    """Weights and intercept that give the same scores, but for rounding, without any scaling.

    A regression's scores are then in the target's units. A column that was constant in training
    has no weight.

    Raises:
      ValueError: an mlp, whose features have no weight each.
    """
    w, b = _per_deviation(model)
    encoder = model.encoder
    rest = len(w) - len(encoder.numbers)
    shift = np.append(encoder.means / encoder.scales, np.zeros(rest))
    own = (w.T / np.append(encoder.scales, np.ones(rest))).T
    constant = [n for n, s in zip(encoder.numbers, encoder.scales, strict=True) if np.isinf(s)]
    far = [encoder.numbers[j] for j in np.flatnonzero(np.abs(shift) > FAR)]
    notes = []
    if constant:
        notes.append(f"no weight, as constant in the training rows: {listed(constant)}")
    if far:
        notes.append(
            f"{listed(far)}: the mean is over a million standard deviations from 0, so that scores"
            " in own units lose six digits and more"
        )
    if encoder.told:
        notes.append(f"an empty cell counts as the training median: {listed(encoder.told)}")
    return OwnUnits(own, b - shift @ w, tuple(notes))


def coefficients(model: Model) -> pd.DataFrame:
    """A row for each class and feature, the intercept last.

    Columns: feature; class (of two the second, whose log odds it is; the target of a regression);
    weight, per standard deviation of a number; own, per unit of the table; kind: number,
    indicator, category or intercept. A regression's are both in the target's units.

    Raises:
      ValueError: an mlp, whose features have no weight each.
    """
    names = {"binary": model.class_names[1:], "multiclass": model.class_names}
    names = names.get(model.task, (model.target,))
    kinds = [*(kind for _, _, kind in model.encoder.sources), "intercept"]
    weight, own = (  # [C, D + 1]
        np.vstack([w.reshape(len(w), -1), b.reshape(1, -1)]).T
        for w, b in (_per_deviation(model), own_units(model)[:2])
    )
    return pd.DataFrame(
        {
            "feature": [*model.feature_names, "intercept"] * len(names),
            "class": np.repeat(names, len(kinds)),
            "weight": weight.ravel(),
            "own": own.ravel(),
            "kind": kinds * len(names),
        }
    )


def _per_deviation(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercept for standardised features, in the target's units."""
    if not model.is_linear:
        raise ValueError("an mlp has no weight for each feature; of a linear model they are told")
    mean, deviation = model.target_scale
    w, b = (np.float64(model.params[name]) for name in ("w", "b"))
    return w * deviation, b * deviation + mean
