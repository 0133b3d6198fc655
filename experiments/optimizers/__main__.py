"""Which optimizer, on which data? Every optimizer tunes on an equal budget, and all are compared.

Each of --optimizers gets --points Sobol points of its own space and the same --seeds; a seed is a
held-out fold and an order of minibatches. Judged by validation loss; the test split stays
untouched. Writes results.parquet (a row per optimizer, setting and seed), summary.json and
report.html into --out.

Example: python -m experiments.optimizers --data digits breast_cancer --out out/optimizers
"""

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import jax
import pandas as pd
from tqdm import tqdm
from tyro.conf import FlagConversionOff

from experiments.datasets import errors, load
from experiments.datasets.table import DECIMALS, MISSING_TEXTS
from experiments.kit import commands, kept_rows, outputs, problems, suspects, words
from experiments.optimizers import page as optimizer_page
from experiments.optimizers import ranking as optimizer_ranking
from experiments.optimizers import ravine
from experiments.optimizers import run as optimizer_study
from experiments.optimizers.spaces import CONTESTANTS, DEFAULT
from experiments.sweep.settings import LARGEST, SEEDS, SIZES, beyond, refuse, share

NAME = "experiments.optimizers"


@dataclass(frozen=True)
class Settings:
    """The dials of the comparison."""

    data: tuple[str, ...] = ("digits", "breast_cancer")
    """breast_cancer, iris, wine, diabetes, digits, or files: CSV, Parquet, NPZ, LIBSVM, IDX."""
    target: str | None = None
    """Column to predict, in every data set; default: as in the sweep."""
    drop: tuple[str, ...] = ()
    """Columns that are no features, by name or number."""
    drop_classes: tuple[str, ...] = ()
    """Classes whose rows are left out."""
    header: FlagConversionOff[bool | None] = None
    """Whether a CSV's first row holds names; default: look."""
    missing_values: tuple[str, ...] = MISSING_TEXTS
    """Texts that are missing values, as empty cells are."""
    comment: str | None = None
    """Lines of a CSV that begin so are left out; default: above the table those with #."""
    decimal: Literal[DECIMALS] | None = None
    """The decimal sign of columns that could have either, like 1,234; default: that of all other
    columns, or else the point, or the comma where commas do not separate cells."""
    out: str = "out/optimizers"
    """Folder for the results; must be new or empty."""
    overwrite: bool = False
    """Replace earlier results in --out."""
    seed: int = 0
    """Seed of the test split, the folds, the design and the minibatches."""
    optimizers: tuple[str, ...] = DEFAULT
    """Optimizers to compare; rprop, noisy_sgd, nadamw and adamaxw are there for the asking."""
    points: int = 64
    """Settings that each optimizer may try."""
    seeds: int = 3
    """Folds and orders that each setting is tried on."""
    epochs: int = 20
    """Passes over the training rows."""
    batch_size: int = 32
    """Rows per step."""
    l2: float = 1e-3
    """Ridge penalty, the same for all; the risk adds l2/2 ||W||^2."""
    test_fraction: float = 0.2
    """Share of rows set aside, which nothing here looks at."""


