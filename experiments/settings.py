"""The dials of the sweep, what values make sense, and the design they describe."""

from dataclasses import dataclass
from typing import Literal

from experiments import study
from experiments.datasets.table import DECIMALS, MISSING_TEXTS
from jaxlr import sweeps

MODELS = ("linear", "mlp")
Range = tuple[float, float]


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
    categorical: tuple[str, ...] = ()
    """Columns of numbers that stand for categories."""
    header: bool | None = None
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
    optimizer: tuple[Literal[study.OPTIMIZERS], ...] = ("momentum",)
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
        if name == "learning_rate" and low == 0:
            raise SettingError(f"{text}: spread by its logarithm, so LOW must be above 0")
    if not 0 < settings.test_fraction < 1:
        raise SettingError(f"--test-fraction {settings.test_fraction}: must lie between 0 and 1")


def check_batches(settings: Settings, num_rows: int) -> None:
    """Raises SettingError for a batch larger than the training data."""
    for size in settings.batch_size:
        if size > num_rows:
            raise SettingError(
                f"--batch-size {size}: larger than the {num_rows} training rows; "
                f"take at most {num_rows}"
            )


def _dashed(name: str) -> str:
    return name.replace("_", "-")
