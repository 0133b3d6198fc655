"""CLIP_benchmark's linear probe: a layer under AdamW, its weight decay found on validation rows.

The learning rate falls from 0.1 along half a cosine, without a warm-up, over 20 epochs of shuffled
batches. Of 97 weight decays from 1e-6 to 1e2 the original tries seven, sixteen apart, and then
what is 8, 4, 2 and 1 away from the best so far: 19 fits, one after the other. Here all 97 are lanes
of one program, from the same start through the same batches, and the search walks their results.
The choice is refitted on training and validation rows; few-shot probes on training rows alone.

Reference:
  LAION's CLIP_benchmark, clip_benchmark/metrics/linear_probe.py.
"""

from functools import lru_cache

import jax
import numpy as np
import pandas as pd

from experiments.protocols import checks, descents, exact
from experiments.protocols.found import Found, Rows, Splits
from experiments.protocols.schedules import cosine
from jaxlr import optimizers, paths, sweeps
from jaxlr.pytypes import Params

DECAYS, ANCHORS, STEPS = np.logspace(-6, 2, 97), range(0, 97, 16), (8, 4, 2, 1)
RATE, EPOCHS, BATCH_SIZE = 0.1, 20, 512
LAMBDAS = np.logspace(-6, 2, 13)
FIGURES = ("accuracy", "top5", "mean_recall")
NOTES = (
    "AdamW takes its decay from the weights beside the gradient's step, which it divides by the"
    " gradient's own size: no L2 penalty has the same optimum, and no λ is a decay's equal. The"
    " exact fit beside it chooses its own λ, from 1e-6 to 1e2, by the same validation rows.",
    "Batches and starts are drawn by the original's law, and not by its random numbers.",
)


def run(
    splits: Splits,
    *,
    seed: int = 0,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    few_shot: bool = False,
    tol: float = 1e-8,
) -> Found:
    """All decays at once, the original's search among them, its choice refitted and tested.

    Args:
      splits: training, validation and test rows.
      seed: of starts and batches.
      epochs: 20; the original's default is 10.
      batch_size: rows of a step.
      few_shot: whether the refit has training rows alone.
      tol: of J, for the exact fit.

    Raises:
      DataError: rows that are missing, or of one class. SettingError: no epoch, or empty batches.
    """
    checks.classes(splits)
    validation = checks.given(splits, "validation", "on which the weight decay is chosen")
    test = checks.given(splits, "test", "which are what is reported")
    train, num_classes = splits.train, len(splits.class_names)
    checks.at_least(1, epochs=epochs, batch_size=batch_size)
    told = {"seed": seed, "epochs": epochs, "batch_size": batch_size}
    swept = descend(train, num_classes, DECAYS, **told)
    accuracy = descents.accuracies(swept, validation)
    seen, best = searched(accuracy)
    again = train if few_shot else joined(train, validation)
    (params,) = descents.params(descend(again, num_classes, DECAYS[[best]], **told))
    optimum, row, found = exactly(splits, again, tol)
    row |= {"fit": "exact", **judged(optimum, test)}
    own = {"fit": "AdamW", "weight_decay": DECAYS[best], "validation": accuracy[best]}
    own |= judged(params, test)
    scores = {name: own[name] for name in FIGURES} | {f"exact {n}": row[n] for n in FIGURES}
    curve = pd.DataFrame({"weight_decay": DECAYS, "accuracy": accuracy})
    places, curve["norm"] = np.arange(len(DECAYS)), swept.metrics["norm"][:, -1]
    curve["searched"], curve["chosen"] = np.isin(places, seen), places == best
    return Found(
        scores,
        pd.DataFrame([own, row]),
        curve,
        chosen={"weight_decay": float(DECAYS[best])},
        params=params,
        notes=(*NOTES, *remarks(swept, accuracy, seen, best)),
        **exact.endings(*found),
    )


def joined(*parts: Rows) -> Rows:
    """All their rows."""
    labels = np.concatenate([part.labels for part in parts])
    return Rows(np.concatenate([part.x for part in parts]), labels)


