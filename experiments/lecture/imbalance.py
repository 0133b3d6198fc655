"""A9's second story: one filter in mailboxes with other shares of spam.

Question: as positives become more frequent, which metrics stay, which change in proportion, and
which grow?
Finding: recall and specificity stay; accuracy moves along a straight line; precision and F1 grow
from 0, fastest where positives are rare.
"""

import numpy as np

from experiments.kit import style
from jaxlr.metrics import figures

SHARES = np.concatenate([[0.001, 0.003, 0.006], np.linspace(0.01, 0.99, 99), [0.999]])
RARE = 0.01


def swept(table: np.ndarray) -> dict:
    """Every metric of a classifier with the rates of `table` [2, 2] at each share of positives."""
    tn, fp, fn, tp = np.asarray(table, float).ravel()
    honest, spam = np.array([tn, fp]) / (tn + fp), np.array([fn, tp]) / (fn + tp)
    tables = np.stack([(1 - s) * honest for s in SHARES]), np.stack([s * spam for s in SHARES])
    tables = np.stack(tables, axis=1)[:, None]  # [S, 1, 2, 2]
    lines = {
        "recall": figures.recall(tables, average="macro"),
        "specificity": figures.specificity(tables, average="macro"),
        "balanced": figures.balanced_accuracy(tables[:, 0]),
        "accuracy": figures.accuracy(tables[:, 0]),
        "precision": figures.precision(tables, average="macro"),
        "f1": figures.f_beta(tables, average="macro"),
    }
    lines = {name: np.asarray(values).tolist() for name, values in lines.items()}
    rare, here = int(np.flatnonzero(SHARES == RARE)[0]), (fn + tp) / (tn + fp + fn + tp)
    return {
        "shares": SHARES.tolist(),
        "lines": lines,
        "rare": RARE,
        "at_rare": {name: values[rare] for name, values in lines.items()},
        "here": here,
    }


def drawn(swept: dict, say):
    """The lines, each with its name at its right end."""
    figure, axes = style.panel(5.5, 3.9)
    looks = {
        "precision": (say("precision", "точность"), style.ACCENT, "-", 2.4),
        "f1": ("F1", style.ACCENT, "--", 2.0),
        "accuracy": (say("accuracy", "доля верных ответов"), style.WARM, "-", 2.4),
        "recall": (say("recall", "полнота"), style.MUTED, "-", 1.8),
        "specificity": (say("specificity", "специфичность"), style.MUTED, "--", 1.8),
        "balanced": (say("balanced accuracy", "среднее по классам"), style.MUTED, ":", 1.8),
    }
    ends = {name: swept["lines"][name][-1] for name in looks}
    for name, place in zip(sorted(ends, key=ends.get), _spread(sorted(ends.values())), strict=True):
        text, colour, line, width = looks[name]
        axes.plot(swept["shares"], swept["lines"][name], color=colour, ls=line, lw=width)
        axes.plot([1.005, 1.035], [ends[name], place], color=colour, lw=0.8, clip_on=False)
        axes.text(1.045, place, text, color=colour, va="center")
    axes.axvline(swept["here"], color=style.INK, lw=0.8, ls=":")
    axes.text(swept["here"] + 0.01, 0.02, say("this mailbox", "этот ящик"), fontsize=9)
    axes.set(xlim=(0, 1), ylim=(0, 1.03))
    axes.set_xlabel(say("share of spam", "доля спама"))
    return figure, say("Metrics against the share of spam", "Метрики и доля спама")


def _spread(places: list, gap: float = 0.062) -> np.ndarray:
    """Ascending places, moved apart until each is `gap` above the last, and none too high."""
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    over = places[-1] - 1.02
    for i in reversed(range(len(places))):
        places[i] = min(places[i], 1.02 - gap * (len(places) - 1 - i)) if over > 0 else places[i]
    return np.array(places)
