"""The whole sweep, from data to page."""

import math
import shutil
from dataclasses import replace

import jax
import numpy as np

from experiments.kit import (
    class_weights,
    commands,
    kept_rows,
    outputs,
    partial,
    problems,
    saved,
    suspects,
    words,
)
from experiments.kit.checkpoints import Checkpoints
from experiments.kit.clock import Clock
from experiments.kit.optimizers import NUMBERS
from experiments.kit.provenance import device, provenance
from experiments.kit.report import examine
from experiments.sweep import groups, headline, page, schedules, search, study
from experiments.sweep.leaderboard import leaderboard
from experiments.sweep.plan import Plan, planned
from experiments.sweep.settings import Settings, check, check_batches
from experiments.sweep.study import Findings


def run(settings: Settings, clock: Clock) -> int:
    """The whole sweep, from data to page; the exit status."""
    check(settings)
    if settings.plan:
        print(planning(settings, clock))
        return 0
    with partial.claimed(settings) as kept:
        if kept.complete:
            print(f"{settings.out} is complete: nothing was left to do")
            return 0
        settings = replace(settings, resume=False)  # what is said of results is as if unbroken
        with outputs.results(settings, within=kept.folder) as folder:
            problem, fold_weights, plan, remarks = prepared(settings, clock)
            print(introduction(problem, plan))
            commands.remark(remarks)
            plan, found = studied(settings, clock, kept, problem, fold_weights, plan)
            commands.remark(kept.refused)
            found.lanes.to_parquet(folder / "results.parquet", index=False)
            if found.lineage is not None:
                found.lineage.to_parquet(folder / "lineage.parquet", index=False)
            found.steps.to_parquet(folder / "steps.parquet", index=False)
            if settings.design == "optuna":
                shutil.copy(kept.folder / "search" / search.FILE, folder)
            model = None
            if found.test:
                made_by = provenance(settings)
                model = saved.of(problem, found.test.params, provenance=made_by)
                saved.keep(folder, model)
            summary = summarise(settings, problem, plan, found, remarks) | clock.summary()
            with clock.part("drawing"):
                page.write(folder / "report.html", problem, plan, found, model, summary, clock)
            outputs.write_json(folder / "summary.json", summary | clock.summary())
            kept.written.touch()
    print(conclusion(settings, problem, plan, found))
    print(clock, f"{settings.out}/report.html", sep="\n")
    return 0 if found.chosen else 1


def prepared(settings: Settings, clock: Clock) -> tuple:
    """(problem, fold weights, plan, what a reader should know of the data)."""
    with clock.part("reading"):
        table = kept_rows.read(settings.data, settings)
    split_key, fold_key = jax.random.split(jax.random.key(settings.seed))
    problem = problems.prepare(table, split_key, settings.test_fraction, settings.folds)
    fold_weights = problems.folds(problem, fold_key, settings.folds)
    problem = problems.weighed(problem, class_weights.asked(settings.class_weight))
    check_batches(settings, len(problem.train.x))
    remarks = class_weights.remarks(settings.class_weight)
    remarks += suspects.notes(table, [problems.target_of(table)])
    remarks += suspects.nothing_to_learn([problem])
    tested = np.asarray(problem.test.labels)[np.asarray(problem.test.weights) > 0]
    remarks += suspects.few(problem.target, tested, "test rows", "take a larger --test-fraction")
    plan = schedules.fitted(planned(settings), len(problem.train.x))
    return problem, fold_weights, plan, remarks


def planning(settings: Settings, clock: Clock) -> str:
    """What the sweep would take, or of a search its first round."""
    whole = settings
    if settings.design == "optuna":
        settings = replace(settings, configs=min(settings.ask or search.ASK, settings.configs))
    problem, fold_weights, plan, _ = prepared(settings, clock)
    asked = [study.asked(problem, plan, group, fold_weights) for group in plan.groups]
    told = groups.told(plan, asked)
    if settings.configs < whole.configs:
        told += f"\na round; there are {math.ceil(whole.configs / settings.configs)}"
    return told


