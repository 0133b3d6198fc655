"""Lines and tables of the zoo."""

from collections import Counter

import numpy as np

from experiments.benchmarks import tables
from experiments.benchmarks.paths.figures import machines

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


def page(problems: dict) -> str:
    """The results as Markdown."""
    total = sum((Counter(found["outcomes"]) for found in problems.values()), Counter())
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
        " / J, with J* by numpy, bounded by its dual; gap: the worst that a lane claims. The peer"
        " is scikit-learn's fastest solver at the loosest tolerance that brings every lane within"
        " 1e-6; ratio: its seconds to ours, warm, in turns.\n\n"
        f"{machines(problems)}\n\n"
        f"{total.total()} lanes of {len(problems)} problems: {_counted(dict(total.most_common()))}."
        f" Ratio: median {median} of {len(ratios)} problems that a peer solves.\n\n"
        f"{_table(problems)}\n\n## Faults\n\n" + ("\n".join(faults) or "None.") + "\n"
    )


def _counted(outcomes) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def _table(problems) -> str:
    columns = {
        "problem": "{name}",
        "kind": "{kind}",
        "n x p, classes": "{shape[0]:,} x {shape[1]:,}, {shape[2]}",
        "α": "{l1_ratio:g}",
        "lanes": "{counted}",
        "error": "{worst_error:.0e}",
        "gap": "{worst_gap:.0e}",
        "first, s": "{first_seconds:.1f}",
        "warm, s": "{seconds:.3g}",
    }
    peer = {"peer": "{peer[solver]} {peer[tol]:.0e}", "its s": "{peer[seconds]:.3g}"}
    peer["ratio"] = "{ratio:.2g}"
    rows = []
    for name, found in problems.items():
        record = found | {"name": name, "counted": _counted(found["outcomes"])}
        cells = [cell.format(**record) for cell in columns.values()]
        beside = [cell.format(**record) for cell in peer.values()] if "peer" in found else None
        rows.append(cells + (beside or ["none", "", ""]))
    return tables.markdown([*columns, *peer], rows)
