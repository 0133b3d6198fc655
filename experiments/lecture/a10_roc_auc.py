"""A10. The ROC curve built step by step, and its area as a share of pairs.

Question: what does the area under the ROC curve count?
Finding: the pairs (positive, negative) in the right order, a tie as one half: 9.5 of 12 here.
"""

from fractions import Fraction

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from experiments.kit import style
from jaxlr import metrics

SCORE = np.array([0.5, 0.1, 0.2, 0.6, 0.2, 0.3, 0.0])
CLASS = np.array([0, 0, 0, 1, 1, 1, 0])


def facts(mail=None) -> dict:
    """The lecture's seven objects: points, area, and every pair of a positive and a negative."""
    roc = metrics.roc_curve(CLASS, SCORE, drop_intermediate=False)
    order = np.argsort(-SCORE, kind="stable")
    pairs = SCORE[CLASS == 1][:, None] - SCORE[CLASS == 0]  # [m, n]
    ends = {"ideal": CLASS, "random": np.ones(7), "worst": -CLASS}
    return {
        "rows": [(int(i) + 1, SCORE[i], int(CLASS[i])) for i in order],
        "points": np.stack([roc.fpr, roc.tpr], axis=1).tolist(),
        "named": ", ".join(_named(*at) for at in zip(roc.fpr, roc.tpr, strict=True)),
        "area": float(metrics.roc_auc_score(CLASS, SCORE)),
        "right": int((pairs > 0).sum()),
        "ties": int((pairs == 0).sum()),
        "pairs": pairs.size,
        "won": float((pairs > 0).sum() + (pairs == 0).sum() / 2),
        "ends": {name: float(metrics.roc_auc_score(CLASS, s)) for name, s in ends.items()},
    }


def _named(*point):
    """A point as one writes it: (1/4, 2/3)."""
    return f"({', '.join(str(Fraction(float(v)).limit_denominator(99)) for v in point)})"


def figures(facts: dict, say) -> dict:
    """The staircase after each of its steps, and the grid of pairs."""
    drawn = {f"step{k}": _staircase(facts, k, say) for k in range(1, len(facts["points"]))}
    return drawn | {"pairs": _pairs(say)}


def _staircase(facts, k, say):
    figure, axes = _square(say)
    points = np.array(facts["points"][: k + 1])
    axes.fill_between(*points.T, color=style.ACCENT, alpha=0.15, lw=0)
    axes.plot(*points.T, color=style.ACCENT, lw=2.5, marker="o", clip_on=False)
    return figure, say(f"The staircase after {k} steps", f"Лестница после {k} шагов")


def _pairs(say):
    figure, axes = _square(say)
    positive, negative = (np.sort(SCORE[label == CLASS])[::-1] for label in (1, 0))
    for i, up in enumerate(positive):
        for j, right in enumerate(negative):
            x, y = j / len(negative), i / len(positive)
            if up > right:
                axes.add_patch(Rectangle((x, y), 1 / 4, 1 / 3, color=style.ACCENT, alpha=0.3, lw=0))
            if up == right:
                half = [(x, y), (x + 1 / 4, y), (x + 1 / 4, y + 1 / 3)]
                axes.add_patch(Polygon(half, color=style.WARM, alpha=0.45, lw=0))
            axes.text(x + 1 / 8, y + 1 / 6, f"{up} : {right}", ha="center", va="center", fontsize=9)
    return figure, say("Every pair, shaded where it is won", "Все пары, закрашены выигранные")


def _square(say):
    figure, axes = style.panel(4.6, 4.2)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=np.arange(5) / 4, yticks=np.arange(4) / 3)
    axes.set_yticklabels(["0", "⅓", "⅔", "1"])
    axes.set_xlabel(say("false positive rate", "доля ложных срабатываний"))
    axes.set_ylabel(say("true positive rate", "доля верных срабатываний"))
    return figure, axes