def run(settings: Settings) -> int:
    """The whole comparison, from data to page; the exit status."""
    settings, finished = check(settings), []
    with outputs.folder(
        settings.out,
        overwrite=settings.overwrite,
        finished=finished,
        provenance=commands.provenance(NAME, settings),
    ) as folder:
        split_key, bench_key = jax.random.split(jax.random.key(settings.seed))
        tables = [
            kept_rows.of_table(
                load(
                    name,
                    target=settings.target,
                    drop=settings.drop,
                    header=settings.header,
                    missing_values=settings.missing_values,
                    comment=settings.comment,
                    decimal=settings.decimal,
                ),
                settings.drop_classes,
            )
            for name in settings.data
        ]
        names = [table.name for table in tables]
        if len(set(names)) < len(names):  # two files of one name in different folders
            names = list(settings.data)
        benches = [
            optimizer_study.bench(
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
        studied, walks = compare(settings, benches, finished.append)
        lesson = ravine.lesson()
        summary = summarise(settings, studied, lesson, walks, remarks)
        lanes = [optimizer_ranking.lanes(on, trials) for on, trials, _ in studied]
        pd.concat(lanes, ignore_index=True).to_parquet(folder / "results.parquet", index=False)
        outputs.write_json(folder / "summary.json", summary)
        optimizer_page.write(folder / "report.html", studied, lesson, walks, summary)
    print(conclusion(settings, studied))
    return 0


def compare(settings: Settings, benches, on_lanes=lambda lanes: None):
    """[(bench, trials in rank order, ranking)] and the tuned walks down the ravine.

    Args:
      settings: which optimizers, and how many points.
      benches: one for each data set.
      on_lanes: called with the table of the lanes that have ended.
    """
    studied = []
    runs = (len(benches) + 1) * len(settings.optimizers)
    with tqdm(total=runs, unit=" runs") as bar:
        for on in benches:
            trials = {}
            for name in settings.optimizers:
                trials[name] = optimizer_study.trial(on, name, settings.points, settings.seed)
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
        f"{words.count(settings.epochs, 'epoch')}, on {commands.device()}"
    )


def suspect(tables) -> list[str]:
    """What a person should know of the columns before believing a figure."""
    return [
        f"{table.name}: {note}"
        for table in tables
        for note in suspects.notes(table, [problems.target_of(table)])
    ]


def conclusion(settings: Settings, studied) -> str:
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
    return "\n".join([*lines, f"{settings.out}/report.html"])


def summarise(settings: Settings, studied, lesson, walks, remarks: list[str]) -> dict:
    """What summary.json holds."""
    trials = [ran for _, trials, _ in studied for ran in trials]
    return {
        **commands.provenance(NAME, settings),
        "num_lanes": len(trials) * settings.points * settings.seeds,
        "num_compilations": len(trials),
        "compile_seconds": sum(ran.compile_seconds for ran in trials),
        "run_seconds": sum(ran.run_seconds for ran in trials),
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


def check(settings: Settings) -> Settings:
    """The settings without repeated names.

    Raises:
      SettingError: a value that has no meaning, before any work.
    """
    refuse(_mistakes(settings))
    once = {name: tuple(dict.fromkeys(getattr(settings, name))) for name in ("data", "optimizers")}
    return dataclasses.replace(settings, **once)


def _mistakes(settings: Settings) -> Iterator[str]:
    limits = dict.fromkeys(("points", "seeds", "epochs", "batch_size"), SIZES)
    yield from beyond(settings, limits | {"seed": SEEDS})
    for name in ("data", "optimizers"):
        if not getattr(settings, name):
            yield f"--{name}: name at least one"
    for name in settings.optimizers:
        if name not in CONTESTANTS:
            near = errors.did_you_mean(name, tuple(CONTESTANTS))
            yield f"--optimizers {name!r} is unknown{near}; choose out of {', '.join(CONTESTANTS)}"
    if not 0 <= settings.l2 < LARGEST:
        yield f"--l2 {settings.l2:g}: must lie in [0, {LARGEST:g})"
    yield from share("test-fraction", settings.test_fraction)


def parse(args: list[str] | None = None) -> Settings:
    """The settings of a command line; raises SettingError where one is not understood."""
    return commands.parse(Settings, NAME, __doc__, args)


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(parse, run, args)


def _walked(walk: ravine.Walk) -> dict:
    return {
        "optimizer": walk.optimizer,
        **walk.hyper,
        "turns": walk.turns,
        "detour": walk.detour,
        "arrival": walk.arrival,
        "end": float(walk.values[-1] / walk.values[0]),
    }


if __name__ == "__main__":
    sys.exit(main())
