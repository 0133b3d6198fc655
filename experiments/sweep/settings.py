"""The dials of the sweep, what values make sense, and the design they describe."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.kit.mistakes import SettingError
from experiments.kit.settings import (
    LARGEST,
    SIZES,
    TableSettings,
    dashed,
    mistakes,
    refuse,
)
from experiments.sweep import study
from jaxlr import sweeps

MODELS = ("linear", "mlp")
Range = tuple[float, float]
LIMITS = {"configs": SIZES, "folds": (2, 2**24), "epochs": SIZES}
MOST_UNITS = 2**16  # of a hidden stage
MOST_STEPS = 2**31 - 1  # rows met by a lane: they are numbered in int32, 4 bytes each


@dataclass(frozen=True)
class Settings(TableSettings):
    """The dials of a sweep."""

    NAME: ClassVar[str] = "experiments.sweep"

    out: str = "out/sweep"
    """Folder for the results; must be new or empty."""
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
    """Range of the ridge penalty, log-uniform (uniform from 0); the risk adds l2/2 ||W||^2."""
    select: Literal["best", "one_standard_error"] = "best"
    """The smallest mean validation loss, or the largest l2 within one standard error of it."""


def design(settings: Settings) -> sweeps.Design:
    """The settings' points: numbers as lanes, static choices as groups."""
    space = {
        "learning_rate": sweeps.LogUniform(*settings.learning_rate),
        "momentum": sweeps.Uniform(*settings.momentum),
        "l2": (sweeps.LogUniform if settings.l2[0] > 0 else sweeps.Uniform)(*settings.l2),
        "model": sweeps.Choices(settings.model),
        "optimizer": sweeps.Choices(settings.optimizer),
        "batch_size": sweeps.Choices(settings.batch_size),
    }
    draw = sweeps.sobol if settings.design == "sobol" else sweeps.random
    return draw(space, settings.configs, settings.seed)


def check(settings: Settings) -> None:
    """Raises SettingError for values that have no meaning, all in one line, before any work."""
    refuse(_mistakes(settings))


def _mistakes(settings: Settings) -> Iterator[str]:
    yield from mistakes(settings, LIMITS)
    for name in ("batch_size", "hidden"):
        if not getattr(settings, name) or min(getattr(settings, name)) < 1:
            yield f"--{dashed(name)}: every size must be at least 1"
    if max(settings.hidden, default=0) > MOST_UNITS:
        yield f"--hidden {max(settings.hidden)}: must be at most {MOST_UNITS}"
    for name, most in (("learning_rate", LARGEST), ("momentum", 1.0), ("l2", LARGEST)):
        low, high = getattr(settings, name)
        text = f"--{dashed(name)} {low:g} {high:g}"
        if not low <= high:
            yield f"{text}: the range is empty; give LOW HIGH with LOW <= HIGH"
        elif not (low >= 0 and high < most):
            yield f"{text}: must lie in [0, {most:g})"
        elif name == "learning_rate" and low == 0:
            yield f"{text}: spread by its logarithm, so LOW must be above 0"
        elif 0 < low < 1 / LARGEST:
            yield f"{text}: LOW must be at least {1 / LARGEST:g}, or float32 takes it for 0"


def check_batches(settings: Settings, num_rows: int) -> None:
    """Raises SettingError for a batch larger than the training data, or more rows than memory."""
    if settings.epochs * num_rows > MOST_STEPS:
        raise SettingError(
            f"--epochs {settings.epochs}: a lane would meet {num_rows} rows more often than can be"
            f" listed; take at most {MOST_STEPS // num_rows}"
        )
    for size in settings.batch_size:
        if size > num_rows:
            raise SettingError(
                f"--batch-size {size}: larger than the {num_rows} training rows; "
                f"take at most {num_rows}"
            )