def descend(rows: Rows, num_classes: int, decays, seed: int, epochs: int, batch_size: int):
    """A lane for each decay, all through the same batches from the same start."""
    order = descents.epochs(seed, len(rows.x), min(batch_size, len(rows.x)), epochs)
    one = lane(rows.x.shape[1], num_classes, len(order))
    lanes = sweeps.cross({"weight_decay": decays}, seeds=np.full(len(decays), seed))
    return descents.run(one, lanes, descents.with_absent(rows), order)


@lru_cache  # one object for one lane: compiled programs are found by it
def lane(num_features: int, num_classes: int, num_steps: int) -> sweeps.Lane:
    """A linear layer as torch starts it: everything uniform within ±1/√D. The bias decays too."""

    def start(key):
        keys, shapes = jax.random.split(key), {"w": (num_features, num_classes), "b": num_classes}
        bound = num_features**-0.5
        return {
            name: jax.random.uniform(own, shape, "float32", -bound, bound)
            for own, (name, shape) in zip(keys, shapes.items(), strict=True)
        }

    def optimizer(hyper):
        return optimizers.adamw(cosine(RATE, num_steps), weight_decay=hyper["weight_decay"])

    return descents.lane(start, optimizer)


def searched(accuracy: np.ndarray) -> tuple[list[int], int]:
    """The places that the original looks at, in order, and the one it takes."""
    seen = list(ANCHORS)
    best = peak(seen, accuracy)
    for step in STEPS:
        near = [max(best - step, 0), best, min(best + step, len(accuracy) - 1)]
        seen, best = seen + near, peak(near, accuracy)
    return seen, best


def peak(places: list[int], accuracy: np.ndarray) -> int:
    """The first of the best places; 0 where nothing is right anywhere."""
    best = max(places, key=lambda place: accuracy[place])
    return best if accuracy[best] > 0 else 0


def exactly(splits: Splits, again: Rows, tol: float) -> tuple[Params, dict, list[paths.Path]]:
    """The optimum on rows `again` under the λ that validation rows choose; that λ; all paths."""
    train, num_classes = splits.train, len(splits.class_names)
    costs = 1 / (LAMBDAS * len(train.x))
    path = exact.fit(train, costs, np.ones((1, len(train.x))), num_classes, tol=tol)
    lanes = [exact.params(path.params, 0, k) for k in range(len(costs))]
    held = [exact.accuracy(own, splits.validation) for own in lanes]
    k = int(np.argmax(held))
    cost = 1 / (LAMBDAS[[k]] * len(again.x))
    refit = exact.fit(again, cost, np.ones((1, len(again.x))), num_classes, tol=tol)
    row = {"lambda": LAMBDAS[k], "validation": held[k]}
    return exact.params(refit.params, 0, 0), row, [path, refit]


def judged(params: Params, test: Rows) -> dict[str, float]:
    """Top-1; top-5, where labels go up to 5 at least; the mean recall of the classes there are."""
    scores, labels, said = exact.logits(params, test.x), test.labels, exact.said(params, test.x)
    right = said == labels
    recall = np.mean([right[labels == label].mean() for label in np.unique(labels)])
    found = {"accuracy": float(right.mean()), "top5": np.nan, "mean_recall": float(recall)}
    if labels.max() >= 5:
        best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
        found["top5"] = float((best == labels[:, None]).any(axis=1).mean())
    return found


def remarks(swept: sweeps.Sweep, accuracy: np.ndarray, seen: list[int], best: int) -> list[str]:
    """What the other lanes say of the search."""
    first, gone = int(np.argmax(accuracy)), int(np.sum(swept.died_at >= 0))
    found = []
    if accuracy[first] > accuracy[best]:
        found.append(
            f"The search looked at {len(set(seen))} of the {len(DECAYS)} decays and missed the"
            f" best, {DECAYS[first]:.3g}: {accuracy[first]:.4f} on validation rows where its own,"
            f" {DECAYS[best]:.3g}, has {accuracy[best]:.4f}."
        )
    if gone:
        found.append(
            f"{gone} of the strongest decays diverged and count as 0: above 2 over the learning"
            f" rate, {2 / RATE:g}, a step turns weights around and makes them larger."
        )
    return found
