"""Trains, cross-validates and compares many settings as lanes of one compiled program.

A design of --configs points over learning rate, momentum and l2 is crossed with --folds folds of
the training rows; every lane meets the same minibatches. The setting with the smallest mean
validation loss is refitted on all training rows and meets the test rows once. Writes
results.parquet (a row per lane), summary.json and report.html into --out.

Example: python -m experiments.sweep --data breast_cancer --out out/breast --configs 64
"""

import dataclasses
import os
import platform
import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import jax
import tyro
from tqdm import tqdm

from experiments import outputs, problems, report, study
from experiments.datasets import DataError, load
from jaxlr import sweeps

MODELS = ("linear", "mlp")
Range = tuple[float, float]


@dataclass(frozen=True)
class Settings:
    """The dials of a sweep."""

    data: str = "digits"
    """breast_cancer, iris, wine, diabetes, digits, or a file: CSV, Parquet, NPZ, LIBSVM, IDX."""
    target: str | None = None
    """Column to predict, by name or number; default: one called target, label, class or y, else
    the last."""
    task: Literal["binary", "multiclass", "regression"] | None = None
    """Default: inferred from the target."""
    weights: str | None = None
    """Column of sample weights (weight 2 = the row twice)."""
    missing: Literal["impute", "drop", "error"] = "impute"
    """Empty cells: the training median and an indicator column; drop such rows; or refuse."""
    out: str = "out/sweep"
    """Folder for the results; must be new or empty."""
    overwrite: bool = False
    """Replace earlier results in --out."""
    seed: int = 0
    """Seed of the split, the folds, the design and the minibatches."""
    configs: int = 256
    """Points of the design."""
    design: Literal["sobol", "random"] = "sobol"
    """How the points fill the space."""
    folds: int = 5
    """Folds of the training rows; a lane is a configuration on a fold."""
    epochs: int = 40
    """Passes over the training rows."""
    batch_size: tuple[int, ...] = (64,)
    """Rows per step; several become static choices, a compilation each."""
    model: tuple[Literal[MODELS], ...] = ("linear",)
    """Models to try; several become static choices."""
    hidden: tuple[int, ...] = (32,)
    """Widths of the mlp's hidden stages."""
    optimizer: tuple[Literal[study.OPTIMIZERS], ...] = ("momentum",)
    """Optimizers to try; several become static choices. Adam and its kin take momentum as b1."""
    learning_rate: Range = (1e-3, 1.0)
    """Range, log-uniform."""
    momentum: Range = (0.0, 0.99)
    """Range, uniform."""
    l2: Range = (1e-6, 1e-1)
    """Range of the ridge penalty, log-uniform; the objective adds l2/2 ||W||^2."""
    test_fraction: float = 0.2
    """Share of rows set aside for the one test at the end."""
    select: Literal["best", "one_standard_error"] = "best"
    """The smallest mean validation loss, or the largest l2 within one standard error of it."""


class SettingError(ValueError):
    """A setting has no meaning; the message names it and the cure."""


def design(settings: Settings) -> sweeps.Design:
    """The settings' points: numbers as lanes, static choices as groups."""
    space = {
        "learning_rate": sweeps.LogUniform(*settings.learning_rate),
        "momentum": sweeps.Uniform(*settings.momentum),
        "l2": sweeps.LogUniform(*settings.l2),
        "model": sweeps.Choices(settings.model),
        "optimizer": sweeps.Choices(settings.optimizer),
        "batch_size": sweeps.Choices(settings.batch_size),
    }
    draw = sweeps.sobol if settings.design == "sobol" else sweeps.random
    return draw(space, settings.configs, settings.seed)


