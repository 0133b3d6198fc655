"""What to predict, by what, and where to."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from tyro.conf import Positional, arg

from experiments.kit.settings import TextSettings


@dataclass(frozen=True)
class _Settings:
    """All but how texts are read."""

    folder: Positional[Annotated[str, arg(metavar="DIR")]]
    """A result folder, or a model's file."""
    data: str
    """The new rows, in any format that training reads; labels are not needed."""
    out: str = "predictions.csv"
    """A .csv or .parquet file for the predictions; must be new."""
    overwrite: bool = False
    """Replace an earlier --out."""
    model: str | None = None
    """Which of the folder's models/NAME.npz; default: model.npz."""
    missing_columns: Literal["refuse", "impute"] = "refuse"
    """Columns that the file lacks: a mistake, or empty in every row."""


@dataclass(frozen=True)
class Settings(TextSettings, _Settings):
    """What `experiments.predict` may be told."""

    NAME: ClassVar[str] = "experiments.predict"
