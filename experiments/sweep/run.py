"""The whole sweep, from data to page."""

import jax

from experiments.datasets import load
from experiments.kit import commands, kept_rows, outputs, problems, suspects
from experiments.kit.clock import Clock
from experiments.kit.provenance import device, provenance
from experiments.sweep import leaderboard, page, study
from experiments.sweep.settings import Settings, check, check_batches, design
from jaxlr import sweeps


def run(settings: Settings, clock: Clock) -> int:
    """The whole sweep, from data to page; the exit status."""
    check(settings)
    finished = []
    with outputs.folder(
        settings.out,
        overwrite=settings.overwrite,
        finished=finished,
        provenance=provenance(settings),
    ) as folder:
        with clock.part("reading"):
            table = load(settings.data, target=settings.target, **settings.reading())
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
        with clock.bar(plan.num_lanes * plan.epochs, "lane epochs") as bar:
            found = study.run(
                problem,
                plan,
                fold_weights,
                order,
                selection=settings.select,
                on_segment=lambda lanes: bar.update(lanes * per_segment),
                on_group=finished.append,
            )
        found.lanes.to_parquet(folder / "results.parquet", index=False)
        summary = summarise(settings, problem, plan, found, remarks) | clock.summary()
        with clock.part("drawing"):
            page.write(folder / "report.html", problem, plan, found, summary, clock)
        outputs.write_json(folder / "summary.json", summary | clock.summary())
    print(conclusion(settings, problem, plan, found))
    print(clock, f"{settings.out}/report.html", sep="\n")
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
        f"{'program' if len(plan.groups) == 1 else 'programs'}, on {device()}",
    ]
    return "\n".join(lines)


def conclusion(settings, problem, plan, found: study.Findings) -> str:
    """Leaderboard, choice and test figures."""
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
    return "\n".join(lines)


def summarise(settings, problem, plan, found: study.Findings, remarks: list[str]) -> dict:
    """What summary.json holds."""
    table = problem.table
    return {
        **provenance(settings),
        "num_lanes": plan.num_lanes,
        "num_compilations": len(plan.groups),
        "num_diverged": int((found.lanes["status"] == "diverged").sum()),
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
