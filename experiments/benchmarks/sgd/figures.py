"""Tables and the figure of the SGD sweep benchmark."""

from matplotlib.figure import Figure

from experiments.benchmarks import machine, tables

REQUIRED = {"SGDClassifier, all cores": 40, "optax, a compiled step": 25, "torch.func": 2.5}


def duel_table(duel: dict) -> str:
    """Milliseconds per lane and epoch, everybody in one run."""
    rows = [
        [name, f"{ms:.2f}", f"{duel['ratio'].get(name, 1):.1f}x", str(REQUIRED.get(name, ""))]
        for name, ms in duel["ms_per_lane"].items()
    ]
    head = ["contestant", "ms per lane and epoch", "jaxlr is faster by", "required"]
    return (
        f"{duel['lanes']} lanes, batch {duel['batch_size']}: {duel['share_of_peak']:.0%} of the "
        f"matrix-product peak ({duel['peak_gigaflops']:.0f} GF/s measured in the same rounds; "
        f"70 % required)\n\n{tables.markdown(head, rows)}\n"
    )


def lanes_table(rows: list[dict]) -> str:
    """The cost of a lane as lanes are added."""
    columns = {
        "lanes": "{lanes}",
        "batch": "{batch_size}",
        "epoch, s": "{seconds:.3f}",
        "ms per lane": "{ms_per_lane:.2f}",
        "GF/s": "{gigaflops:.0f}",
        "compile, s": "{compile_seconds:.2f}",
    }
    return tables.of(rows, columns) + "\n"


def quality_table(quality: dict) -> str:
    """Seconds until both searches reach the same validation log-loss."""
    head = ["search", "configurations", "best log-loss", "seconds to the goal"]
    seconds = quality["seconds_to_goal"]
    rows = [
        [name, str(quality["configurations"][name]), f"{best:.5f}", f"{seconds[name]:.2f}"]
        for name, best in quality["best_log_loss"].items()
    ]
    return (
        f"goal: validation log-loss {quality['goal_log_loss']:.5f}, the worse of the two bests; "
        f"the sweep is there {quality['ratio']:.1f}x sooner, compilation included\n\n"
        f"{tables.markdown(head, rows)}\n"
    )


def page(results: dict) -> str:
    """The tables as Markdown with the figure beside it."""
    return (
        f"# SGD sweeps\n\nOdd or even, {results['data']}, float32, binary logistic regression.\n"
        f"{machine.about(results['machine'])}.\n\n{duel_table(results['duel'])}\n"
        f"![cost per lane](sgd_sweep.svg)\n\n"
        f"{lanes_table(results['lanes'])}\n{quality_table(results['quality'])}"
    )


def cost_per_lane(results: dict) -> Figure:
    """Milliseconds per lane against lanes, with the floor that the peak sets."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    for size, colour in ((64, "#0072b2"), (256, "#d55e00")):
        rows = [row for row in results["lanes"] if row["batch_size"] == size]
        lanes, cost = ([row[key] for row in rows] for key in ("lanes", "ms_per_lane"))
        axes.loglog(lanes, cost, "o-", color=colour, label=f"jaxlr, batch {size}")
    duel = results["duel"]
    for name, style in (("SGDClassifier, all cores", "--"), ("optax, a compiled step", "-.")):
        axes.axhline(duel["ms_per_lane"][name], color="#555555", linestyle=style, label=name)
    operations = duel["ms_per_lane"]["jaxlr"] * duel["share_of_peak"]
    axes.axhline(operations, color="#009e73", linestyle=":", label="matrix-product peak")
    axes.set(xlabel="lanes", ylabel="ms per lane and epoch", title="What a lane costs")
    axes.set_xticks([1, 8, 64, 256, 1024], labels=["1", "8", "64", "256", "1024"])
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure
