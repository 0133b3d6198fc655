"""Trains, cross-validates and compares many settings as lanes of one compiled program.

A design of --configs points over learning rate, momentum and l2 is crossed with --folds folds of
the training rows; every lane meets the same minibatches. The setting with the smallest mean
validation loss is refitted on all training rows and meets the test rows once. Writes
results.parquet (a row per lane), summary.json and report.html into --out.

Example: python -m experiments.sweep --data breast_cancer --out out/breast --configs 64
"""

import sys

import jax
from tqdm import tqdm

from experiments.datasets import load
from experiments.kit import commands, kept_rows, outputs, problems, suspects
from experiments.sweep import leaderboard, page
from experiments.sweep import run as study
from experiments.sweep.settings import Settings, check, check_batches, design
from jaxlr import sweeps

NAME = "experiments.sweep"


def run(settings: Settings) -> int:
    """The whole sweep, from data to page; the exit status."""
    check(settings)
    finished = []
    with outputs.folder(
        settings.out,
        overwrite=settings.overwrite,
        finished=finished,
        provenance=commands.provenance(NAME, settings),
    ) as folder:
        table = load(
            settings.data,
            target=settings.target,
            task=settings.task,
            weights=settings.weights,
            missing=settings.missing,
            drop=settings.drop,
            categorical=settings.categorical,
            labels_file=settings.labels_file,
            header=settings.header,
            missing_values=settings.missing_values,
            comment=settings.comment,
            decimal=settings.decimal,
        )
        table = kept_rows.of_table(table, settings.drop_classes, settings.task)
        split_key, fold_key = jax.random.split(jax.random.key(settings.seed))
        problem = problems.prepare(table, split_key, settings.test_fraction, settings.folds)
        fold_weights = problems.folds(problem, fold_key, settings.folds)
        order = study.orders(problem, settings.epochs, settings.seed)
        check_batches(settings, len(problem.train.x))
        plan = study.Plan(
            sweeps.groups(design(settings)),
            settings.folds,
            settings.epochs,
            study.num_evaluations(settings.epochs),
            settings.hidden,
            settings.seed,
        )
        print(introduction(problem, plan))
        remarks = suspects.notes(table, [problems.target_of(table)])
        remarks += suspects.nothing_to_learn([problem])
        commands.remark(remarks)
        per_segment = plan.epochs // plan.evaluations
        with tqdm(total=plan.num_lanes * plan.epochs, unit=" lane epochs") as bar:
            found = study.run(
                problem,
                plan,
                fold_weights,
                order,
                selection=settings.select,
                on_segment=lambda lanes: bar.update(lanes * per_segment),
                on_group=finished.append,
            )
        summary = summarise(settings, problem, plan, found, remarks)
        found.lanes.to_parquet(folder / "results.parquet", index=False)
        outputs.write_json(folder / "summary.json", summary)
        page.write(folder / "report.html", problem, plan, found, summary)
    print(conclusion(settings, problem, plan, found))
    return 0 if found.chosen else 1


def introduction(problem: problems.Problem, plan: study.Plan) -> str:
    """What is about to run."""
    table, rows = problem.table, len(problem.train.x)
    lines = [
        f"{table.name}: {table.task}, target {table.target!r}, {rows} rows to train on, "
        f"{len(problem.test.x)} to test on, {problem.train.x.shape[1]} features",
        *table.notes,
        f"{plan.num_lanes:,} lanes = {plan.num_lanes // plan.num_folds} configurations x "
        f"{plan.num_folds} folds, {plan.epochs} epochs, {len(plan.groups)} compiled "
        f"{'program' if len(plan.groups) == 1 else 'programs'}, on {commands.device()}",
    ]
    return "\n".join(lines)


def conclusion(settings, problem, plan, found: study.Findings) -> str:
    """Leaderboard, choice, test figures and where the page is."""
    loss_name = problems.LOSS_NAMES[problem.table.task]
    lines = ["", leaderboard.leaderboard(found.configs, loss_name), ""]
    if found.chosen is None:
        lines.append(
            f"All {plan.num_lanes:,} lanes diverged: nothing to choose. Lower --learning-rate."
        )
    else:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in found.test.figures.items())
        lines.append(
            f"chosen ({settings.select}): learning rate {found.chosen['learning_rate']:.4g}, "
            f"momentum {found.chosen['momentum']:.3f}, l2 {found.chosen['l2']:.3g}"
        )
        lines.append(f"test, {len(problem.test.x)} rows nobody touched: {figures}")
    lines.append(f"compilation {found.compile_seconds:.1f} s, run {found.run_seconds:.1f} s")
    lines.append(f"{settings.out}/report.html")
    return "\n".join(lines)


def summarise(settings, problem, plan, found: study.Findings, remarks: list[str]) -> dict:
    """What summary.json holds."""
    table = problem.table
    return {
        **commands.provenance(NAME, settings),
        "num_lanes": plan.num_lanes,
        "num_compilations": len(plan.groups),
        "num_diverged": int((found.lanes["status"] == "diverged").sum()),
        "compile_seconds": found.compile_seconds,
        "run_seconds": found.run_seconds,
        "best": found.chosen,
        "test": found.test.figures if found.test else None,
        "data": {
            "name": table.name,
            "task": table.task,
            "target": table.target,
            "classes": list(table.class_names),
            "num_train": len(problem.train.x),
            "num_test": len(problem.test.x),
            "features": list(problem.feature_names),
            "notes": list(table.notes),
            "remarks": remarks,
        },
    }


def parse(args: list[str] | None = None) -> Settings:
    """The settings of a command line; raises SettingError where one is not understood."""
    return commands.parse(Settings, NAME, __doc__, args)


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 1 every lane diverged, 2 a mistake in what was asked."""
    return commands.main(parse, run, args)


if __name__ == "__main__":
    sys.exit(main())
