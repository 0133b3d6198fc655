"""The dials of the sweep, and what values make sense."""

from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass
from typing import Annotated, ClassVar, Literal

import tyro

from experiments.kit import sizes
from experiments.kit.mistakes import SettingError
from experiments.kit.optimizers import NUMBERS, RULES, taken
from experiments.kit.settings import (
    LARGEST,
    SIZES,
    ResumableSettings,
    dashed,
    mistakes,
    refuse,
)
from experiments.sweep import choices

MODELS = ("linear", "mlp")
Range = tuple[float, float]
LIMITS = {"configs": SIZES, "ask": SIZES, "folds": (2, 2**24), "epochs": SIZES}
MOST_STEPS = 2**31 - 1  # rows met by a lane: they are numbered in int32, 4 bytes each
MOMENTUM = (0.0, 0.99)
RATES = ("warmup", "final_rate")  # shares of a run and of a learning rate
# How the sweep spreads every number it may have, in the order of its tables.
SCALES = {"learning_rate": "log", "momentum": "uniform", "l2": "log"}
SCALES |= dict.fromkeys(RATES, "uniform")
SCALES |= {name: number.scale for name, number in NUMBERS.items() if name not in SCALES}


@dataclass(frozen=True)
class _Sweep(ResumableSettings):
    NAME: ClassVar[str] = "experiments.sweep"

    out: str = "out/sweep"
    """Folder for the results; must be new or empty."""
    configs: int = 256
    """Points of the design."""
    design: Literal["sobol", "random", "optuna"] = "sobol"
    """How the points fill the space; optuna proposes --ask of them at a time, by the losses of all
    before (tree-structured Parzen estimators)."""
    ask: int | None = None
    """optuna: how many points it proposes at a time; default 32."""
    folds: int = 5
    """Folds of the training rows; a lane is a configuration on a fold."""
    epochs: tuple[int, ...] = (40,)
    """Passes over the training rows; several are a choice for each configuration, whose lanes share
    a program and leave when theirs are over."""
    batch_size: tuple[int, ...] = (64,)
    """Rows per step; several become static choices, a compilation each."""
    model: tuple[Literal[MODELS], ...] = ("linear",)
    """Models to try; several become static choices."""
    hidden: tuple[str, ...] = ("32",)
    """Hidden stages of the mlp, their widths joined by x: 64x32; several become static choices."""
    select: Literal["best", "one_standard_error"] = "best"
    """The smallest mean validation loss, or the largest l2 within one standard error of it."""
    schedule: Literal["full", "halving", "hyperband", "rows", "population"] = "full"
    """full: all configurations to the end. halving: the best third goes on after each rung (epochs
    / 9, epochs / 3, ...). hyperband: that in brackets, some with fewer rungs. rows: the best third
    goes on from a ninth of the rows to a third and to all, with all epochs on each and as strong a
    prior (l2 times all rows over these). population: after each tenth of the epochs the worst
    quarter takes over from the best, with its numbers changed within their ranges; a schedule of
    numbers is chosen."""
    memory: str | None = None
    """What the lanes may take, like 4GiB; default: what is free, less a fifth."""
    plan: bool = False
    """Say what would run, in which memory and how long, and stop."""
    checkpoint: float = 30.0
    """Seconds between checkpoints, which are in OUT.partial until OUT is complete."""
    optimizer: tuple[Literal[tuple(RULES)], ...] = ("momentum",)
    """Optimizers to try; several become static choices. Each has a learning rate and the numbers
    below that name it; those not asked for keep its defaults."""
    learning_rate: Range = (1e-3, 1.0)
    """Range, log-uniform."""
    l2: Range = (1e-6, 1e-1)
    """Range of the ridge penalty, log-uniform (uniform from 0); the risk adds l2/2 ||W||^2."""
    warmup: Range | None = None
    """Range, uniform: the share of the steps on which the learning rate rises from 0."""
    final_rate: Range | None = None
    """Range, uniform: the share of the learning rate to which it falls after that, by a cosine."""


def _help(name: str) -> str:
    low, high, scale = NUMBERS[name]
    of = ", ".join(n for n, rule in RULES.items() if name in rule.numbers)
    if name == "momentum":
        return (
            f"Range, uniform; default: 0 to {MOMENTUM[1]} for all that remember. It is the decay of"
            f" momentum_ema and the b1 of Adam and kin, unless --decay or --b1 is given. Of: {of}."
        )
    spread = {"log": "log-uniform", "memory": f"log-uniform in 1 - {name}"}
    spread |= {"uniform": "uniform", "whole": "log-uniform, rounded"}
    return f"Range, {spread[scale]}, like {low:g} {high:g}. Of: {of}."


