"""What a schedule spent: who went on after each rung, and the epochs that it took."""

import numpy as np

from experiments.kit import pages, words
from experiments.sweep.plan import Plan
from experiments.sweep.study import Findings


def rungs(findings: Findings, plan: Plan) -> dict | None:
    """A table of the rungs and its caption; None where nothing is pruned by epochs.

    Its unit is an epoch of a lane; the whole budget is every lane to the end.
    """
    if plan.schedule not in ("halving", "hyperband"):
        return None
    steps = findings.steps
    cuts = np.unique(steps.loc[steps["status"] == "pruned", "epoch"])
    whole, each, rows, spent = plan.num_lanes * plan.epochs, plan.per_segment, [], 0
    for start, end in zip([0, *cuts], [*cuts, plan.epochs], strict=True):
        here = steps[(steps["epoch"] > start) & (steps["epoch"] <= end)]
        seen = [
            here["config"],
            *(here["config"][here["status"] == s] for s in ("diverged", "pruned")),
        ]
        used = len(here) * each
        spent += used
        counts = [end, *(of.nunique() for of in seen), used]
        rows.append(
            [*(f"{n:,}" for n in counts), *(words.percent(n / whole) for n in (used, spent))]
        )
    given = steps.groupby("config")["epoch"].max()
    said = pages.macros("sweep/words.html").rungs(plan, spent, whole, given)
    head = ["until epoch", "configurations", "diverged", "pruned after it", "epochs of lanes"]
    return {"head": [*head, "of the budget", "until then"], "rows": rows, "said": said}
