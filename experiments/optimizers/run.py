"""The whole comparison, from data to page."""

import math
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import jax
import pandas as pd

from experiments.kit import (
    class_weights,
    commands,
    kept_rows,
    outputs,
    pages,
    partial,
    problems,
    saved,
    suspects,
)
from experiments.kit.checkpoints import Checkpoints
from experiments.kit.clock import Clock
from experiments.kit.provenance import device, provenance
from experiments.kit.report import weights
from experiments.optimizers import page, ravine, study
from experiments.optimizers.ranking import lanes, ranking
from experiments.optimizers.settings import Settings, check
from experiments.optimizers.words import rows

SAID = pages.macros("optimizers/words.html", plain=True)


def run(settings: Settings, clock: Clock) -> int:
    """The whole comparison, from data to page; the exit status."""
    settings = check(settings)
    with partial.claimed(settings) as kept:
        if kept.complete:
            print(f"{settings.out} is complete: nothing was left to do")
            return 0
        return compared(replace(settings, resume=False), clock, kept)


def compared(settings: Settings, clock: Clock, kept: partial.Partial) -> int:
    """The comparison itself; what is said of results is as if it was never interrupted."""
    with outputs.results(settings, within=kept.folder) as folder:
        with clock.part("reading"):
            tables = [kept_rows.read(name, settings) for name in settings.data]
        benches = benched(settings, tables)
        print(SAID.introduction(settings, benches, device()))
        remarks = class_weights.remarks(settings.class_weight) + suspect(benches)
        commands.remark(remarks)
        studied, walks, models = compare(settings, benches, clock, kept)
        lesson = ravine.lesson()
        tables = [lanes(on, ran) for on, trials, _ in studied for ran in trials]
        pd.concat(tables, ignore_index=True).to_parquet(folder / "results.parquet", index=False)
        files = keep(folder, models)
        summary = summarise(settings, studied, lesson, walks, remarks) | clock.summary()
        with clock.part("drawing"):
            weighed = {name: weights.told(model, files[name]) for name, model in models.items()}
            page.write(folder / "report.html", studied, lesson, walks, weighed, summary, clock)
        outputs.write_json(folder / "summary.json", summary | clock.summary())
        kept.written.touch()
    print(*(SAID.conclusion(on, rows(ranked)) for on, _, ranked in studied), sep="\n")
    print(clock, f"{settings.out}/report.html", sep="\n")
    return 0


def benched(settings: Settings, tables) -> list[study.Bench]:
    """What all optimizers on each data set share."""
    split_key, bench_key = jax.random.split(jax.random.key(settings.seed))
    names = [table.name for table in tables]
    if len(set(names)) < len(names):  # two files of one name in different folders
        names = list(settings.data)
    parts = [problems.prepare(table, split_key, settings.test_fraction) for table in tables]
    weigh = class_weights.asked(settings.class_weight)
    return [
        study.bench(name, problem, settings, bench_key, weigh)
        for name, problem in zip(names, parts, strict=True)
    ]


def compare(settings: Settings, benches, clock: Clock, kept: partial.Partial | None = None):
    """[(bench, trials in rank order, ranking)], tuned walks down the ravine, {data set: model}.

    Args:
      settings: which optimizers, and how many points.
      benches: one for each data set.
      clock: shows the progress.
      kept: where sweeps that have ended are kept, and found again.
    """
    studied, models = [], {}
    runs = (len(benches) + 1) * len(settings.optimizers) + len(benches)
    with clock.bar(runs, "runs") as bar:
        for place, on in enumerate(benches):
            trials = {}
            for name in settings.optimizers:
                checkpoints = kept and partial_of(kept, place, name)
                trials[name] = study.trial(on, name, settings.points, settings.seed, checkpoints)
                bar.update()
            ranked = ranking(on, list(trials.values()))
            studied.append((on, [trials[name] for name in ranked["optimizer"]], ranked))
            models[on.name] = study.refit(on, studied[-1][1][0], settings)
            bar.update()
        walks = []
        for name in settings.optimizers:
            walks.append(ravine.tuned(name, settings.points, settings.seed))
            bar.update()
    return studied, walks, models


def partial_of(kept: partial.Partial, place: int, optimizer: str):
    """The checkpoints of an optimizer on the data set at a place, by seed: each at its end."""
    return lambda seed: Checkpoints(kept, f"{place}-{optimizer}-{seed}", math.inf)


def keep(folder: Path, models: dict[str, saved.Model]) -> dict[str, str]:
    """Saves a model alone as model.npz, of several each as models/NAME.npz: {data set: file}."""
    if len(models) == 1:
        saved.keep(folder, *models.values())
        return dict.fromkeys(models, "model.npz")
    (folder / "models").mkdir()
    files = {name: f"models/{quote(name, safe=' ')}.npz" for name in models}
    for name, model in models.items():
        saved.save(folder / files[name], model)
    return files


def suspect(benches) -> list[str]:
    """What a person should know of columns and classes before believing a figure."""
    notes = []
    for on in benches:
        target = problems.target_of(on.problem.table)
        found = suspects.notes(on.problem.table, [target])
        found += suspects.few(target, on.judged_labels, "validation rows", "take more --seeds")
        notes += [f"{on.name}: {note}" for note in found]
    return notes


def summarise(settings: Settings, studied, lesson, walks, remarks: list[str]) -> dict:
    """What summary.json holds."""
    trials = sum(len(trials) for _, trials, _ in studied)
    return {
        **provenance(settings),
        "num_lanes": trials * settings.points * settings.seeds,
        "num_compilations": trials,
        "best": {on.name: ranked.iloc[0].to_dict() for on, _, ranked in studied},
        "rankings": {on.name: ranked.to_dict("records") for on, _, ranked in studied},
        "remarks": remarks,
        "start_losses": {on.name: on.start_loss for on, _, _ in studied},
        "guessing": {on.name: on.guessing for on, _, _ in studied},
        "ravine": {
            "steps": ravine.STEPS,
            "lesson": [walk.told() for walk in lesson],
            "tuned": [walk.told() for walk in walks],
        },
    }
