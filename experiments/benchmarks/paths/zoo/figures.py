"""Lines and the page of the zoo."""

from collections import Counter

import numpy as np

SHOWN = 3  # faults of a problem that a line tells


def line(name: str, found: dict) -> str:
    """A problem in one line, and its first faults in lines below it."""
    peer = f"; {found['peer']['solver']} x{found['ratio']:.2g}" if "peer" in found else ""
    told = (
        f"{name}: {_counted(found['outcomes'])}; error {found['worst_error']:.0e}; first"
        f" {found['first_seconds']:.1f} s, warm {found['seconds']:.3g} s{peer}"
    )
    more = len(found["faults"]) - SHOWN
    faults = [*found["faults"][:SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "\n".join([told, *(f"    FAULT {fault}" for fault in faults)])


def told(problems: dict) -> dict:
    """What the page tells beside the problems."""
    total = sum((Counter(found["outcomes"]) for found in problems.values()), Counter())
    ratios = [found["ratio"] for found in problems.values() if "ratio" in found]
    median = f"{np.median(ratios):.1f}, worst {min(ratios):.2f}" if ratios else "none"
    numbers = {"total": total, "median": median, "num_ratios": len(ratios)}
    return numbers | {"problems": problems, "counted": _counted}


def _counted(outcomes) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
