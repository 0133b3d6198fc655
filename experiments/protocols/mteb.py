"""MTEB's classification: a few rows of each label, ten times over, and one fit for each draw.

Features are taken as they are. One list of the training rows, 0 to N - 1, is shuffled again before
each of ten experiments, from where it stands and by a generator that begins anew; it is walked, and
a row is taken while its label has fewer than `per_label` (8; some tasks have 16 or 32), so that a
label with fewer rows gives all it has. `LogisticRegression(max_iter=100)` with C = 1 is fitted on
them; accuracy, macro F1, and for two classes the average precision of the classes predicted, are
those of all test rows, and the scores are the means of ten.

What is published is the answer of an L-BFGS that stops after some ten steps (`solver`
"scikit-learn", to the row); the optimum itself says otherwise on a few rows in a thousand.
"""

from collections import Counter

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from experiments.kit import class_weights
from experiments.protocols import lanes, published
from experiments.protocols.found import Found, Rows, Splits

SEED, DRAWS, PER_LABEL, C = 42, 10, 8, 1.0
FEW = "Of {} of {} labels there are fewer than {} training rows: as in MTEB, a draw has them all."
EARLY = "scikit-learn's fits stop early, as in MTEB's own runs, before they are at their optimum."


def run(
    splits: Splits, *, seed=0, per_label=PER_LABEL, solver="exact", class_weight=None, tol=1e-8
):
    """The mean of ten draws on test rows, and on validation rows where there are some.

    Args:
      splits: one label a row; test or validation rows.
      seed: not asked: the draws have the published one.
      per_label: rows of a label in each draw.
      solver: "exact", every fit certified, or "scikit-learn", with its early stop.
      class_weight: as of `class_weights.of_classes`.
      tol: of an exact fit's risk; at 1e-6 a test row in thousands is still said otherwise.
    """
    del seed
    rows, names = draws(splits.train.labels, per_label), splits.class_names
    x, labels = splits.train.x[rows], splits.train.labels[rows]
    weights = np.stack([class_weights.of_rows(class_weight, y, names) for y in labels])
    judged = {"": splits.test, "validation ": splits.validation}
    judged = {of: part for of, part in judged.items() if part is not None}
    fitted = lanes.at_optimum if solver == "exact" else lanes.by_scikit_learn
    asked = [part.x for part in judged.values()]
    said, ends = fitted(x, labels, weights, [C], len(names), tol, asked)
    tables, known = [pd.DataFrame({"draw": range(DRAWS)})], {}
    for (of, part), answers in zip(judged.items(), said, strict=True):
        tables.append(pd.DataFrame([figures(part, one, len(names)) for one in answers]))
        right = published.accuracies(splits, of.strip() or "test")
        if right is not None and per_label == PER_LABEL:
            known |= {"of": published.MODEL, f"{of}accuracy": float(right.mean())}
            tables[-1].insert(1, "published", right)
        tables[-1].columns = [f"{of}{name}" for name in tables[-1]]
    scores = pd.concat(tables[1:], axis=1).mean().to_dict()
    scores = {name: mean for name, mean in scores.items() if "published" not in name}
    few, gap = np.bincount(splits.train.labels) < per_label, (ends["gap"] / ends["risk"]).max()
    notes = [FEW.format(few.sum(), len(names), per_label)] * bool(few.any())
    notes += [EARLY] * (solver != "exact")
    told = {"statuses": Counter(ends["status"]), "worst_gap": float(gap), "notes": tuple(notes)}
    return Found(scores, pd.concat([*tables, ends], axis=1), published=known or None, **told)


def draws(labels: np.ndarray, per_label: int = PER_LABEL, num: int = DRAWS) -> np.ndarray:
    """[num, n] training rows of every experiment, in the order in which they are met."""
    order, found = np.arange(len(labels)), []
    for _ in range(num):
        np.random.RandomState(SEED).shuffle(order)
        met = pd.Series(labels[order]).groupby(labels[order]).cumcount()
        found.append(order[met < per_label])
    return np.array(found)


def figures(rows: Rows, said: np.ndarray, num_classes: int) -> dict[str, float]:
    """MTEB's figures of one experiment; macro F1 is over the classes that occur or are said."""
    sizes = [np.bincount(of, minlength=num_classes) for of in (rows.labels, said)]
    right = np.bincount(said[said == rows.labels], minlength=num_classes)
    occurs = sizes[0] + sizes[1] > 0
    f1 = np.mean(2 * right[occurs] / (sizes[0] + sizes[1])[occurs])
    found = {"accuracy": right.sum() / len(said), "f1": f1}
    if num_classes == 2:
        found["average precision"] = average_precision_score(rows.labels, said)
    return found
