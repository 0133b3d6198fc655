"""Axes by name: one entry of them, found exactly or not at all."""

from collections.abc import Collection
from typing import Any

import jax
import numpy as np

EXACT = 1e-12  # relative: what two ways of computing a penalty may differ by
AXES = ("target", "dataset", "fold", "l1_ratio", "lambda")


def number(name: str, wanted: Any, num: int) -> int:
    """The place of a target, data set or fold that is told by its number.

    Raises:
      ValueError: there is none.
    """
    try:
        if int(wanted) == wanted and -num <= wanted < num:
            return int(wanted) % num
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} must be a whole number from 0 to {num - 1}, and is {wanted!r}")


def value(name: str, wanted: Any, values: np.ndarray) -> int:
    """The first place in values [K] of one that equals `wanted` to rounding.

    Raises:
      ValueError: there is none; the nearest is named.
    """
    try:
        away = np.abs(values - float(wanted))
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, and is {wanted!r}") from None
    here = np.flatnonzero(away <= EXACT * np.abs(values))
    if not len(here):
        nearest = values[np.argmin(np.where(np.isnan(away), np.inf, away))]
        raise ValueError(f"no {name} is {wanted!r}; the nearest is {float(nearest)!r}")
    return int(here[0])


def stacked(parts: list, kept: Collection[str]) -> Any:
    """Trees of every data set, of leaves [T, F?, A?, K?, ...], as one: [T, S, F?, A?, K?, ...].

    Of axes that are not kept, which have length 1, there are none.
    """
    gone = tuple(at for at, name in enumerate(AXES) if name not in kept)
    return jax.tree.map(lambda *leaves: np.stack(leaves, axis=1).squeeze(gone), *parts)
