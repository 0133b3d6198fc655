"""Tables and the figure of the path benchmark."""

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from experiments.benchmarks import machine, tables
from experiments.benchmarks.paths.tuning import GOOD


def best_peer(result: dict) -> str | None:
    """The fastest peer whose worst lane is good."""
    good = {n: p["seconds"] for n, p in result["peers"].items() if p["error"] <= GOOD}
    return min(good, key=good.get) if good else None


def as_it_comes(result: dict) -> str:
    """scikit-learn at its default tolerance and iterations."""
    return next(name for name in result["peers"] if "as it comes" in name)


def table(problems: dict) -> str:
    """A row per problem: ours, the best good peer, and scikit-learn as it comes."""
    columns = {
        "problem": "{name}: {about}, {shape[0]:,} x {shape[1]}",
        "lanes": "{lanes}",
        "jaxlr, s": "{own}",
        "compile, s": "{compile_seconds:.1f}",
        "worst lane": "{error:.0e}",
        "certified": "{certified:.0%}",
        "best peer within 1e-6": "{best}",
        "its s": "{best_seconds}",
        "ratio": "{best_ratio}",
        "required": "{required:g}",
        "as it comes, s": "{usual_seconds}",
        "its error": "{usual[error]:.0e}",
        "ratio ": "{usual[ratio]:.1f}",
    }
    rows = []
    for name, result in problems.items():
        best, usual = best_peer(result), result["peers"][as_it_comes(result)]
        peer = result["peers"].get(best)
        part = "" if result["part"] == 1 else f" (from {result['part']:.0%} of the lanes)"
        told = {
            "name": name,
            "own": _seconds(result["seconds"]),
            "best": best + part if best else "none",
            "best_seconds": _seconds(peer["seconds"]) if peer else "",
            "best_ratio": f"{peer['ratio']:.1f}" if peer else "",
            "usual": usual,
            "usual_seconds": _seconds(usual["seconds"]) + part,
        }
        rows.append(result | told)
    return tables.of(rows, columns)


def peers_table(problems: dict) -> str:
    """Every peer of every problem: the loosest good tolerance, or why there is none."""
    rows = []
    for name, result in problems.items():
        rows += [
            [name, peer, f"{p['error']:.0e}", _seconds(p["seconds"]), f"{p['ratio']:.1f}"]
            for peer, p in result["peers"].items()
        ]
        for peer, found in result["tuning"].items():
            if any(timed.startswith(peer + ", tol") for timed in result["peers"]):
                continue
            error = "" if found["error"] is None else f"{found['error']:.0e}"
            why = found.get("ended") or f"tol {found['tol']:.0e}, slower than others on one core"
            rows.append([name, f"{peer}: {why}", error, "", ""])
    return tables.markdown(["problem", "peer", "worst lane", "s", "ratio"], rows)


def machines(problems: dict) -> str:
    """A line for every machine that problems were measured on, with their names if there are two.

    Times of different machines are not to be compared; ratios are of one run each.
    """
    measured = {}
    for name, result in problems.items():
        measured.setdefault(machine.about(result["machine"]), []).append(name)
    if len(measured) == 1:
        return f"{next(iter(measured))}."
    return "\n".join(f"- {', '.join(names)}: {about}." for about, names in measured.items())


def page(problems: dict) -> str:
    """The tables as Markdown with the figure beside it."""
    broken = sum(result["bounds_broken"] for result in problems.values())
    lanes = sum(result["lanes"] for result in problems.values())
    return (
        "# Penalty paths beside other libraries\n\n"
        "Seconds of a whole path, warm, from numpy arrays in memory; worst lane: the greatest "
        "(J - J*) / J*, with J* by numpy in float64. Peers stand at the loosest tolerance that "
        "brings their worst lane within 1e-6, in the faster of one process and all cores, dense "
        "and CSR.\n\n"
        f"{machines(problems)}\n\n{table(problems)}\n\n"
        f"Bounds below the measured error: {broken} of {lanes} lanes.\n\n"
        f"![speed-ups](paths.svg)\n\n## Every peer\n\n{peers_table(problems)}\n"
    )


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


def _seconds(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
