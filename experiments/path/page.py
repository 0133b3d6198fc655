"""The page of exact paths: one file that holds everything, opens anywhere and needs no network."""

import re
from pathlib import Path

import matplotlib

from experiments.datasets.probes import Probes
from experiments.kit import pages, saved, style, words
from experiments.kit.clock import Clock
from experiments.kit.report import examine, tested, weights
from experiments.path import certificates, choices, layers, penalties
from experiments.path.findings import Findings, Probe
from experiments.path.settings import Plan

MOST_ROWS = 30  # more probes than this: the others on demand


def write(
    folder: Path,
    probes: Probes,
    plan: Plan,
    found: Findings,
    models: dict[str, saved.Model],
    summary: dict,
    clock: Clock,
) -> None:
    """Writes report.html, and of several probes probes/NAME.html for each of plan.pages.

    Every page is self-contained, with the same bytes for the same findings.

    Args:
      folder: where to.
      probes: layers and targets.
      plan: what was run.
      found: what came of it.
      models: what is saved of each probe, by its name.
      summary: what summary.json holds, `command` among it.
      clock: what the page says of the time.
    """
    named = names(found)
    own = own_pages(found, plan) if len(found.probes) > 1 else []
    links = {probe: f"probes/{name}.html" for name, probe in named.items() if probe in own}
    if own:
        (folder / "probes").mkdir(exist_ok=True)
    with matplotlib.rc_context(style.RC):
        for name, probe in named.items():
            if probe in own:
                pages.write(
                    folder / links[probe],
                    "path/page.html",
                    title=f"{words.clipped(probe.target, 60)} on {words.clipped(probe.layer, 60)}",
                    back=f"One of {len(named):,} probes: all of them.",
                    notes=(),
                    **of_lead(plan, narrowed(found, probe), models.get(name)),
                )
        model = next(models.get(name) for name, probe in named.items() if probe is found.lead)
        pages.write(
            folder / "report.html",
            "path/page.html",
            title=pages.macros("path/words.html").title(probes.name, found),
            back=None,
            notes=summary["data"].get("remarks", ()),
            probes=probes,
            summary=summary,
            clock=clock,
            **of_lead(plan, found, model),
            **of_all(plan, found, links),
        )


def names(found: Findings) -> dict[str, Probe]:
    """The probes by names that files can have, each another one."""
    named = {}
    for probe in found.probes:
        parts = [probe.layer] * (len(found.layers) > 1) + [probe.target] * (len(found.targets) > 1)
        name = re.sub(r"[^\w.-]+", "-", "_".join(parts or ["model"])).strip(".-")[:80] or "probe"
        while name in named:
            name += "_"
        named[name] = probe
    return named


def own_pages(found: Findings, plan: Plan) -> list[Probe]:
    """The probes that have a page: each target on its best layer first, then the others."""
    first = choices.short(found, plan, 0) if len(found.probes) > plan.pages else []
    rest = [probe for probe in found.probes if probe not in first]
    return [*first, *rest][: plan.pages]


def narrowed(found: Findings, probe: Probe) -> Findings:
    """The findings as if the probe were alone."""
    lanes = found.lanes
    here = (lanes["layer"] == probe.layer) & (lanes["target"] == probe.target)
    return Findings([probe], lanes[here], probe)


def of_all(plan: Plan, found: Findings, links: dict[Probe, str]) -> dict:
    """What compares the probes."""

    def table(shown):
        told = choices.cells(found, plan, shown)
        told.links = {i: links[probe] for i, probe in enumerate(shown) if probe in links}
        return told

    few = choices.short(found, plan, MOST_ROWS)
    return {
        "maps": layers.maps(found, plan) if len(found.probes) > 1 else [],
        "shown": table(few),
        "whole": table(found.probes) if len(few) < len(found.probes) else None,
    }


def of_lead(plan: Plan, found: Findings, model: saved.Model | None) -> dict:
    """What looks at the lead, and how exact all lanes are."""
    lead, curve, along = found.lead, [], []
    if len(lead.lambdas) > 1:
        loss = examine.guessing_loss(lead.problem) if plan.metric == "loss" else None
        shows = "Held-out figure against the penalty, with its standard error and what a rule takes"
        curve = [("validation", penalties.curve(lead, plan, loss), shows)]
        shows = "Weights against the penalty: one line per feature, the chosen penalty marked"
        along = [("weights", penalties.coefficients(lead), shows)]
    shows = "Proved bound and estimate of every lane's distance from its optimum, by penalty"
    return {
        "plan": plan,
        "found": found,
        "problem": lead.problem,
        "guess": choices.guessing(lead, plan.metric) if lead.test else float("nan"),
        "curve": curve,
        "along": along,
        "drawn": penalties.shown_until(lead),
        "panels": penalties.MOST_CLASSES,
        "weights": weights.told(model) if model else None,
        "bounds": [("bounds", certificates.draw(found.lanes, plan.tol), shows)],
        "lanes": certificates.relative(found.lanes),
        "worst": len(found.lanes) > certificates.MOST_LANES,
        "endings": certificates.endings(found.lanes),
        "seen": tested.of(lead.problem, lead.test),
    }
