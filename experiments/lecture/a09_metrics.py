"""A9. Metrics of a spam filter, and how accuracy misleads.

Question: a classifier is right nine times in ten. Is it any good?
Finding: not yet: who calls every letter spam is right as often. Precision and recall say what
accuracy hides, F_beta weighs them, and how rare the positives are moves some and not others.
"""

import numpy as np

from experiments.kit import style
from experiments.lecture import confusion, imbalance, tradeoff
from experiments.lecture.mail import judged, mailbox
from jaxlr import metrics

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
        "betas": tradeoff.betas(labels, flagged),
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
        "tradeoff": tradeoff.curve(facts, say),
        "beta": tradeoff.over_beta(facts, say),
        "imbalance": imbalance.drawn(facts["swept"], say),
    }


def _trap(facts, say):
    figure, axes = style.panel(5.2, 3.6)
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
        (0, 0): say("TN: true negative", "TN: верно пропущено"),
        (0, 1): say("FP: false alarm", "FP: ложная тревога"),
        (1, 0): say("FN: miss", "FN: пропуск спама"),
        (1, 1): say("TP: true positive", "TP: верно пойман"),
    }
    counts = np.reshape([table[kind] for kind in ("tn", "fp", "fn", "tp")], (2, 2))
    told = [say("honest", "обычное"), say("spam", "спам")]
    confusion.drawn(axes, counts, told, say, names=kinds)
    return figure, say("Confusion matrix of the filter", "Матрица ошибок фильтра")