Settings = make_dataclass(
    "Settings",
    [(name, Annotated[Range | None, tyro.conf.arg(help=_help(name))], None) for name in NUMBERS],
    bases=(_Sweep,),
    frozen=True,
    namespace={"__doc__": "The dials of a sweep, among them a range for each of NUMBERS."},
)


def check(settings: Settings) -> None:
    """Raises SettingError for values that have no meaning, all in one line, before any work."""
    refuse(_mistakes(settings))


def heard(settings: Settings, optimizer: str) -> dict[str, Range]:
    """The ranges asked for that an optimizer takes, by their options; its memory is always one."""
    asked = {name: getattr(settings, name) for name in NUMBERS}
    asked = {name: given for name, given in asked.items() if given is not None}
    if RULES[optimizer].memory:
        asked = {"momentum": MOMENTUM} | asked
    return {name: asked[name] for name in taken(optimizer, asked).values()}


def _mistakes(settings: Settings) -> Iterator[str]:
    yield from mistakes(settings, LIMITS)
    yield from choices.mistakes(settings.epochs, settings.hidden)
    if "mlp" not in settings.model and settings.hidden != _Sweep.hidden:
        yield f"--hidden {' '.join(settings.hidden)}: goes with --model mlp; leave it out"
    if min(settings.batch_size, default=0) < 1:
        yield "--batch-size: every size must be at least 1"
    if settings.memory is not None and sizes.bytes_in(settings.memory) is None:
        yield f"--memory {settings.memory}: must be a size like 800MB, 4GiB or 4.5GB"
    if settings.ask is not None and settings.design != "optuna":
        yield f"--ask {settings.ask}: goes with --design optuna; leave it out"
    if settings.design == "optuna" and settings.schedule != "full":
        does = "changes numbers" if settings.schedule == "population" else "prunes"
        yield f"--schedule {settings.schedule}: {does}, and --design optuna judges by whole runs"
    if len(set(settings.epochs)) > 1 and settings.schedule != "full":
        yield (
            f"--schedule {settings.schedule}: says how long a configuration trains, as several"
            " --epochs do; give one number of epochs"
        )
    if settings.schedule == "population" and settings.select != "best":
        yield (
            f"--select {settings.select}: goes by l2, which --schedule population changes on the"
            " way; take best"
        )
    if not settings.checkpoint >= 0:
        yield f"--checkpoint {settings.checkpoint:g}: must be at least 0 seconds"
    for name in ("learning_rate", "l2", *NUMBERS):
        if getattr(settings, name) is not None:
            yield from _faults(name, *getattr(settings, name))
    for name, most in zip(RATES, (0.99, 1.0), strict=True):
        low, high = getattr(settings, name) or (0.0, most)
        if not 0 <= low <= high <= most:
            yield f"--{dashed(name)} {low:g} {high:g}: shares, so 0 <= LOW <= HIGH <= {most:g}"
    used = {name for optimizer in settings.optimizer for name in heard(settings, optimizer)}
    idle = [n for n in NUMBERS if getattr(settings, n) is not None and n not in used]
    if idle:
        options = ", ".join(f"--{dashed(name)}" for name in idle)
        has = "; ".join(
            f"{name} has {', '.join(('learning_rate', *RULES[name].numbers))}"
            for name in dict.fromkeys(settings.optimizer)
        )
        yield f"{options}: no number of a chosen optimizer; {has}"


def _faults(name: str, low: float, high: float) -> Iterator[str]:
    text = f"--{dashed(name)} {low:g} {high:g}"
    scale = NUMBERS[name].scale if name in NUMBERS else "log"
    most = 1.0 if scale == "memory" else LARGEST
    if not low <= high:
        yield f"{text}: the range is empty; give LOW HIGH with LOW <= HIGH"
    elif not (low >= 0 and high < most):
        yield f"{text}: must lie in [0, {most:g})"
    elif name == "learning_rate" and low == 0:
        yield f"{text}: spread by its logarithm, so LOW must be above 0"
    elif scale == "whole" and low < 1:
        yield f"{text}: a number of steps, so LOW must be at least 1"
    elif 0 < low < 1 / LARGEST:
        yield f"{text}: LOW must be at least {1 / LARGEST:g}, or float32 takes it for 0"


def check_batches(settings: Settings, num_rows: int) -> None:
    """Raises SettingError for a batch larger than the training data, or more rows than memory."""
    longest = max(settings.epochs)
    if longest * num_rows > MOST_STEPS:
        raise SettingError(
            f"--epochs {longest}: a lane would meet {num_rows} rows more often than can be"
            f" listed; take at most {MOST_STEPS // num_rows}"
        )
    for size in settings.batch_size:
        if size > num_rows:
            raise SettingError(
                f"--batch-size {size}: larger than the {num_rows} training rows; "
                f"take at most {num_rows}"
            )
