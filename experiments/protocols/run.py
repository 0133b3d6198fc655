"""A protocol from files to page: every model on every task, and the board of their scores."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.datasets import Encoder, Table
from experiments.datasets.table import Target
from experiments.kit import class_weights, commands, outputs, saved, side_by_side, words
from experiments.kit.clock import Clock
from experiments.kit.mistakes import SettingError
from experiments.kit.provenance import device, provenance
from experiments.protocols import page, reading, remarks
from experiments.protocols.found import Found
from experiments.protocols.reading import Entry
from experiments.protocols.settings import ProtocolSettings, options
from jaxlr import paths
from jaxlr.pytypes import Params

Finding = tuple[Entry, Found]


def run(settings: ProtocolSettings, clock: Clock, within: Path) -> int:
    """The protocol on every model and task; the exit status.

    Args:
      settings: what was asked.
      clock: what hears of the time.
      within: where results are until they are complete.

    Raises:
      CallerError: a mistake in options or files, before any work.
    """
    rule, told = module(settings.protocol), options(settings)
    if "class_weight" in told:
        told["class_weight"] = class_weights.asked(settings.class_weight)
    with outputs.results(settings, within=within) as folder:
        with clock.part("reading"):
            entries, notes = reading.entries(settings)
        noted = [*notes, *remarks.of(settings.protocol, entries)]
        commands.remark(noted)
        print(introduction(settings, entries))
        findings, ended = [], []
        with clock.bar(len(entries), "evaluations") as bar:

            def hears(number):
                side_by_side.go_on()
                ended.append(number)
                bar.set_postfix_str(f"{sum(ended):,} exact fits")

            def evaluated(entry):
                with paths.progress(hears):
                    return rule.run(entry.splits, **told)

            for found in side_by_side.each(evaluated, entries):
                findings.append((entries[len(findings)], found))
                bar.update()
        rows(findings).to_parquet(folder / "results.parquet", index=False)
        keep(folder, settings, findings)
        summary = summarise(settings, findings, noted) | clock.summary()
        with clock.part("drawing"):
            page.write(folder, settings, rule, findings, summary, clock)
        outputs.write_json(folder / "summary.json", summary | clock.summary())
    print(page.as_text(findings), clock, f"{settings.out}/report.html", sep="\n")
    return 0


def module(protocol: str):
    """The module of a protocol, which has its `run`.

    Raises:
      SettingError: something that it imports is not installed.
    """
    try:
        return importlib.import_module(f"experiments.protocols.{protocol.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise SettingError(
            f"--protocol {protocol} needs {error.name}, which is not installed:"
            " pip install '.[experiments]'"
        ) from error


def rows(findings: list[Finding]) -> pd.DataFrame:
    """A row per fit that is known: each penalty where one is chosen, else each experiment."""
    tables = []
    for entry, found in findings:
        lanes = found.table if found.curve is None else found.curve
        tables.append(lanes.assign(model=entry.model, task=entry.splits.name))
    whole = pd.concat(tables, ignore_index=True)
    return whole[["model", "task", *whole.columns.drop(["model", "task"])]]


def keep(folder: Path, settings: ProtocolSettings, findings: list[Finding]) -> None:
    """Saves the weights of every answer that is one: the first as model.npz, of several all."""
    kept = [(entry, found) for entry, found in findings if found.params is not None]
    kept = [(entry, found) for entry, found in kept if np.ndim(entry.splits.train.labels) == 1]
    for entry, found in kept:
        model = model_of(entry, found, provenance(settings))
        if len(kept) > 1:
            (folder / "models").mkdir(exist_ok=True)
            name = re.sub(r"[^\w.-]+", "-", f"{entry.splits.name}_{entry.model}").strip(".-")
            saved.save(folder / "models" / f"{name}.npz", model)
            export(folder / "models" / f"{name}.safetensors", found.params)
        if found is kept[0][1]:
            saved.keep(folder, model)
            export(folder / "model.safetensors", found.params)


def export(file: Path, params: Params) -> None:
    """Writes w and b for other libraries, where safetensors is installed."""
    if importlib.util.find_spec("safetensors") is not None:
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(leaf) for name, leaf in params.items()}, file)


def model_of(entry: Entry, found: Found, made: dict) -> saved.Model:
    """The model that a protocol's answer is, for `experiments.predict`."""
    splits = entry.splits
    kind = "binary" if len(splits.class_names) == 2 else "multiclass"
    names = [f"x{column}" for column in range(splits.train.x.shape[1])]
    target = Target(splits.name, splits.train.labels, kind, splits.class_names)
    table = Table.of(entry.model, splits.train.x, names, target, complete=True)
    encoder = Encoder.as_it_is(table, np.arange(1))
    proof = {"worst_gap": found.worst_gap, **(found.chosen or {})}
    params = found.params
    if kind == "binary" and np.ndim(params["w"]) == 2:  # two logits, of which one is the difference
        params = {name: np.asarray(leaf, np.float64) for name, leaf in params.items()}
        params = {name: leaf[..., 1] - leaf[..., 0] for name, leaf in params.items()}
    about = kind, splits.name, splits.class_names, (0.0, 1.0), entry.model, encoder, params
    return saved.Model(*about, certificate=proof, provenance=made)


def introduction(settings: ProtocolSettings, entries: list[Entry]) -> str:
    """What is about to run."""
    lines = [f"--protocol {settings.protocol}, on {device()}"]
    for model, splits in entries:
        parts = {role: getattr(splits, role) for role in ("train", "validation", "test")}
        counts = [f"{len(rows.x):,} {role}" for role, rows in parts.items() if rows is not None]
        classes = words.count(len(splits.class_names), "class", "classes")
        lines.append(f"{splits.name} by {model}: {classes}, {words.listed(counts)} rows")
    return "\n".join(lines[:12] + [f"and {len(lines) - 12} more"] * (len(lines) > 12))


def summarise(settings: ProtocolSettings, findings: list[Finding], noted: list[str]) -> dict:
    """What summary.json holds."""
    each = [
        {
            "model": entry.model,
            "task": entry.splits.name,
            "scores": found.scores,
            "published": found.published,
            "chosen": found.chosen,
            "statuses": dict(found.statuses or {}),
            "worst_gap": found.worst_gap,
            "notes": list(found.notes),
            "experiments": found.table.to_dict("records"),
        }
        for entry, found in findings
    ]
    statuses = page.statuses(findings)
    return {
        **provenance(settings),
        "num_lanes": sum(statuses.values()) or len(rows(findings)),
        "statuses": dict(statuses),
        "best": max(each, key=lambda one: next(iter(one["scores"].values()))),
        "evaluations": each,
        "data": {"remarks": noted},
    }
