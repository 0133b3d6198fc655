"""DINOv3's logistic regression (v2's alike): 45 values of C, the first best refitted on all rows.

C is 10^e for 45 exponents from -6 to 5, in float32. A task without validation rows gives the first
tenth of every class, once its rows are shuffled: one row at least where a class has two, none where
it has one. The first C with the best top-1 on them, or the best mean per class, is fitted again on
training and validation rows together, and judged on the test rows.

Few-shot, a hundredth of every class validates, and `few_shot` rows of every class train, or below 1
their share, one at least; the chosen fit is judged as it is, and tries are averaged. Several labels
a row are targets, one against the rest, under one C, and judged by F1.

The original ends L-BFGS at tol 1e-12 or after 1,000 iterations; here fits go on to their
optimum, and certificates say how near they are.
"""

from dataclasses import replace

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, recall_score

from experiments.datasets.errors import listed
from experiments.kit.mistakes import SettingError
from experiments.protocols import checks, choice
from experiments.protocols.found import Found, Rows, Splits

COSTS = np.float64(np.float32(10) ** np.linspace(-6, 5, 45, dtype=np.float32))
# What they are called of one label a row, and of several.
METRICS = {
    "accuracy": ("accuracy", "f1"),
    "balanced_accuracy": ("mean per class", "mean per class f1"),
}
FEW = "A draw has all rows of {}, whose training rows are fewer than the {:g} of --few-shot."
DRAWN = (
    "Rows are drawn by the rule but by numpy's generator: the original's, torch's, draws others."
)


def run(
    splits: Splits,
    *,
    seed=0,
    metric="accuracy",
    few_shot=None,
    tries=1,
    class_weight=None,
    tol=1e-6,
) -> Found:
    """The chosen C on the test rows.

    Args:
      splits: one label a row or several; test rows.
      seed: of the shuffle, and of the first try.
      metric: what chooses: "accuracy" (top-1), or "balanced_accuracy" (the mean per class).
      few_shot: rows of a class to train on, or below 1 their share.
      tries: how many draws of these.
      class_weight: as of `class_weights.of_classes`.
      tol: of the risk of every fit.

    Raises:
      DataError: no class has a row to spare for validation.
      SettingError: another metric, or class weights of several labels a row.
    """
    if metric not in METRICS:
        raise SettingError(f"--metric {metric}: --protocol dinov3 takes {' or '.join(METRICS)}")
    if class_weight is not None and splits.train.labels.ndim == 2:
        raise SettingError("--class-weight: rows have several labels; leave it out")
    train, held = splits.train, splits.validation
    if held is None:
        train, held = validation(train, 0.1 if few_shot is None else 0.01, seed)
    checks.given(replace(splits, validation=held), "validation", "as every class has one row alone")
    both = Rows(np.concatenate([train.x, held.x]), np.concatenate([train.labels, held.labels]))
    several, num = train.labels.ndim - 1, len(splits.class_names)
    chosen, main = [], METRICS[metric][several]
    for number in range(tries):
        rows = train if few_shot is None else drawn(train, few_shot, seed + number)
        again = both if few_shot is None else None
        options = {"class_weight": class_weight, "tol": tol}
        chosen.append(choice.choose(splits, rows, held, again, COSTS, judged, main, **options))
    notes = [DRAWN] * (splits.validation is None or few_shot is not None)
    sizes = train.labels.sum(axis=0) if several else np.bincount(train.labels, minlength=num)
    few = [name for name, n in zip(splits.class_names, sizes, strict=True) if n < (few_shot or 0)]
    if few:
        notes.append(FEW.format(listed(few, 4), few_shot))
    names = sorted((of[several] for of in METRICS.values()), key=main.__ne__)
    return choice.found(chosen, names, notes)


def validation(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Rows to train on, and the first rows of every class, once shuffled, to validate."""
    order = np.random.default_rng(seed).permutation(len(rows.x))
    held = np.zeros(len(order), bool)
    for own in of_classes(rows.labels[order]):
        held[own[: max(1, int(share * len(own))) if len(own) > 1 else 0]] = True
    return tuple(Rows(rows.x[part], rows.labels[part]) for part in (order[~held], order[held]))


def drawn(rows: Rows, number: float, seed: int) -> Rows:
    """So many rows of every class, or below 1 their share."""
    random, taken = np.random.default_rng(seed), np.zeros(len(rows.x), bool)
    for own in of_classes(rows.labels):
        size = int(number) if number >= 1 else max(int(len(own) * number), 1)
        taken[random.permutation(own)[:size]] = True
    return Rows(rows.x[taken], rows.labels[taken])


def of_classes(labels: np.ndarray) -> list[np.ndarray]:
    """The rows of every class, in their order; a row of several labels is in each."""
    if labels.ndim == 1:
        return [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return [np.flatnonzero(column) for column in labels.T]


def judged(labels: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """Top-1 and the mean over classes that there are; of several labels F1, over all and so."""
    if labels.ndim == 2:
        f1 = {of: f1_score(labels, said, average=of, zero_division=0) for of in ("micro", "macro")}
        return {"f1": f1["micro"], "mean per class f1": f1["macro"]}
    present = np.unique(labels)
    mean = recall_score(labels, said, labels=present, average="macro", zero_division=0)
    return {"accuracy": accuracy_score(labels, said), "mean per class": mean}
