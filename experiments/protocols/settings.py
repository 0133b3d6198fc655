"""The dials that published protocols add to those of paths, and how a mistake in one is said."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated, Literal

from tyro.conf import arg

from experiments.kit.settings import ResumableSettings, dashed
from experiments.protocols import table


@dataclass(frozen=True)
class ProtocolSettings(ResumableSettings):
    """The dials of protocols."""

    protocol: Annotated[
        Literal[tuple(table.PROTOCOLS)] | None, arg(help=table.told().replace("%", "%%"))
    ] = None
    test: tuple[str, ...] = ()
    """Embeddings of a protocol's test rows, a file for each of --data; default: those that an NPZ
    holds as test_x and test_y, or a share of the rows (--test-fraction)."""
    test_labels: str | None = None
    """Labels of --test, as --labels are those of --data."""
    validation: tuple[str, ...] = ()
    """Embeddings of a protocol's validation rows, likewise."""
    validation_labels: str | None = None
    """Labels of --validation."""
    per_label: int | None = None
    """mteb: rows of a label in each draw; default 8, and some tasks have 16 or 32."""
    solver: Literal["exact", "scikit-learn"] | None = None
    """mteb: exact (default), every fit certified; or scikit-learn's own fit, which stops after some
    ten steps, for the published scores to the row."""
    few_shot: float | None = None
    """dinov3: rows of a class to train on, or below 1 their share; default: all."""
    tries: int | None = None
    """dinov3: how many few-shot draws; default 1."""
    penalty: Literal["l2", "l1"] | None = None
    """sae-probes: default l2."""
    epochs: int | None = None
    """clip-benchmark: default 20."""
    iterations: int | None = None
    """dinov2-heads: steps; default 12,500."""
    batch_size: int | None = None
    """Rows of a step; default 512 of clip-benchmark, 128 of dinov2-heads."""


def mistakes(settings: ProtocolSettings) -> Iterator[str]:
    """Options that the protocol fixes, or that go with another one, or with any."""
    name = settings.protocol
    if name is None:
        for option in filter(partial(_is_given, settings), (*table.OWN, *table.FILES)):
            yield f"{_typed(settings, option)}: goes with --protocol; name one, or leave it out"
        return
    asked = table.PROTOCOLS[name]
    fixed = [option for option in (*table.FIXED, *table.OWN) if option not in asked.takes]
    fixed += table.FILES if asked.is_path else ()
    for option in filter(partial(_is_given, settings), fixed):
        cure = "leave one of the two out"
        yield f"{_typed(settings, option)}: --protocol {name} fixes it; {cure}"
    for option in ("per_label", "tries", "epochs", "iterations", "batch_size"):
        if _is_given(settings, option) and getattr(settings, option) < 1:
            yield f"{_typed(settings, option)}: must be at least 1"
    if settings.few_shot is not None and not settings.few_shot > 0:
        yield f"{_typed(settings, 'few_shot')}: must be above 0, 10 rows or 0.1 of them"
    elif settings.few_shot is not None and settings.few_shot > 1 and settings.few_shot % 1:
        yield f"{_typed(settings, 'few_shot')}: must be a whole number of rows, or below 1 a share"
    if settings.tries is not None and settings.few_shot is None:
        yield f"{_typed(settings, 'tries')}: counts draws of --few-shot; give both"


def options(settings: ProtocolSettings) -> dict:
    """What the protocol's `run` is told: the seed and the options it takes, where given."""
    takes = ("seed", *table.PROTOCOLS[settings.protocol].takes)
    return {name: getattr(settings, name) for name in takes if _is_given(settings, name)}


def _is_given(settings: ProtocolSettings, option: str) -> bool:
    (default,) = (field.default for field in fields(settings) if field.name == option)
    return getattr(settings, option) != default


def _typed(settings: ProtocolSettings, option: str) -> str:
    """The option as one would type it."""
    value = getattr(settings, option)
    if value is False:
        return f"--no-{dashed(option)}"
    values = value if isinstance(value, tuple) else (value,)
    said = " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
    return f"--{dashed(option)} {said}"
