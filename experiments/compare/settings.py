"""Which results to compare."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Settings:
    """What `experiments.compare` may be told."""

    NAME: ClassVar[str] = "experiments.compare"

    a: Positional[Annotated[str, arg(metavar="A")]]
    """A result folder."""
    b: Positional[Annotated[str, arg(metavar="B")]]
    """Another one of the same command."""
