"""A9. Metrics of a spam filter, and how accuracy misleads.

Question: a classifier is right nine times in ten. Is it any good?
Finding: not yet: who calls every letter spam is right as often. Precision and recall say what
accuracy hides, F_beta weighs them, and how rare the positives are moves some and not others.
"""

import numpy as np
from matplotlib.patches import Rectangle

from experiments.kit import style, words
from experiments.lecture import imbalance
from experiments.lecture.mail import judged, mailbox
from jaxlr import metrics

BETAS = np.geomspace(0.1, 10, 41)
THRESHOLD = 0.5
COSTS = {"alarm": 10, "miss": 1}


def facts(mail=None) -> dict:
    """The lecture's mailbox, then a fitted filter on letters that it hasn't seen."""
    spam, honest = 900, 100
    truth, always = np.repeat([1, 0], [spam, honest]), np.ones(spam + honest, int)
    box = mailbox(mail)
    found = judged(box)
    labels, flagged = found.labels, (found.scores >= THRESHOLD).astype(int)
    commoner = int(labels.mean() >= 0.5)
    table = np.asarray(metrics.confusion_matrix(labels, flagged))
    curve = metrics.precision_recall_curve(labels, found.scores)
    return {
        "lecture": {"letters": spam + honest, "spam": spam, "honest": honest}
        | {"accuracy": float(metrics.accuracy_score(truth, always))}
        | {"f1": float(metrics.f1_score(truth, always))}
        | {"f1_honest": float(metrics.f1_score(truth, always, pos_label=0))},
        "mail": {"kind": box.kind, "file": box.file, "letters": len(box.labels)}
        | {"taught": found.taught, "judged": len(labels), "share": float(box.labels.mean())},
        "commoner": commoner,
        "trivial": _judgement(labels, np.full_like(labels, commoner)),
        "fitted": _judgement(labels, flagged),
        "table": dict(zip(("tn", "fp", "fn", "tp"), table.ravel().tolist(), strict=True)),
        "threshold": THRESHOLD,
        "curve": np.stack([curve.recall, curve.precision], axis=1).tolist(),
        "betas": [(b, float(metrics.fbeta_score(labels, flagged, beta=b))) for b in BETAS],
        "swept": imbalance.swept(table),
        "play": {"labels": labels.tolist(), "scores": found.scores.tolist(), **COSTS},
    }


def _judgement(labels, predicted) -> dict:
    asked = {
        "accuracy": metrics.accuracy_score,
        "balanced": metrics.balanced_accuracy_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    return {name: float(metric(labels, predicted)) for name, metric in asked.items()}


def figures(facts: dict, say) -> dict:
    """The trap, the four outcomes, precision against recall, F over beta, other mailboxes."""
    return {
        "trap": _trap(facts, say),
        "table": _table(facts["table"], say),
        "tradeoff": _tradeoff(facts, say),
        "beta": _beta(facts, say),
        "imbalance": imbalance.drawn(facts["swept"], say),
    }


def _trap(facts, say):
    figure, axes = style.panel(6.2, 3.6)
    names = {
        "accuracy": say("accuracy", "доля верных\nответов"),
        "balanced": say("balanced\naccuracy", "среднее\nпо классам"),
        "precision": say("precision", "точность"),
        "recall": say("recall", "полнота"),
        "f1": "F1",
    }
    for who, shift, colour in (("trivial", -0.2, style.MUTED), ("fitted", 0.2, style.ACCENT)):
        values = [facts[who][name] for name in names]
        axes.barh(np.arange(len(names)) + shift, values, 0.36, color=colour)
        for row, value in enumerate(values):
            axes.text(value + 0.015, row + shift, f"{value:.3f}", va="center", color=colour)
    axes.set(yticks=range(len(names)), xlim=(0, 1.14), xticks=np.arange(6) / 5)
    axes.set_yticklabels(names.values())
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    same = say("one answer for all", "один ответ на всё"), say("fitted filter", "обученный фильтр")
    for x, text, colour in zip((0, 0.5), same, (style.MUTED, style.ACCENT), strict=True):
        axes.text(x, 1.03, text, transform=axes.transAxes, color=colour, weight="bold")
    return figure, say("One answer for all beside a fitted filter", "Один ответ на всё и фильтр")


def _table(table, say):
    figure, axes = style.panel(4.8, 3.4)
    kinds = {
        "tn": say("true negative", "верно пропущено"),
        "fp": say("false alarm", "ложная тревога"),
        "fn": say("miss", "пропуск спама"),
        "tp": say("true positive", "верно пойман"),
    }
    for i, (kind, name) in enumerate(kinds.items()):
        row, column = divmod(i, 2)
        colour = style.ACCENT if row == column else style.WARM
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.16))
        axes.text(column + 0.5, row + 0.42, f"{table[kind]}", ha="center", va="center", fontsize=20)
        axes.text(column + 0.5, row + 0.75, f"{kind.upper()}: {name}", ha="center", fontsize=9)
    told = [say("honest", "обычное"), say("spam", "спам")]
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=[0.5, 1.5], yticks=[0.5, 1.5])
    axes.set(xticklabels=told, yticklabels=told)
    axes.set_xlabel(say("the filter says", "ответ фильтра"))
    axes.set_ylabel(say("the letter is", "письмо на самом деле"))
    axes.grid(visible=False)
    axes.axhline(1, color=style.PAPER, lw=3)
    axes.axvline(1, color=style.PAPER, lw=3)
    return figure, say("Confusion matrix of the filter", "Матрица ошибок фильтра")