def check(settings: Settings) -> None:
    """Raises SettingError for a value that has no meaning, before any work."""
    for name, least in (("configs", 1), ("folds", 2), ("epochs", 1), ("seed", 0)):
        value = getattr(settings, name)
        if value < least:
            raise SettingError(f"--{name} {value}: must be at least {least}")
    for name in ("batch_size", "hidden"):
        if not getattr(settings, name) or min(getattr(settings, name)) < 1:
            raise SettingError(f"--{_dashed(name)}: every size must be at least 1")
    for name, least, most in (
        ("learning_rate", 0.0, float("inf")),
        ("momentum", 0.0, 1.0),
        ("l2", 0.0, float("inf")),
    ):
        low, high = getattr(settings, name)
        text = f"--{_dashed(name)} {low:g} {high:g}"
        if not low <= high:
            raise SettingError(f"{text}: the range is empty; give LOW HIGH with LOW <= HIGH")
        if not (least <= low and high < most):
            raise SettingError(f"{text}: must lie in [{least:g}, {most:g})")
        if name != "momentum" and low == 0:
            raise SettingError(f"{text}: spread by its logarithm, so LOW must be above 0")
    if not 0 < settings.test_fraction < 1:
        raise SettingError(f"--test-fraction {settings.test_fraction}: must lie between 0 and 1")


def run(settings: Settings) -> int:
    """The whole sweep, from data to page; the exit status."""
    check(settings)
    with outputs.folder(settings.out, overwrite=settings.overwrite) as folder:
        table = load(
            settings.data,
            target=settings.target,
            task=settings.task,
            weights=settings.weights,
            missing=settings.missing,
        )
        split_key, fold_key = jax.random.split(jax.random.key(settings.seed))
        problem = problems.prepare(table, split_key, settings.test_fraction)
        fold_weights = problems.folds(problem, fold_key, settings.folds)
        order = study.orders(problem, settings.epochs, settings.seed)
        _check_batches(settings, len(problem.train.x))
        plan = study.Plan(
            sweeps.groups(design(settings)),
            settings.folds,
            settings.epochs,
            study.num_evaluations(settings.epochs),
            settings.hidden,
            settings.seed,
        )
        print(introduction(problem, plan))
        with tqdm(total=plan.num_lanes * plan.evaluations, unit=" lane segments") as bar:
            found = study.run(
                problem, plan, fold_weights, order, selection=settings.select, on_segment=bar.update
            )
        summary = summarise(settings, problem, plan, found)
        found.lanes.to_parquet(folder / "results.parquet", index=False)
        outputs.write_json(folder / "summary.json", summary)
        report.write(folder / "report.html", problem, plan, found, summary)
    print(conclusion(settings, problem, plan, found))
    return 0 if found.chosen else 1


def introduction(problem: problems.Problem, plan: study.Plan) -> str:
    """What is about to run."""
    table, rows = problem.table, len(problem.train.x)
    lines = [
        f"{table.name}: {table.task}, {rows} rows to train on, {len(problem.test.x)} to test on, "
        f"{problem.train.x.shape[1]} features",
        *table.notes,
        f"{plan.num_lanes:,} lanes = {plan.num_lanes // plan.num_folds} configurations x "
        f"{plan.num_folds} folds, {plan.epochs} epochs, {len(plan.groups)} compiled "
        f"{'program' if len(plan.groups) == 1 else 'programs'}, on {device()}",
    ]
    return "\n".join(lines)


def conclusion(settings, problem, plan, found: study.Findings) -> str:
    """Leaderboard, choice, test figures and where the page is."""
    loss_name = problems.LOSS_NAMES[problem.table.task]
    lines = ["", report.leaderboard(found.configs, loss_name), ""]
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


def summarise(settings, problem, plan, found: study.Findings) -> dict:
    """What summary.json holds."""
    table = problem.table
    return {
        "device": device(),
        "jax": jax.__version__,
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
        },
        "settings": dataclasses.asdict(settings),
        "command": shlex.join(["python", "-m", "experiments.sweep", *sys.argv[1:]]),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("jaxlr", "jax", "jaxlib", "numpy", "scikit-learn")},
        },
    }


def device() -> str:
    """The device that JAX runs on, for tables."""
    first = jax.devices()[0]
    return f"{os.cpu_count()} CPU cores" if first.platform == "cpu" else first.device_kind


def _check_batches(settings: Settings, num_rows: int) -> None:
    for size in settings.batch_size:
        if size > num_rows:
            raise SettingError(
                f"--batch-size {size}: larger than the {num_rows} training rows; "
                f"take at most {num_rows}"
            )


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 1 every lane diverged, 2 a mistake in what was asked."""
    settings = tyro.cli(
        Settings, args=args, prog="python -m experiments.sweep", description=__doc__
    )
    try:
        return run(settings)
    except (DataError, SettingError, outputs.OutputError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
