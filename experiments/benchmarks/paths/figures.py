"""The page and the figure of the path benchmark."""

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from experiments.benchmarks.paths.tuning import GOOD


def best_peer(result: dict) -> str | None:
    """The fastest peer whose worst lane is good."""
    good = {n: p["seconds"] for n, p in result["peers"].items() if p["error"] <= GOOD}
    return min(good, key=good.get) if good else None


def as_it_comes(result: dict) -> str:
    """scikit-learn at its default tolerance and iterations."""
    return next(name for name in result["peers"] if "as it comes" in name)


def told(problems: dict) -> dict:
    """What the page tells beside the problems."""
    untimed = [
        (name, peer, found)
        for name, result in problems.items()
        for peer, found in result["tuning"].items()
        if not any(timed.startswith(peer + ", tol") for timed in result["peers"])
    ]
    return {"untimed": untimed, "best_peer": best_peer, "as_it_comes": as_it_comes}


def ratios(problems: dict) -> Figure:
    """How many times faster than the best good peer, beside what is required."""
    figure = Figure(figsize=(6.4, 1.0 + 0.35 * len(problems)), layout="constrained")
    axes = figure.subplots()
    names = list(problems)[::-1]
    # Where no peer is good, the default is the yardstick.
    peers = [best_peer(problems[n]) or as_it_comes(problems[n]) for n in names]
    found = [problems[n]["peers"][peer]["ratio"] for n, peer in zip(names, peers, strict=True)]
    axes.barh(names, found, color="#0072b2", height=0.6, label="measured")
    needed = [problems[n]["required"] for n in names]
    axes.plot(needed, names, "|", color="#d55e00", markersize=14, mew=2, label="required")
    beside = axes.get_yaxis_transform()
    for name, ratio in zip(names, found, strict=True):
        star = "" if best_peer(problems[name]) else "*"
        # In a column of their own: no bar's end and no mark can lie upon them.
        axes.text(1.02, name, f"{ratio:.1f}{star}", va="center", fontsize=8, transform=beside)
    axes.set(xscale="log", xlabel="times faster than the best peer within 1e-6 (*as it comes)")
    axes.axvline(1, color="0.6", lw=0.8, zorder=0)
    axes.set_xlim(min(0.5, 0.9 * min(found)), 1.3 * max([*found, *needed]))
    axes.xaxis.set_major_locator(LogLocator(base=2, numticks=12))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper right", ncols=2)
    return figure
