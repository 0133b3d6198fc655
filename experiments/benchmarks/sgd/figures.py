"""The figure of the SGD sweep benchmark."""

from matplotlib.figure import Figure


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
