"""All exact paths, from data to page."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from experiments.datasets.probes import Probes, load_probes
from experiments.kit import (
    class_weights,
    commands,
    kept_rows,
    outputs,
    pages,
    partial,
    saved,
    suspects,
)
from experiments.kit.clock import Clock
from experiments.kit.problems import check_class_weights, heard_of
from experiments.kit.provenance import device, provenance
from experiments.path import choices, page, problems, study
from experiments.path.findings import Findings, Probe
from experiments.path.settings import Plan, Settings, plan
from experiments.protocols import run as protocol
from experiments.protocols.table import PROTOCOLS
from jaxlr import paths


def run(settings: Settings, clock: Clock) -> int:
    """All paths, from data to page, or a published protocol; the exit status."""
    planned = plan(settings)
    with partial.claimed(settings) as kept, paths.keep(kept.folder / "blocks"):
        if kept.complete:
            print(f"{settings.out} is complete: nothing was left to do")
            return 0
        settings = replace(settings, resume=False)  # what is said of results is as if unbroken
        if settings.protocol and not PROTOCOLS[settings.protocol].is_path:
            return protocol.run(settings, clock, kept.folder)
        return solved(settings, planned, clock, kept)


def solved(settings: Settings, planned: Plan, clock: Clock, kept: partial.Partial) -> int:
    """All paths; the exit status."""
    with outputs.results(settings, within=kept.folder) as folder:
        with clock.part("reading"):
            probes = load_probes(
                settings.data,
                targets=settings.target,
                labels=settings.labels,
                **settings.reading(),
            )
            probes = kept_rows.of_probes(probes, settings.drop_classes, settings.task)
        problems.check_metric(probes, planned)
        problems.check_scaling(probes, planned.scaling)
        check_class_weights(probes.targets, planned.class_weight)
        rows = problems.rows(probes, planned, settings.seed, settings.test_fraction)
        problems.check_held_out(probes, planned, rows)
        print(introduction(probes, planned, rows))
        is_table = len(probes.layers) == 1 and settings.labels is None
        remarks = class_weights.remarks(settings.class_weight)
        remarks += suspects.notes(*probes.layers.values(), probes.targets) if is_table else []
        heard = heard_of(next(iter(probes.layers.values())))
        for target in probes.targets:
            labels = target.labels[rows.test][heard[rows.test]]
            remarks += suspects.few(target, labels, "test rows", "take a larger --test-fraction")
        commands.remark(remarks)
        with clock.bar(study.num_lanes(probes, planned), "lanes") as bar:
            finished = []

            def ended(lanes):
                finished.append(len(lanes))
                bar.update(sum(finished) - bar.n)

            def within(number):  # the refit's lanes among them
                bar.update(round(number * planned.folds / (planned.folds + 1)))

            with paths.progress(within):
                found = study.run(probes, rows, planned, on_lanes=ended)
        if planned.intercept:
            nothing = suspects.nothing_to_learn([probe.problem for probe in found.probes])
            commands.remark(nothing)
            remarks += nothing
        found.lanes.to_parquet(folder / "results.parquet", index=False)
        models = keep(folder, settings, found, planned.tol)
        summary = summarise(settings, planned, probes, rows, found, remarks) | clock.summary()
        with clock.part("drawing"):
            page.write(folder, probes, planned, found, models, summary, clock)
        outputs.write_json(folder / "summary.json", summary | clock.summary())
        kept.written.touch()
    print(conclusion(settings, planned, rows, found))
    print(clock, f"{settings.out}/report.html", sep="\n")
    return 0 if all(probe.test for probe in found.probes) else 1


def keep(folder: Path, settings: Settings, found: Findings, tol: float) -> dict[str, saved.Model]:
    """Saves the model of every probe that has one: the lead's as model.npz, of several all."""
    models = {}
    for name, probe in page.names(found).items():
        if probe.test is None:
            continue
        models[name] = saved.of(
            probe.problem,
            probe.test.params,
            certificate={**probe.refit, "tol": tol},
            provenance=provenance(settings),
        )
        if len(found.probes) > 1:
            (folder / "models").mkdir(exist_ok=True)
            saved.save(folder / "models" / f"{name}.npz", models[name])
        if probe is found.lead:
            saved.keep(folder, models[name])
    return models


def introduction(probes: Probes, planned: Plan, rows: problems.Rows) -> str:
    """What is about to run."""
    kinds = Counter(
        f"{target.task}" + (f" of {len(target.class_names)}" * (target.task == "multiclass"))
        for target in probes.targets
    )
    first, said = next(iter(probes.layers.values())), pages.macros("path/words.html", plain=True)
    lines = [
        f"{probes.name}: {len(rows.train)} rows to train on, {len(rows.test)} to test on",
        "targets: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()),
        *first.notes,
        f"{study.num_lanes(probes, planned):,} lanes = "
        f"{said.crossed(probes, planned, 'x')}, on {device()}",
    ]
    return "\n".join(lines)


def conclusion(settings, planned: Plan, rows, found: Findings) -> str:
    """The choices, how they did, and how exact they are."""
    lines = [""]
    if found.lead.test:
        said = pages.macros("path/words.html", plain=True)
        guess = choices.guessing(found.lead, planned.metric)
        lines += [said.answer(planned, found, guess), ""]
    lines += [choices.board(found, planned), ""]
    lost = sum(probe.test is None for probe in found.probes)
    if lost:
        lines.append(
            f"{lost} of {len(found.probes)} probes have no finite --metric {planned.metric}, so"
            " nothing to choose. Look at the endings below, or take another --metric."
        )
    lines += [
        f"test: {len(rows.test)} rows nobody touched",
        f"lanes: {', '.join(f'{number:,} {status}' for status, number in found.statuses.items())}"
        f" (certified: proved within {planned.tol:g} of the optimum)",
    ]
    return "\n".join(lines)


def summarise(
    settings,
    planned: Plan,
    probes: Probes,
    rows,
    found: Findings,
    remarks: list[str],
) -> dict:
    """What summary.json holds."""
    lead = found.lead
    table = lead.problem.table
    each = [chosen(probe) for probe in found.probes]
    return {
        **provenance(settings),
        "num_lanes": len(found.lanes),
        "statuses": dict(found.statuses),
        "best": chosen(lead) if lead.test else None,
        "test": lead.test.figures if lead.test else None,
        "metric": planned.metric,
        "rule": planned.rule,
        "probes": each,
        "data": {
            "name": probes.name,
            "task": table.task,
            "target": table.target,
            "classes": list(table.class_names),
            "layers": {name: layer.features.shape[1] for name, layer in probes.layers.items()},
            "targets": {target.name: target.task for target in probes.targets},
            "num_train": len(rows.train),
            "num_test": len(rows.test),
            "features": list(lead.problem.feature_names),
            "notes": list(table.notes),
            "remarks": remarks,
        },
    }


def chosen(probe: Probe) -> dict:
    """A probe's choice: where it lies, its worth on held-out rows, its refit, its test."""
    a, k = probe.chosen
    return {
        "layer": probe.layer,
        "target": probe.target,
        "lambda": float(probe.lambdas[k]),
        "l1_ratio": float(probe.l1_ratios[a]),
        "mean": float(probe.mean[a, k]),
        "se": float(probe.error[a, k]),
        "left_out": probe.left_out,
        "refit": probe.refit,
        "test": probe.test.figures if probe.test else None,
    }
