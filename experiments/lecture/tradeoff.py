"""A9's story of precision against recall: all thresholds of a filter, and F_beta of one.

Question: how do two metrics become one number?
Finding: F_beta runs from precision (beta = 0) through F1 to recall as beta grows.
"""

import numpy as np

from experiments.kit import style, words
from jaxlr import metrics

BETAS = np.geomspace(0.1, 10, 41)


def betas(labels, flagged) -> list:
    """(beta, F_beta) of one answer to each letter."""
    return [(b, float(metrics.fbeta_score(labels, flagged, beta=b))) for b in BETAS.tolist()]


def curve(facts, say):
    """Precision against recall over all thresholds, and where F1 stays the same."""
    figure, axes = style.panel(4.9, 4.3)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(f1 / (2 - f1), 1, 60)
        axes.plot(recall, f1 * recall / (2 * recall - f1), color=style.MUTED, lw=0.9, ls="--")
        axes.text(1.01, f1 / (2 - f1), f"F1 = {f1}", va="center", color=style.MUTED, fontsize=8.5)
    axes.plot(*np.array(facts["curve"]).T, color=style.ACCENT, lw=2.2)
    here = facts["fitted"]["recall"], facts["fitted"]["precision"]
    axes.plot(*here, "o", color=style.WARM, ms=9)
    note = say("threshold", "порог") + f" {facts['threshold']}"
    paper = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1}
    place = {"xytext": (-9, -9), "textcoords": "offset points", "ha": "right", "va": "top"}
    axes.annotate(note, here, color=style.WARM, bbox=paper, **place)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_xlabel(say("recall", "полнота"))
    axes.set_ylabel(say("precision", "точность"))
    return figure, say("Precision against recall", "Точность и полнота")


def over_beta(facts, say):
    """F_beta between its ends, which are precision and recall."""
    figure, axes = style.panel(4.9, 3.2)
    beta, values = np.array(facts["betas"]).T
    axes.plot(beta, values, color=style.ACCENT, lw=2.4)
    style.log_axis(axes, "x", beta[0], beta[-1])
    fitted = facts["fitted"]
    falls = fitted["precision"] > fitted["recall"]
    ends = (
        ("precision", say("precision", "точность"), 0.985, "right", falls),
        ("recall", say("recall", "полнота"), 0.015, "left", not falls),
    )
    for name, text, x, side, is_high in ends:
        axes.axhline(fitted[name], color=style.MUTED, lw=1, ls=":")
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": side}
        at, va = ((0, 4), "bottom") if is_high else ((0, -4), "top")
        axes.annotate(f"{text} {words.number(fitted[name])}", (x, fitted[name]), at, va=va, **place)
    axes.plot(1, fitted["f1"], "o", color=style.WARM, ms=8)
    place = {"textcoords": "offset points", "va": "bottom" if falls else "top"}
    axes.annotate("F1", (1, fitted["f1"]), (8, 3 if falls else -3), color=style.WARM, **place)
    axes.margins(y=0.16)
    axes.set_xlabel("β")
    axes.set_ylabel("Fβ")
    return figure, say("F over beta", "F в зависимости от беты")
