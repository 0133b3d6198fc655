"""From files to splits: the rows of every model on every task."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.datasets import DataError, builtin, label_columns, probes, sources
from experiments.datasets.errors import shown
from experiments.datasets.formats import embeddings, npz
from experiments.datasets.table import Reading
from experiments.datasets.target import class_name
from experiments.protocols import splits as making
from experiments.protocols.found import Splits
from experiments.protocols.settings import ProtocolSettings
from experiments.protocols.splits import Part
from experiments.protocols.table import PROTOCOLS

# By role: how an NPZ of splits may call it, before _x and _y.
NAMES = {"train": ("train",), "validation": ("dev", "validation", "val"), "test": ("test",)}


class Entry(NamedTuple):
    """One model's rows of one task."""

    model: str
    splits: Splits


def entries(settings: ProtocolSettings) -> tuple[list[Entry], list[str]]:
    """Every model on every task, and what was noted on the way.

    A file that holds train_x and train_y (dev_x, dev_y, test_x, test_y, label_names) is a model on
    a task, and called TASK_MODEL.npz or MODEL/TASK.npz. Other files are as of `load_probes`: each
    layer a model and each target a task, with test and validation rows in files of their own.

    Raises:
      DataError: files that don't fit each other, or labels that no training row has.
    """
    bundles, notes = [_bundle(file) for file in settings.data], []
    if all(bundles):
        for option in ("test", "validation", "labels", "target"):
            if getattr(settings, option):
                raise DataError(f"--{option}: the files of --data hold their own; leave it out")
        pairs, drop = zip(settings.data, bundles, strict=True), settings.drop_classes
        found = [_of_bundle(file, held, drop) for file, held in pairs]
    elif any(bundles):
        odd = settings.data[list(map(bool, bundles)).index(False)]
        raise DataError(f"{shown(odd)} holds no train_x and train_y, as others do; run it alone")
    else:
        found, notes = _of_probes(settings)
    asked, share = PROTOCOLS[settings.protocol], settings.test_fraction
    for at, (model, splits) in enumerate(found):
        if splits.train.labels.ndim == 2 and not asked.several_labels:
            raise DataError(
                f"{splits.name} has several labels a row, and --protocol {settings.protocol} takes"
                " one; give one, or take --protocol dinov3"
            )
        if asked.needs_test and splits.test is None:
            splits = making.with_test(splits, settings.seed, share)
            notes.append(f"{splits.name} has no test rows: {share:g} of its rows are set aside")
        found[at] = Entry(model, splits)
    told = [(entry.splits.name, entry.model) for entry in found]
    for task, model in told:
        if told.count((task, model)) > 1:
            raise DataError(f"--data gives {task} by {model} twice; name each file otherwise")
    return found, list(dict.fromkeys(notes))


def _bundle(file: str) -> dict[str, np.ndarray] | None:
    """The arrays of an NPZ that holds splits; None for anything else."""
    path = None if file in builtin.BUILTIN else sources.existing(file)
    if path is None or not path.is_file() or embeddings.start(path)[:2] != b"PK":
        return None
    arrays = npz.archive(path, path)
    return arrays if {"train_x", "train_y"} <= set(arrays) else None


def _of_bundle(file: str, held: dict[str, np.ndarray], drop: Sequence[str]) -> Entry:
    stem, raw = Path(file).stem, {}
    task, _, model = stem.rpartition("_")
    task, model = (task, model) if task else (stem, Path(file).resolve().parent.name)
    for role, names in NAMES.items():
        name = next((name for name in names if f"{name}_x" in held), None)
        if name is None:
            continue
        if f"{name}_y" not in held:
            raise DataError(f"{shown(file)} holds {name}_x and no {name}_y; add its labels")
        x, labels = embeddings.checked(held[f"{name}_x"], f"{stem} {name}_x"), held[f"{name}_y"]
        if labels.ndim != 2:
            beside = embeddings.Held(file, {}, {f"{name}_y": labels})
            labels = np.asarray(label_columns.values_of(beside, f"{name}_y"))
        raw[role] = Part(x, labels)
    given = list(map(str, held.get("label_names", ())))
    if raw["train"].labels.ndim == 2:
        num = raw["train"].labels.shape[1]
        names = given or [f"label {t}" for t in range(num)]
        return Entry(model, making.of_parts(task, raw, names, drop))
    known = np.unique(raw["train"].labels)
    are_codes = known.dtype.kind in "iu" and known[0] >= 0 and known[-1] < len(given)
    called = dict(enumerate(given)) if are_codes else {}
    parts = {
        role: Part(x, np.array([called.get(v, class_name(v)) for v in labels], dtype=object))
        for role, (x, labels) in raw.items()
    }
    names = [called.get(value, class_name(value)) for value in known]
    return Entry(model, making.of_parts(task, parts, names, drop))


def _of_probes(settings) -> tuple[list[Entry], list[str]]:
    """Of plain files: each layer is a model, each target a task."""
    found = probes.load_probes(
        settings.data, targets=settings.target, labels=settings.labels, **settings.reading()
    )
    tables = list(found.layers.values())
    numbers = [target.name for target in found.targets if target.task == "regression"]
    if numbers:
        raise DataError(
            f"target {shown(numbers[0])} is a measurement, and --protocol {settings.protocol} takes"
            " classes; choose another --target, or --task multiclass"
        )
    if not all(isinstance(table.features, np.ndarray) for table in tables):
        raise DataError(
            f"--protocol {settings.protocol} takes features as they are, and {shown(found.name)}"
            " has categories or gaps; give numbers alone"
        )
    roles = {role: _others(role, settings, found) for role in ("validation", "test")}
    names = [(target.name, target.class_names) for target in found.targets]
    labels = [np.array(t.class_names, dtype=object)[t.labels] for t in found.targets]
    flags = all(set(of) <= {"0", "1"} for _, of in names)
    if PROTOCOLS[settings.protocol].several_labels and len(names) > 1 and flags:
        names = [(found.name, [name for name, _ in names])]
        labels = [np.stack(labels, axis=1).astype(int)]
        roles = {r: of and (of[0], [np.stack(of[1], 1).astype(int)]) for r, of in roles.items()}
    made = []
    for t, (task, class_names) in enumerate(names):
        for layer, table in enumerate(tables):
            parts = {"train": Part(np.asarray(table.features), labels[t])}
            parts |= {role: Part(of[0][layer], of[1][t]) for role, of in roles.items() if of}
            splits = making.of_parts(task, parts, class_names, settings.drop_classes)
            made.append(Entry(table.name, splits))
    return made, list(tables[0].notes)


def _others(role: str, settings, like: probes.Probes) -> tuple[list, list] | None:
    """Layers, and names of classes for each target, of another role's files."""
    files, labels = getattr(settings, role), getattr(settings, f"{role}_labels")
    if not files:
        return None
    reading = Reading(*(getattr(settings, name) for name in Reading._fields))
    held = [sources.held(file, reading) for file in files]
    layers = list(probes.layers_of(files, held).values())
    if len(layers) != len(like.layers):
        raise DataError(
            f"--{role} has {len(layers)} layers and --data {len(like.layers)}; give the same"
            " ones in the same order"
        )
    source = probes.labels_of(held, labels, reading, f"--{role}-labels")
    names = label_columns.chosen(source, settings.target)
    if len(names) != len(like.targets):
        raise DataError(
            f"--{role} has {len(names)} targets and --data {len(like.targets)}; name them with"
            " --target"
        )
    values = [label_columns.values_of(source, name) for name in names]
    return layers, [np.array([class_name(v) for v in of], dtype=object) for of in values]
