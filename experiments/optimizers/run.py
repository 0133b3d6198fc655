"""The whole comparison, from data to page."""

import jax
import pandas as pd

from experiments.datasets import load
from experiments.kit import commands, kept_rows, outputs, problems, suspects, words
from experiments.kit.clock import Clock
from experiments.kit.provenance import device, provenance
from experiments.optimizers import page as optimizer_page
from experiments.optimizers import ranking as optimizer_ranking
from experiments.optimizers import ravine, study
from experiments.optimizers.settings import Settings, check


def run(settings: Settings, clock: Clock) -> int:
    """The whole comparison, from data to page; the exit status."""
    settings, finished = check(settings), []
    with outputs.folder(
        settings.out,
        overwrite=settings.overwrite,
        finished=finished,
        provenance=provenance(settings),
    ) as folder:
        split_key, bench_key = jax.random.split(jax.random.key(settings.seed))
        tables = [
            kept_rows.of_table(
                load(name, target=settings.target, **settings.reading()),
                settings.drop_classes,
                settings.task,
            )
            for name in settings.data
        ]
        names = [table.name for table in tables]
        if len(set(names)) < len(names):  # two files of one name in different folders
            names = list(settings.data)
        benches = [
            study.bench(
                name,
                problems.prepare(table, split_key, settings.test_fraction),
                settings,
                bench_key,
            )
            for name, table in zip(names, tables, strict=True)
        ]
        print(introduction(settings, benches))
        remarks = suspect(tables)
        commands.remark(remarks)
        studied, walks = compare(settings, benches, clock, finished.append)
        lesson = ravine.lesson()
        lanes = [optimizer_ranking.lanes(on, trials) for on, trials, _ in studied]
        pd.concat(lanes, ignore_index=True).to_parquet(folder / "results.parquet", index=False)
        summary = summarise(settings, studied, lesson, walks, remarks) | clock.summary()
        with clock.part("drawing"):
            optimizer_page.write(folder / "report.html", studied, lesson, walks, summary, clock)
        outputs.write_json(folder / "summary.json", summary | clock.summary())
    print(conclusion(studied))
    print(clock, f"{settings.out}/report.html", sep="\n")
    return 0


def compare(settings: Settings, benches, clock: Clock, on_lanes=lambda lanes: None):
    """[(bench, trials in rank order, ranking)] and the tuned walks down the ravine.

    Args:
      settings: which optimizers, and how many points.
      benches: one for each data set.
      clock: shows the progress.
      on_lanes: called with the table of the lanes that have ended.
    """
    studied = []
    runs = (len(benches) + 1) * len(settings.optimizers)
    with clock.bar(runs, "runs") as bar:
        for on in benches:
            trials = {}
            for name in settings.optimizers:
                trials[name] = study.trial(on, name, settings.points, settings.seed)
                on_lanes(optimizer_ranking.lanes(on, [trials[name]]))
                bar.update()
            ranked = optimizer_ranking.ranking(on, list(trials.values()))
            studied.append((on, [trials[name] for name in ranked["optimizer"]], ranked))
        walks = []
        for name in settings.optimizers:
            walks.append(ravine.tuned(name, settings.points, settings.seed))
            bar.update()
    return studied, walks


def introduction(settings: Settings, benches) -> str:
    """What is about to run."""
    kinds, sets = len(settings.optimizers), len(benches)
    lanes = kinds * settings.points * settings.seeds * sets
    return (
        f"{words.count(kinds, 'optimizer')} x {words.count(settings.points, 'setting')} x "
        f"{words.count(settings.seeds, 'seed')} on {words.listed(on.name for on in benches)}: "
        f"{lanes:,} lanes in {words.count(kinds * sets, 'compiled program')}, "
        f"{words.count(settings.epochs, 'epoch')}, on {device()}"
    )


def suspect(tables) -> list[str]:
    """What a person should know of the columns before believing a figure."""
    return [
        f"{table.name}: {note}"
        for table in tables
        for note in suspects.notes(table, [problems.target_of(table)])
    ]


def conclusion(studied) -> str:
    """The first three on each data set, and where the page is."""
    lines = []
    for on, _, ranked in studied:
        first = [
            f"{row['optimizer']} {words.plus_minus(row['mean'], row['se'])}"
            for _, row in ranked.head(3).iterrows()
        ]
        tied = int(ranked["tied"].sum()) - 1
        lines.append(
            f"{on.name}, validation {words.name(on.loss_name)}: {', '.join(first)}; {tied} of "
            f"{len(ranked) - 1} others cannot be told from the first"
        )
    return "\n".join(lines)


def summarise(settings: Settings, studied, lesson, walks, remarks: list[str]) -> dict:
    """What summary.json holds."""
    trials = [ran for _, trials, _ in studied for ran in trials]
    return {
        **provenance(settings),
        "num_lanes": len(trials) * settings.points * settings.seeds,
        "num_compilations": len(trials),
        "best": {on.name: ranked.iloc[0].to_dict() for on, _, ranked in studied},
        "rankings": {on.name: ranked.to_dict("records") for on, _, ranked in studied},
        "remarks": remarks,
        "start_losses": {on.name: on.start_loss for on, _, _ in studied},
        "ravine": {
            "steps": ravine.STEPS,
            "lesson": [_walked(walk) for walk in lesson],
            "tuned": [_walked(walk) for walk in walks],
        },
    }


def _walked(walk: ravine.Walk) -> dict:
    return {
        "optimizer": walk.optimizer,
        **walk.hyper,
        "turns": walk.turns,
        "detour": walk.detour,
        "arrival": walk.arrival,
        "end": float(walk.values[-1] / walk.values[0]),
    }
