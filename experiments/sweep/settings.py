"""The dials of the sweep, what values make sense, and the design they describe."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tyro.conf import FlagConversionOff

from experiments.datasets.table import DECIMALS, MISSING_TEXTS
from experiments.sweep import run
from jaxlr import sweeps

MODELS = ("linear", "mlp")
Range = tuple[float, float]
LARGEST = 1e30  # of a number that is trained with: float32 ends at 3e38
SEEDS = (0, 2**32 - 1)  # a key holds 32 bits of its seed: larger ones would be smaller ones again
SIZES = (1, 2**24)
LIMITS = {"configs": SIZES, "folds": (2, 2**24), "epochs": SIZES, "seed": SEEDS}
MOST_UNITS = 2**16  # of a hidden stage
MOST_STEPS = 2**31 - 1  # rows met by a lane: they are numbered in int32, 4 bytes each


@dataclass(frozen=True)
class Settings:
    """The dials of a sweep."""

    data: str = "digits"
    """breast_cancer, iris, wine, diabetes, digits, or a file: CSV, Parquet, NPZ, LIBSVM, IDX."""
    target: str | None = None
    """Column to predict, by name or number; default: one called target, label(s), class or y,
    or else the last one."""
    task: Literal["binary", "multiclass", "regression"] | None = None
    """Default: inferred from the target."""
    weights: str | None = None
    """Column of sample weights (weight 2 = the row twice)."""
    missing: Literal["impute", "drop", "error"] = "impute"
    """Empty cells: the training median and an indicator column; drop such rows; or refuse."""
    drop: tuple[str, ...] = ()
    """Columns that are no features, by name or number."""
    drop_classes: tuple[str, ...] = ()
    """Classes whose rows are left out, by name."""
    categorical: tuple[str, ...] = ()
    """Columns of numbers that stand for categories."""
    header: FlagConversionOff[bool | None] = None
    """Whether a CSV's first row holds names; default: look."""
    missing_values: tuple[str, ...] = MISSING_TEXTS
    """Texts that are missing values, as empty cells are."""
    comment: str | None = None
    """Lines of a CSV that begin so are left out; default: above the table those with #."""
    decimal: Literal[DECIMALS] | None = None
    """The decimal sign of columns that could have either, like 1,234; default: that of all other
    columns, or else the point, or the comma where commas do not separate cells."""
    labels_file: str | None = None
    """Labels of IDX images, where they are not beside them."""
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
    optimizer: tuple[Literal[run.OPTIMIZERS], ...] = ("momentum",)
    """Optimizers to try; several become static choices. Adam and its kin take momentum as b1."""
    learning_rate: Range = (1e-3, 1.0)
    """Range, log-uniform."""
    momentum: Range = (0.0, 0.99)
    """Range, uniform."""
    l2: Range = (1e-6, 1e-1)
    """Range of the ridge penalty, log-uniform (uniform from 0); the risk adds l2/2 ||W||^2."""
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


def refuse(mistakes: Iterable[str]) -> None:
    """Raises SettingError where there are mistakes: one line for all of them."""
    mistakes = list(mistakes)
    if mistakes:
        raise SettingError("; ".join(mistakes))


def beyond(settings, limits: dict[str, tuple[int, int]]) -> Iterator[str]:
    """The mistakes of whole numbers that lie outside their limits; None is no mistake."""
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            end = f"at least {least}" if value < least else f"at most {most}"
            yield f"--{dashed(name)} {value}: must be {end}"


def share(name: str, value: float) -> Iterator[str]:
    """The mistake of a value that does not lie between 0 and 1."""
    if not 0 < value < 1:
        yield f"--{name} {value}: must lie between 0 and 1"


def dashed(name: str) -> str:
    """A setting's name as an option's."""
    return name.replace("_", "-")


def _mistakes(settings: Settings) -> Iterator[str]:
    yield from beyond(settings, LIMITS)
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
    yield from share("test-fraction", settings.test_fraction)


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