def studied(settings, clock: Clock, kept, problem, fold_weights, plan: Plan):
    """(what was run, what was found), with a bar; SIGINT and SIGTERM wait for a segment's end."""
    total = plan.num_lanes * plan.evaluations
    with partial.patient() as heard, clock.bar(total, "lane segments") as bar:

        def on_segment(lanes, told):
            bar.set_postfix_str(told, refresh=False)
            bar.update(lanes)
            return "stop" if heard else None

        def train(plan, name):
            def checkpoints(group):
                return Checkpoints(kept, f"{name}-{group}", settings.checkpoint)

            options = {"on_segment": on_segment, "checkpoints": checkpoints}
            return study.trained(problem, plan, fold_weights, **options)

        if settings.design == "optuna":
            plan, *found = search.run(problem, settings, kept.folder / "search", train)
        else:
            found = train(plan, "group")
        return plan, study.concluded(problem, plan, *found, settings.select)


def introduction(problem: problems.Problem, plan: Plan) -> str:
    """What is about to run."""
    table, rows = problem.table, len(problem.train.x)
    lines = [
        f"{table.name}: {table.task}, target {table.target!r}, {rows} rows to train on, "
        f"{len(problem.test.x)} to test on, {problem.train.x.shape[1]} features",
        *table.notes,
        f"{plan.num_lanes:,} lanes = {plan.num_lanes // plan.num_folds} configurations x "
        f"{plan.num_folds} folds, {words.listed(map(str, plan.lengths))} "
        f"{'epoch' if plan.lengths == [1] else 'epochs'}, "
        f"{words.count(plan.num_programs, 'compiled program')}, on {device()}",
    ]
    return "\n".join(lines)


def conclusion(settings, problem, plan: Plan, found: Findings) -> str:
    """Leaderboard, choice, the figure that chose, and test figures."""
    loss_name = problems.LOSS_NAMES[problem.table.task]
    lines = ["", leaderboard(found.configs, loss_name), ""]
    if found.chosen is None:
        lines.append(f"{headline.which(found)} Lower --learning-rate.")
        return "\n".join(lines)
    mean = words.plus_minus(found.chosen["mean"], found.chosen["se"])
    lines += [
        f"chosen ({settings.select}): {headline.which(found)}",
        f"validation {words.name(loss_name)} {mean}, which chose; {headline.guess(problem)}",
        f"test, {len(problem.test.x)} rows nobody touched: {figures(problem, found.test)}",
    ]
    return "\n".join(lines)


def figures(problem: problems.Problem, test: examine.Test) -> str:
    """What the test rows said, beside what one constant answer gives."""
    told = [f"{words.name(name)} {value:.4f}" for name, value in test.figures.items()]
    if "accuracy" in test.figures:
        name, share = examine.majority(problem, test)
        told.append(f"where always saying {name!r} has {share:.4f}")
    else:
        constant = np.average(np.square(test.labels), weights=test.weights)  # 0 is the mean
        told.append(f"where always saying the training mean has {constant:.4f}")
    return ", ".join(told)


def summarise(settings, problem, plan: Plan, found: Findings, remarks: list[str]) -> dict:
    """What summary.json holds."""
    table, told = problem.table, provenance(settings)
    asked = told["settings"]
    idle = [name for name in NUMBERS if asked[name] is None]
    return {
        **told,
        "settings": {name: value for name, value in asked.items() if name not in idle},
        "num_lanes": plan.num_lanes,
        "num_compilations": plan.num_programs,
        "num_diverged": int((found.lanes["status"] == "diverged").sum()),
        "num_pruned": int((found.lanes["status"] == "pruned").sum()),
        "best": found.chosen,
        "guessing": examine.guessing_loss(problem),
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
