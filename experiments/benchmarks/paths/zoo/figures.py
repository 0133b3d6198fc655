"""Lines and tables of the zoo."""

from collections import Counter

import numpy as np

from experiments.benchmarks.paths.figures import machines

SHOWN = 3  # faults of a problem that a line tells


def line(name: str, found: dict) -> str:
    """A problem in one line, and its first faults in lines below it."""
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in found["outcomes"].items())
    peer = f"; {found['peer']['solver']} x{found['ratio']:.2g}" if "peer" in found else ""
    told = (
        f"{name}: {outcomes}; error {found['worst_error']:.0e}; first {found['first_seconds']:.1f}"
        f" s, warm {found['seconds']:.3g} s{peer}"
    )
    more = len(found["faults"]) - SHOWN
    faults = [*found["faults"][:SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "\n".join([told, *(f"    FAULT {fault}" for fault in faults)])


def page(problems: dict) -> str:
    """The results as Markdown."""
    total = Counter()
    for found in problems.values():
        total.update(found["outcomes"])
    ratios = [found["ratio"] for found in problems.values() if "ratio" in found]
    median = f"{np.median(ratios):.1f}, worst {min(ratios):.2f}" if ratios else "none"
    faults = [
        f"- **{name}** (seed {found['seed']}): {fault}"
        for name, found in problems.items()
        for fault in found["faults"]
    ]
    return (
        "# A zoo of penalty paths\n\n"
        "Penalties from the strongest that matters to 1e-9 of it. Error: the worst lane's (J - J*)"
        " / J, with J* by numpy in extended precision; gap: the worst that a lane claims. The peer"
        " is scikit-learn's fastest solver at the loosest tolerance that brings every lane within"
        " 1e-6; ratio: its seconds to ours, warm, in turns.\n\n"
        f"{machines(problems)}\n\n"
        f"{sum(total.values())} lanes of {len(problems)} problems: "
        f"{', '.join(f'{count} {outcome}' for outcome, count in total.most_common())}. "
        f"Ratio: median {median} of {len(ratios)} problems that a peer solves.\n\n"
        f"{_table(problems)}\n\n## Faults\n\n" + ("\n".join(faults) or "None.") + "\n"
    )


def _table(problems) -> str:
    head = ["problem", "kind", "n x p, classes", "α", "lanes", "error", "gap", "first, s"]
    head += ["warm, s", "peer", "its s", "ratio"]
    rows = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, found in problems.items():
        n, p, classes = found["shape"]
        peer = found.get("peer")
        cells = [name, found["kind"], f"{n:,} x {p:,}, {classes}", f"{found['l1_ratio']:g}"]
        cells += [", ".join(f"{count} {o}" for o, count in found["outcomes"].items())]
        cells += [f"{found['worst_error']:.0e}", f"{found['worst_gap']:.0e}"]
        cells += [f"{found['first_seconds']:.1f}", f"{found['seconds']:.3g}"]
        cells += [f"{peer['solver']} {peer['tol']:.0e}" if peer else "none"]
        cells += [f"{peer['seconds']:.3g}" if peer else "", f"{found['ratio']:.2g}" if peer else ""]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)
