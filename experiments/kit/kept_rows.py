"""Which rows a command keeps, and what they weigh: classes left out, weights within reach."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from experiments.datasets import DataError, Table, load
from experiments.datasets.errors import did_you_mean, listed, shown
from experiments.datasets.probes import Probes
from experiments.datasets.table import Target
from experiments.kit.problems import target_of
from experiments.kit.settings import TableSettings

FAR = 32  # the heaviest row weighs from 2^-32 to 2^32: in float32 no sum of rows ends, nor vanishes
LEAST = 2.0**-90  # of the heaviest: no sum can tell less from 0, and float32 holds it


def read(name: str, settings: TableSettings) -> Table:
    """The table of a data set or file, as the settings ask for it.

    Raises:
      DataError: as of `load` and `of_table`.
    """
    table = load(name, target=settings.target, **settings.reading())
    return of_table(table, settings.drop_classes, settings.task)


def of_table(table: Table, drop_classes: Sequence[str] = (), task: str | None = None) -> Table:
    """The table without the rows of the classes named, its weights within float32's reach.

    Args:
      table: what was read.
      drop_classes: names of classes, or target=name; one name may join several with commas.
      task: what the caller asked for; None infers it from the classes that are left.

    Raises:
      DataError: no such class, or fewer than two are left.
    """
    probes = Probes(table.name, {table.name: table}, (target_of(table),))
    return of_probes(probes, drop_classes, task).layers[table.name]


def of_probes(probes: Probes, drop_classes: Sequence[str] = (), task: str | None = None) -> Probes:
    """As `of_table`; a row of many targets goes where one of its classes does."""
    targets, kept, notes = _without(probes.targets, drop_classes, task)
    layers = {}
    for name, table in probes.layers.items():
        features, weights, said = table.features, table.weights, [*table.notes, *notes]
        if not kept.all():
            features, weights = features[kept], None if weights is None else weights[kept]
        if weights is not None:
            weights, more = _within_reach(weights)
            said += more
        others = {"features": features, "weights": weights, "notes": tuple(said)}
        layers[name] = table.about(targets[0], **others)
    return dataclasses.replace(probes, layers=layers, targets=tuple(targets))


def _within_reach(weights: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Weights times a power of two, which changes no mean, and what to say of it."""
    if not weights.any():
        raise DataError("--weights are 0 in every row that is left; give some row a weight")
    notes, power = [], int(np.floor(np.log2(weights.max())))
    if abs(power) > FAR:
        weights = np.ldexp(weights, -power)
        notes.append(
            f"weights are divided by 2^{power}, which no mean can tell; sums of weights, and so C ="
            " 1/(lambda x their sum), are those of the divided ones"
        )
    light = (weights > 0) & (weights < LEAST * weights.max())
    if light.any():
        weights = np.where(light, 0, weights)
        notes.append(
            f"{light.sum()} rows weigh less than 1e-27 of the heaviest, and count as absent"
        )
    return weights, notes


def _without(targets: Sequence[Target], given: Sequence[str], task: str | None):
    """Targets without the classes, whether each row is kept [N], and what to say of it."""
    pairs = list(zip(targets, _chosen(targets, given), strict=True))
    gone = [np.isin(target.labels, codes) for target, codes in pairs]
    kept = ~np.any(gone, axis=0)
    notes = [
        f"{rows.sum()} rows left out for {listed(target.class_names[c] for c in codes)} in"
        f" {shown(target.name)}"
        for (target, codes), rows in zip(pairs, gone, strict=True)
        if codes
    ]
    return [_left(target, codes, kept, task) for target, codes in pairs], kept, notes


def _chosen(targets: Sequence[Target], given: Sequence[str]) -> list[list[int]]:
    """For each target the codes of the classes that are named, in ascending order."""
    known = {}
    for at, target in enumerate(targets):
        for code, name in enumerate(target.class_names):
            for word in (name, f"{target.name}={name}"):
                known.setdefault(word, []).append((at, code))
    words = [w for name in given for w in ([name] if name in known else name.split(","))]
    unknown = [word for word in words if word not in known]
    if unknown:
        classes = list(dict.fromkeys(name for target in targets for name in target.class_names))
        have = f"the classes are {listed(classes)}"
        raise DataError(
            f"--drop-classes: no class {listed(unknown)}{did_you_mean(unknown[0], classes)};"
            f" {have if classes else 'the target is a number, and has no classes'}"
        )
    named = {pair for word in words for pair in known[word]}
    return [sorted(code for t, code in named if t == at) for at in range(len(targets))]


def _left(target: Target, out: list[int], kept: np.ndarray, task: str | None) -> Target:
    if not out:
        return target._replace(labels=target.labels[kept])
    names = np.delete(np.array(target.class_names, dtype=object), out)
    if len(names) < 2:
        raise DataError(
            f"--drop-classes leaves {len(names)} of the {len(target.class_names)} classes of"
            f" {shown(target.name)}; leave two at least"
        )
    labels = np.searchsorted(np.delete(np.arange(len(target.class_names)), out), target.labels)
    kind = "binary" if len(names) == 2 and task is None else target.task
    return Target(target.name, labels[kept].astype(np.int32), kind, tuple(names))
