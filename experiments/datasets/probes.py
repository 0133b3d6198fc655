"""The door to probes: one or more layers of features, and one or more targets, of the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.datasets import label_columns, sources
from experiments.datasets.errors import DataError, each, listed, shown
from experiments.datasets.formats import embeddings
from experiments.datasets.formats.embeddings import Held
from experiments.datasets.load import load
from experiments.datasets.table import Reading, Table, Target
from experiments.datasets.target import named


@dataclass(frozen=True)
class Probes:
    """Layers and targets of N rows; every layer is a table that carries the first target."""

    name: str
    layers: dict[str, Table]
    targets: tuple[Target, ...]

    def table(self, layer: str, target: Target) -> Table:
        """A layer with one of the targets."""
        return self.layers[layer].about(target)


def load_probes(
    files: Sequence[str],
    *,
    targets: Sequence[str] = (),
    labels: str | None = None,
    task: str | None = None,
    weights: str | None = None,
    **options,
) -> Probes:
    """Layers and targets from a built-in set, a table, or files of embeddings.

    A built-in set or a table, in any format of `load`, is one layer; several `targets` are
    columns of it, and no features of each other. Embeddings are .npy (memory-mapped), NPZ, or
    Parquet whose list columns are a layer each; several files are as many layers of the same
    rows in the same order. Beside embeddings, integers are classes, however many,
    unless hardly any recurs.

    Args:
      files: a name or path, or several files of embeddings.
      targets: names or numbers of label columns; default: the usual one, which for labels
        [N, T] means all T, called labels[0] and so on.
      labels: .npy, NPZ, CSV or Parquet with a label per row, where the embeddings hold none.
      task: as in `load`, for every target.
      weights: a column of sample weights, from where the labels are.
      **options: the other options of `load`.

    Raises:
      DataError: a mistake of the caller's or a fault in a file, in one line.
    """
    if not files:
        raise DataError("--data names nothing; give a data set or a file")
    for name in targets:
        if list(targets).count(name) > 1:
            raise DataError(f"--target names {shown(name)} twice; name each target once")
    reading = Reading(**{key: options[key] for key in Reading._fields if key in options})
    held = [sources.held(file, reading) for file in files]
    is_table = held[0] is None or bool(options.get("drop") or options.get("categorical"))
    if len(files) == 1 and is_table:
        return _of_table(files[0], targets, labels, reading, task=task, weights=weights, **options)
    layers = layers_of(files, held)
    _refuse_table_options(files[0], options)
    found = labels_of(held, labels, reading)
    names = label_columns.chosen(found, targets)
    num_rows = len(next(iter(layers.values())))
    each(lambda name: _check_length(found, name, num_rows), names)
    made = each(lambda name: label_columns.target_of(found, name, task), names)
    given = None
    if weights is not None:
        weights = named(weights, list(found.columns), "--weights")
        _check_length(found, weights, num_rows)
        given = label_columns.weights_of(found, weights)
    notes = tuple(found.source.said_of([*names, weights])) if found.source else ()
    others = {"weights": given, "notes": notes, "complete": True}
    tables = {
        name: Table.of(name, x, map("x{}".format, range(x.shape[1])), made[0], **others)
        for name, x in layers.items()
    }
    title = [Path(file).resolve().name for file in files]
    title = title[0] if len(title) == 1 else f"{title[0]} and {len(title) - 1} more"
    return Probes(title, tables, tuple(made))


def _of_table(file: str, targets, labels: str | None, reading: Reading, **options) -> Probes:
    """One layer from `load`; targets after the first are taken out of its features."""
    if labels is not None:
        raise DataError(
            f"--labels {shown(labels)} goes with embeddings, and {shown(file)} is read as a table;"
            " name its column of labels with --target"
        )
    first, *others = targets or (None,)
    names = []
    if others:
        columns = embeddings.table(sources.read(file, reading=reading), file)
        names = label_columns.chosen(columns, others)
    table = load(file, target=first, drop=(*options.pop("drop", ()), *names), **options)
    made = [Target(table.target, table.labels, table.task, table.class_names)]
    for name in names:
        if len(columns.columns[name]) != len(table.labels):
            raise DataError(
                f"--missing drop leaves {len(table.labels)} of {len(columns.columns[name])} rows,"
                " and several targets need the same rows; choose --missing impute, or one --target"
            )
    task = options["task"]
    of = label_columns.target_of
    made += each(lambda name: of(columns, name, task, whole_is_class=False), names)
    return Probes(table.name, {table.name: table}, tuple(made))


def layers_of(files: Sequence[str], held: Sequence[Held | None]) -> dict[str, np.ndarray]:
    """Every layer [N, D] under a name of its own.

    Raises:
      DataError: a table, no features, another number of rows, or a value that is no number.
    """
    pairs = []
    for file, found in zip(files, held, strict=True):
        if found is None:
            raise DataError(
                f"{shown(file)} is a table, and no layer beside others; layers are .npy, NPZ, or"
                " Parquet with list columns"
            )
        check_layers(found)
        pairs += [(file, name, features) for name, features in found.layers.items()]
    names = [name for _, name, _ in pairs]
    if len(set(names)) < len(names):  # model_a/layer0.npy and model_b/layer0.npy
        names = [f"{file}:{name}" if name != Path(file).stem else file for file, name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"--data gives {shown(name)} twice; name each layer once")
    checked = each(lambda at: embeddings.checked(pairs[at][2], names[at]), range(len(pairs)))
    for name, features in zip(names, checked, strict=True):
        if len(features) != len(checked[0]):
            raise DataError(
                f"layer {shown(name)} has {len(features)} rows and layer {shown(names[0])} has"
                f" {len(checked[0])}; give layers of the same rows in the same order"
            )
    return dict(zip(names, checked, strict=True))


def check_layers(held: Held) -> None:
    """Raises DataError for a file of embeddings that holds none."""
    if not held.layers:
        columns = listed(held.columns)
        if any(name.startswith("train_x") for name in held.columns):
            columns = "splits, as --protocol mteb takes them,"
        raise DataError(f"{shown(held.file)} holds {columns} and no features; name their array x")


def _refuse_table_options(file: str, options: dict) -> None:
    for name in ("drop", "categorical", "labels_file"):
        if options.get(name):
            raise DataError(
                f"--{name.replace('_', '-')} goes with tables, and {shown(file)} holds embeddings;"
                " leave it out" + ("; their labels are --labels" if name == "labels_file" else "")
            )


def labels_of(
    held: Sequence[Held], labels: str | None, reading: Reading, option: str = "--labels"
) -> Held:
    """Where the labels of such files are: in `labels`, or in the first that holds some."""
    if labels is not None:
        return label_columns.read(labels, reading)
    first, *rest = [found for found in held if found.columns] or [None]
    if first is None:
        raise DataError(
            f"{shown(held[0].file)} holds no labels; give them with {option} FILE (.npy, NPZ, CSV"
            " or Parquet, one per row)"
        )
    for other in rest:
        for name in set(first.usual) & set(other.columns):
            _check_same(first, other, name)
    return first


def _check_same(one: Held, other: Held, name: str) -> None:
    a, b = (np.asarray(found.columns[name], dtype=object) for found in (one, other))
    differ = np.flatnonzero(a != b) if len(a) == len(b) else []
    if len(differ):
        row = differ[0]
        raise DataError(
            f"label {shown(name)} in row {row + 1} is {shown(a[row])} in {shown(one.file)} but"
            f" {shown(b[row])} in {shown(other.file)}; give layers of the same rows in the same"
            " order, or --labels"
        )


def _check_length(found: Held, name: str, num_rows: int) -> None:
    number, is_turned = len(found.columns[name]), len(found.usual) == num_rows
    if number != num_rows:
        cure = "its array is [targets, rows]: transpose it" if is_turned else "give one per row"
        raise DataError(
            f"{number} values of {shown(name)} in {shown(found.file)}, but {num_rows} rows of"
            f" features; {cure}"
        )
