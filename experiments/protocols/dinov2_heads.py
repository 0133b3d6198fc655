"""DINOv2's linear heads on features that are there: thirteen learning rates at once by SGD.

Each head is a layer with weights from N(0, 0.01²) and biases 0, and descends with momentum 0.9 and
no decay. Its rate, times batch/256, falls to 0 along half a cosine over 10 × 1,250 steps. The best
head wins, the first of equals.

Reference:
  Oquab et al., DINOv2: learning robust visual features without supervision (2023), B.3;
  dinov2/eval/linear.py.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from experiments.protocols import checks, descents
from experiments.protocols.found import Found, Rows, Splits
from experiments.protocols.schedules import cosine
from jaxlr import optimizers, sweeps
from jaxlr.pytypes import Batch

RATES = np.array([1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1])
ITERATIONS, BATCH_SIZE, WHOLE_BATCH = 10 * 1_250, 128, 256
MOMENTUM, SPREAD = 0.9, 0.01
NOTES = (
    "The original draws a random crop of every image at every step; here a row has the same"
    " features each time, and heads can learn them by heart.",
    "The original has four such features, of the last block or the last four, with and without the"
    " mean of patches, and so 52 heads: give each as a model of its own.",
    "Batches and starts are drawn by the original's law, and not by its random numbers.",
)
ON_TEST = (
    "The head is the best of {} on the test rows themselves, as in the original: its accuracy"
    " flatters. Give --validation FILE for an honest choice."
)


def run(
    splits: Splits,
    *,
    seed: int = 0,
    iterations: int = ITERATIONS,
    batch_size: int = BATCH_SIZE,
) -> Found:
    """All heads as lanes; the best on validation rows, or on test rows where there are no others.

    Args:
      splits: training and test rows, and validation rows if the choice is to be honest.
      seed: of starts and batches.
      iterations: steps, 12,500 as published.
      batch_size: rows of a step, all devices together.

    Raises:
      DataError: no test rows, or training rows of one class. SettingError: fewer than one step.
    """
    checks.classes(splits)
    test = checks.given(splits, "test", "which are what is reported")
    checks.at_least(1, iterations=iterations, batch_size=batch_size)
    judge = splits.validation or test
    rates = RATES * batch_size / WHOLE_BATCH
    swept = descend(splits.train, len(splits.class_names), rates, seed, iterations, batch_size)
    heads = pd.DataFrame({"learning_rate": RATES, "accuracy": descents.accuracies(swept, judge)})
    best = int(heads["accuracy"].argmax())
    heads["test"], heads["scaled"] = descents.accuracies(swept, test), rates
    # The risk is the mean over the steps of the last segment, a twentieth of them or so.
    heads["risk"], heads["chosen"] = swept.losses[:, -1], np.arange(len(RATES)) == best
    scores = {"accuracy": float(heads["test"][best])}
    if judge is not test:
        scores |= {"validation": float(heads["accuracy"][best])}
        scores |= {"best on test rows": float(heads["test"].max())}
    notes = NOTES if judge is not test else (*NOTES, ON_TEST.format(len(RATES)))
    chosen = {"learning_rate": float(RATES[best])}
    params = descents.params(swept)[best]
    return Found(scores, heads, heads, chosen=chosen, params=params, notes=notes)


def descend(rows: Rows, num_classes: int, rates, seed: int, iterations: int, batch_size: int):
    """A lane for each rate, all through the same batches, each from a start of its own."""
    order = descents.endless(seed, len(rows.x), batch_size, iterations)
    one = lane(rows.x.shape[1], num_classes, iterations)
    seeds = seed * len(rates) + np.arange(len(rates))
    lanes = sweeps.cross({"learning_rate": rates}, seeds=seeds)
    return descents.run(one, lanes, Batch(rows.x, rows.labels), order)


@lru_cache  # one object for one lane: compiled programs are found by it
def lane(num_features: int, num_classes: int, num_steps: int) -> sweeps.Lane:
    """A head: Gaussian weights, SGD with momentum, half a cosine."""

    def start(key):
        w = SPREAD * jax.random.normal(key, (num_features, num_classes), jnp.float32)
        return {"w": w, "b": jnp.zeros(num_classes, jnp.float32)}

    def optimizer(hyper):
        return optimizers.sgd(cosine(hyper["learning_rate"], num_steps), MOMENTUM)

    return descents.lane(start, optimizer)
