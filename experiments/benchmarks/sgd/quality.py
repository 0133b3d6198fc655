"""Time to equal quality: two random searches, each with its own engine, watched by the clock.

Both draw the learning rate and the penalty from the same ranges, train on the same rows for the
same number of epochs and are judged by the same validation log-loss. The goal is the worse of the
two final bests, so that both reach it; the answer is when each did.
"""

import time

import jax
import joblib
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss

from jaxlr import data, losses, models, optimizers, sweeps, training
from jaxlr.pytypes import Batch

EPOCHS = 5
CONFIGS = 256
BATCH_SIZE = 256
RATE, L2 = (1e-4, 1.0), (1e-7, 1e-2)


def race(batch: Batch, budget: float) -> dict:
    """Seconds until each reaches the common goal; compilation and data movement included."""
    train_rows, test_rows = data.split(jax.random.key(0), batch.labels, 1 / 6)
    train, valid = training.take(batch, train_rows), training.take(batch, test_rows)
    traces = {
        "jaxlr": sweep_search(train, valid),
        "SGDClassifier": joblib_search(train, valid, budget),
    }
    goal = max(trace[-1][1] for trace in traces.values())
    reached = {
        name: next(seconds for seconds, best in trace if best <= goal)
        for name, trace in traces.items()
    }
    return {
        "goal_log_loss": goal,
        "best_log_loss": {name: trace[-1][1] for name, trace in traces.items()},
        "configurations": {"jaxlr": CONFIGS, "SGDClassifier": len(traces["SGDClassifier"])},
        "seconds_to_goal": reached,
        "ratio": reached["SGDClassifier"] / reached["jaxlr"],
        "epochs": EPOCHS,
    }


def lane(num_features: int, metrics=lambda params, rows: {}) -> sweeps.Lane:
    """Binary logistic regression by SGD: what both races sweep."""
    return sweeps.descent(
        lambda key: models.init_linear(num_features),
        lambda hyper: losses.risk(models.linear, losses.log_loss, l2=hyper["l2"]),
        lambda hyper: optimizers.sgd(hyper["learning_rate"], hyper["momentum"]),
        metrics,
    )


def sweep_search(train: Batch, valid: Batch) -> list[tuple[float, float]]:
    """(seconds, best validation log-loss so far) after each epoch of one sweep."""
    start = time.perf_counter()
    both = Batch(*(jax.numpy.concatenate(pair) for pair in zip(train[:2], valid[:2], strict=True)))
    trains = (np.arange(len(both.x)) < len(train.x)).astype(np.float32)
    unpenalised = losses.risk(models.linear, losses.log_loss)
    space = {
        "learning_rate": sweeps.LogUniform(*RATE),
        "momentum": sweeps.Uniform(0.0, 0.95),
        "l2": sweeps.LogUniform(*L2),
    }
    ticks = []
    swept = sweeps.run(
        lane(both.x.shape[1], lambda params, rows: {"log_loss": unpenalised(params, rows)}),
        sweeps.cross(sweeps.sobol(space, CONFIGS).hypers),
        both,
        data.epochs(jax.random.key(1), len(train.x), BATCH_SIZE, EPOCHS),
        fold_weights=trains[None],
        num_segments=EPOCHS,
        on_segment=lambda done, progress: ticks.append(time.perf_counter() - start),
    )
    best = np.minimum.accumulate(np.nanmin(swept.metrics["log_loss"], axis=0))
    return list(zip(ticks, best.tolist(), strict=True))


def joblib_search(train: Batch, valid: Batch, budget: float) -> list[tuple[float, float]]:
    """(seconds, best validation log-loss so far) after each configuration, over all cores."""
    x, y = np.asarray(train.x), np.asarray(train.labels)
    valid_x, valid_y = np.asarray(valid.x), np.asarray(valid.labels)
    rng = np.random.default_rng(0)
    start = time.perf_counter()

    def configuration(rate, l2):
        classifier = SGDClassifier(
            loss="log_loss",
            alpha=l2,
            learning_rate="invscaling",
            power_t=0.25,
            eta0=rate,
            random_state=0,
        )
        seen = []
        for _ in range(EPOCHS):
            classifier.partial_fit(x, y, classes=[0, 1])
            seen.append(log_loss(valid_y, classifier.predict_proba(valid_x)))
        return time.perf_counter() - start, min(seen)

    done = []
    cores = joblib.cpu_count()
    with joblib.Parallel(n_jobs=cores, prefer="threads") as parallel:
        while time.perf_counter() - start < budget:
            draws = 10 ** rng.uniform(*np.log10([RATE, L2]).T, (cores, 2))
            done += parallel(joblib.delayed(configuration)(*draw) for draw in draws)
    ticks, bests = np.transpose(sorted(done))
    return list(zip(ticks.tolist(), np.minimum.accumulate(bests).tolist(), strict=True))
