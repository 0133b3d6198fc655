"""The dials of the comparison, and what values make sense."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from experiments.kit.optimizers import RULES
from experiments.kit.settings import LARGEST, SIZES, ResumableSettings, mistakes, refuse

# Left out unless asked for: rprop is for whole batches, the others differ little from a neighbour.
EXTRAS = ("rprop", "noisy_sgd", "nadamw", "adamaxw")
DEFAULT = tuple(name for name in RULES if name not in EXTRAS)


@dataclass(frozen=True)
class Settings(ResumableSettings):
    """The dials of the comparison."""

    NAME: ClassVar[str] = "experiments.optimizers"

    data: tuple[str, ...] = ("digits", "breast_cancer")
    """breast_cancer, iris, wine, diabetes, digits, or files: CSV, Parquet, NPZ, LIBSVM, IDX."""
    target: str | None = None
    """Column to predict, in every data set; default: as in the sweep."""
    out: str = "out/optimizers"
    """Folder for the results; must be new or empty."""
    optimizers: tuple[str, ...] = DEFAULT
    """Optimizers to compare; rprop, noisy_sgd, nadamw and adamaxw are there for the asking."""
    points: int = 64
    """Settings that each optimizer may try: of its learning rate, and of its memory (momentum,
    decay or b1) where it has one; experiments.sweep tunes the other numbers."""
    seeds: int = 3
    """Folds and orders that each setting is tried on."""
    epochs: int = 20
    """Passes over the training rows."""
    batch_size: int = 32
    """Rows per step."""
    l2: float = 1e-3
    """Ridge penalty, the same for all; the risk adds l2/2 ||W||^2."""


def check(settings: Settings) -> Settings:
    """The settings without repeated names.

    Raises:
      SettingError: a value that has no meaning, before any work.
    """
    refuse(_mistakes(settings))
    once = {name: tuple(dict.fromkeys(getattr(settings, name))) for name in ("data", "optimizers")}
    return dataclasses.replace(settings, **once)


def _mistakes(settings: Settings) -> Iterator[str]:
    from experiments.datasets.errors import did_you_mean  # late, as it imports pandas

    limits = dict.fromkeys(("points", "seeds", "epochs", "batch_size"), SIZES)
    yield from mistakes(settings, limits)
    for name in ("data", "optimizers"):
        if not getattr(settings, name):
            yield f"--{name}: name at least one"
    for name in settings.optimizers:
        if name not in RULES:
            near = did_you_mean(name, tuple(RULES))
            yield f"--optimizers {name!r} is unknown{near}; choose out of {', '.join(RULES)}"
    if not 0 <= settings.l2 < LARGEST:
        yield f"--l2 {settings.l2:g}: must lie in [0, {LARGEST:g})"
