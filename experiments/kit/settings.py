"""The dials that every command shares, and how a mistake in one is said: before any work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from tyro.conf import FlagConversionOff

from experiments.kit import class_weights
from experiments.kit.mistakes import SettingError

LARGEST = 1e30  # of a number that is trained with: float32 ends at 3e38
SEEDS = (0, 2**32 - 1)  # a key holds 32 bits of its seed: larger ones would be smaller ones again
SIZES = (1, 2**24)
DECIMALS = (".", ",")
# NaN is none of these: it is the answer of a failed computation, not an empty cell.
MISSING_TEXTS = ("NA", "N/A", "n/a", "<NA>", "#N/A", "?", "null", "NULL", "None")


@dataclass(frozen=True)
class TextSettings:
    """How files of text are read."""

    header: FlagConversionOff[bool | None] = None
    """Whether a CSV's first row holds names; default: look."""
    missing_values: tuple[str, ...] = MISSING_TEXTS
    """Texts that are missing values, as empty cells are."""
    comment: str | None = None
    """Lines of a CSV that begin so are left out; default: above the table those with #."""
    decimal: Literal[DECIMALS] | None = None
    """The decimal sign of columns that could have either, like 1,234; default: that of all other
    columns, or else the point, or the comma where commas do not separate cells."""


@dataclass(frozen=True)
class DataSettings:
    """Which rows and columns."""

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
    labels_file: str | None = None
    """Labels of IDX images, where they are not beside them."""


@dataclass(frozen=True)
class TableSettings(TextSettings, DataSettings):
    """The dials of data and of results; each command adds its own, and its module's name."""

    NAME: ClassVar[str]

    out: str = "out"
    """Folder for the results; must be new or empty."""
    overwrite: bool = False
    """Replace earlier results in --out."""
    seed: int = 0
    """Seed of the split, the folds and all else that is drawn."""
    test_fraction: float = 0.2
    """Share of rows set aside for the one test at the end."""
    class_weight: tuple[str, ...] = ()
    """Training rows weigh what their class does: balanced (rows / (classes x rows of the class)),
    or a number for each class in the order of their names."""

    def reading(self) -> dict:
        """How files are read: arguments that `load` and `load_probes` have in common."""
        names = ("task", "weights", "missing", "drop", "categorical", "labels_file")
        names += ("header", "missing_values", "comment", "decimal")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ResumableSettings(TableSettings):
    """Of a command whose runs may be long."""

    resume: bool = False
    """Go on with what was interrupted, to the same results; it is in OUT.partial until then."""


def refuse(mistakes: Iterable[str]) -> None:
    """Raises SettingError where there are mistakes: one line for all of them."""
    mistakes = list(mistakes)
    if mistakes:
        raise SettingError("; ".join(mistakes))


def mistakes(settings: TableSettings, limits: dict[str, tuple[int, int]]) -> Iterator[str]:
    """The mistakes of what all share, and of whole numbers outside their limits."""
    for name, (least, most) in (limits | {"seed": SEEDS}).items():
        given = getattr(settings, name)
        for value in given if isinstance(given, tuple) else (given,):
            if value is not None and not least <= value <= most:
                end = f"at least {least}" if value < least else f"at most {most}"
                yield f"--{dashed(name)} {value}: must be {end}"
    try:
        class_weights.asked(settings.class_weight)
    except SettingError as error:
        yield str(error)
    if not 0 < settings.test_fraction < 1:
        yield f"--test-fraction {settings.test_fraction}: must lie between 0 and 1"


def dashed(name: str) -> str:
    """A setting's name as an option's."""
    return name.replace("_", "-")