def _tradeoff(facts, say):
    figure, axes = style.panel(4.9, 4.3)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(f1 / (2 - f1), 1, 60)
        axes.plot(recall, f1 * recall / (2 * recall - f1), color=style.MUTED, lw=0.9, ls="--")
        axes.text(1.01, f1 / (2 - f1), f"F1 = {f1}", va="center", color=style.MUTED, fontsize=8.5)
    axes.plot(*np.array(facts["curve"]).T, color=style.ACCENT, lw=2.2)
    here = facts["fitted"]["recall"], facts["fitted"]["precision"]
    axes.plot(*here, "o", color=style.WARM, ms=9)
    note = say("threshold", "порог") + f" {facts['threshold']}"
    axes.annotate(
        note,
        here,
        (-9, -9),
        textcoords="offset points",
        color=style.WARM,
        ha="right",
        va="top",
        bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 1},
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_xlabel(say("recall", "полнота"))
    axes.set_ylabel(say("precision", "точность"))
    return figure, say("Precision against recall", "Точность и полнота")


def _beta(facts, say):
    figure, axes = style.panel(5.6, 3.3)
    betas, values = np.array(facts["betas"]).T
    axes.plot(betas, values, color=style.ACCENT, lw=2.4)
    style.log_axis(axes, "x", betas[0], betas[-1])
    ends = {"precision": say("precision", "точность"), "recall": say("recall", "полнота")}
    above = facts["fitted"]["precision"] > facts["fitted"]["recall"]
    for name, text in ends.items():
        value, is_high = facts["fitted"][name], (name == "precision") == above
        axes.axhline(value, color=style.MUTED, lw=1, ls=":")
        side = (0.985, "right") if name == "precision" else (0.015, "left")
        axes.annotate(f"{text} {words.number(value)}", (side[0], value), (0, 4 if is_high else -4),
                      xycoords=("axes fraction", "data"), textcoords="offset points", ha=side[1],
                      va="bottom" if is_high else "top")  # fmt: skip
    axes.plot(1, facts["fitted"]["f1"], "o", color=style.WARM, ms=8)
    axes.annotate("F1", (1, facts["fitted"]["f1"]), (8, 3), textcoords="offset points",
                  color=style.WARM, va="bottom" if above else "top")  # fmt: skip
    axes.margins(y=0.14)
    axes.set_xlabel("β")
    axes.set_ylabel("Fβ")
    return figure, say("F over beta", "F в зависимости от беты")
