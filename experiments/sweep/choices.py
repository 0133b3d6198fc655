"""Choices that are more than a list: numbers of epochs, which share segments; shapes of mlps."""

import re
from collections.abc import Iterator
from math import gcd

MOST_UNITS = 2**16  # of a hidden stage
MOST_LOOKS = 20  # at a lane; each is a look at all rows that its fold holds out
STAGES = re.compile(r"[1-9]\d*(x[1-9]\d*)*", re.ASCII)


def num_evaluations(*epochs: int) -> int:
    """How often the longest lanes are evaluated: the most up to MOST_LOOKS; 0 if there is no way.

    Lanes are evaluated together, so that every number of epochs is a multiple of what lies between.
    """
    longest, common = max(epochs), gcd(*epochs)
    return max(
        (n for n in range(1, MOST_LOOKS + 1) if longest % n == 0 and common % (longest // n) == 0),
        default=0,
    )


def widths(hidden: str) -> tuple[int, ...]:
    """Of the stages of 64x32, the first one first; an mlp without hidden stages has no text."""
    return tuple(map(int, hidden.split("x"))) if hidden else ()


def mistakes(epochs: tuple[int, ...], hidden: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with --epochs and --hidden."""
    if not epochs:
        yield "--epochs: give at least one number of passes"
    elif min(epochs) > 0 and not num_evaluations(*epochs):
        unit = -(-max(epochs) // MOST_LOOKS)
        like = " ".join(str(-(-number // unit) * unit) for number in epochs)
        yield (
            f"--epochs {' '.join(map(str, epochs))}: too little in common to be evaluated together,"
            f" {MOST_LOOKS} times at most; take multiples of {unit}, like {like}"
        )
    if not hidden:
        yield "--hidden: give at least one shape, like 32 or 64x32"
    for shape in hidden:
        if not STAGES.fullmatch(shape):
            yield f"--hidden {shape}: give widths of at least 1, joined by x, like 32 or 64x32"
        elif max(widths(shape)) > MOST_UNITS:
            yield f"--hidden {shape}: a stage has at most {MOST_UNITS} units"
