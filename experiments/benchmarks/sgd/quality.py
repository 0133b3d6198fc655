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
    train, valid = (
        training.take(batch, rows) for rows in data.split(jax.random.key(0), batch.labels, 1 / 6)
    )
    searches = {
        "jaxlr": sweep_search(train, valid),
        "SGDClassifier": joblib_search(train, valid, budget),
    }
    traces = {
        name: (ticks, np.minimum.accumulate(bests)) for name, (ticks, bests) in searches.items()
    }
    goal = max(float(bests[-1]) for _, bests in traces.values())
    reached = {n: float(ticks[np.argmax(bests <= goal)]) for n, (ticks, bests) in traces.items()}
    return {
        "goal_log_loss": goal,
        "best_log_loss": {name: float(bests[-1]) for name, (_, bests) in traces.items()},
        "configurations": {"jaxlr": CONFIGS, "SGDClassifier": len(traces["SGDClassifier"][0])},
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


def sweep_search(train: Batch, valid: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Seconds after each epoch of one sweep, and its best validation log-loss."""
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
    return np.array(ticks), np.nanmin(swept.metrics["log_loss"], axis=0)


def joblib_search(train: Batch, valid: Batch, budget: float) -> tuple[np.ndarray, np.ndarray]:
    """Seconds after each configuration, over all cores, and its best validation log-loss."""
    x, y, valid_x, valid_y = (np.asarray(part) for part in (*train[:2], *valid[:2]))
    rng, cores = np.random.default_rng(0), joblib.cpu_count()
    start = time.perf_counter()

    def configuration(rate, l2):
        rule = {"learning_rate": "invscaling", "power_t": 0.25, "eta0": rate}
        classifier = SGDClassifier(loss="log_loss", alpha=l2, random_state=0, **rule)
        seen = []
        for _ in range(EPOCHS):
            classifier.partial_fit(x, y, classes=[0, 1])
            seen.append(log_loss(valid_y, classifier.predict_proba(valid_x)))
        return time.perf_counter() - start, min(seen)

    done = []
    with joblib.Parallel(n_jobs=cores, prefer="threads") as parallel:
        while time.perf_counter() - start < budget:
            draws = 10 ** rng.uniform(*np.log10([RATE, L2]).T, (cores, 2))
            done += parallel(joblib.delayed(configuration)(*draw) for draw in draws)
    return tuple(np.transpose(sorted(done)))
