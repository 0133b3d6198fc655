"""From new rows to predictions: which model, what fits it, what it says and how right that is."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.datasets import DataError, new_rows
from experiments.datasets.errors import did_you_mean, listed, shown
from experiments.datasets.new_rows import NewRows
from experiments.datasets.table import Reading
from experiments.kit import commands, pages, problems, saved, words
from experiments.kit.clock import Clock
from experiments.kit.mistakes import OutputError
from experiments.kit.saved import Model
from experiments.predict import judged
from experiments.predict.settings import Settings

SUFFIXES = (".csv", ".parquet")
SAID = pages.macros("predict/words.html", plain=True)


def run(settings: Settings, clock: Clock) -> int:
    """From a file to a file; the exit status."""
    goal = free_file(settings.out, settings.overwrite)
    model = saved.load(model_file(settings.folder, settings.model))
    reading = Reading(settings.header, settings.missing_values, settings.comment, settings.decimal)
    with clock.part("reading"):
        rows = new_rows.read(settings.data, model.encoder, model.target, model.data, reading)
    check(rows, model, settings.missing_columns)
    print(SAID.introduction(rows.table, model), *rows.notes, sep="\n")
    commands.remark(remarks(rows))
    scores = saved.scores(model, rows.table)
    write(goal, predictions(model, scores))
    if rows.labels is not None:
        print(judged.sentence(rows.labels, model, scores))
    print(settings.out)
    return 0


def free_file(out: str, overwrite: bool) -> Path:
    """The file to write.

    Raises:
      OutputError: it exists, or has another suffix.
    """
    path = Path(out).expanduser()
    if path.suffix not in SUFFIXES:
        raise OutputError(f"--out {out}: must end with {' or '.join(SUFFIXES)}")
    if path.is_dir() or (os.path.lexists(path) and not overwrite):
        cure = "" if path.is_dir() else ", or say --overwrite"
        raise OutputError(f"--out {out}: exists; choose another file{cure}")
    return path


def model_file(folder: str, name: str | None) -> Path:
    """The file of the model that is meant.

    Raises:
      DataError: the folder has none of that name.
    """
    path = Path(folder).expanduser()
    if path.is_file() and name is None:
        return path
    known = sorted(file.stem for file in path.glob("models/*.npz"))
    file = path / "model.npz" if name is None else path / "models" / f"{name}.npz"
    if file.is_file():
        return file
    if not path.is_dir():
        raise DataError(f"no result folder {shown(folder)}; give one that holds a model.npz")
    if name is None:
        choose = "give a result folder, of a run that chose a model"
        if known:
            choose = f"choose one with --model: {listed(known)}"
        raise DataError(f"{shown(folder)} holds no model.npz; {choose}")
    have = f"its models are {listed(known)}" if known else "it holds only its model.npz"
    raise DataError(f"--model: no model {shown(name)}{did_you_mean(name, known)}; {have}")


def check(rows: NewRows, model: Model, missing_columns: str) -> None:
    """Raises DataError where the file lacks columns, unless they are to be imputed."""
    if not rows.missing:
        return
    number, needed = len(rows.missing), len(model.encoder.columns)
    if number == needed:
        raise DataError(
            f"{shown(rows.table.name)} has none of the model's {needed} columns"
            f" ({listed(rows.missing)}); its own are {listed(rows.extra)}"
        )
    if missing_columns == "refuse":
        near = did_you_mean(rows.missing[0], rows.extra)
        raise DataError(
            f"{shown(rows.table.name)} lacks {words.count(number, 'column')} of the model's"
            f" {needed}: {listed(rows.missing)}{near}; add them, or say --missing-columns impute"
        )


def remarks(rows: NewRows) -> list[str]:
    """What in the file the model has no use for, or fills."""
    notes = [SAID.ignored(rows.extra)] * bool(rows.extra)
    notes += [SAID.lacking(rows.missing)] * bool(rows.missing)
    for name, counts in rows.unknown.items():
        texts = {text: number for text, number in counts.items() if text is not None}
        if texts:
            notes.append(SAID.unmet(name, texts))
        if None in counts:
            notes.append(SAID.gaps(name, counts[None]))
    return notes


def predictions(model: Model, scores: np.ndarray) -> pd.DataFrame:
    """A row each: row, prediction, and probability_CLASS for every class."""
    found = {"row": np.arange(1, len(scores) + 1), "prediction": saved.predictions(model, scores)}
    if model.task != "regression":
        shares = problems.probabilities(model.task, scores)
        found |= {f"probability_{n}": shares[:, c] for c, n in enumerate(model.class_names)}
    return pd.DataFrame(found)


def write(goal: Path, found: pd.DataFrame) -> None:
    """Beside the goal, then renamed.

    Raises:
      OutputError: the folder can't be written.
    """
    fresh = goal.with_name(f".{goal.stem}.{os.getpid()}{goal.suffix}")
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        (found.to_csv if goal.suffix == ".csv" else found.to_parquet)(fresh, index=False)
        fresh.replace(goal)
    except OSError as error:
        raise OutputError(
            f"--out {goal}: cannot be written ({error.strerror}); choose another file"
        ) from None
    finally:
        if fresh.parent.is_dir():
            fresh.unlink(missing_ok=True)
