"""Peers of the SGD sweep, each as a function that returns its seconds per lane for one epoch."""

import time
from collections.abc import Callable
from importlib.util import find_spec

import jax
import joblib
import numpy as np
import optax
from sklearn.linear_model import SGDClassifier

from experiments.benchmarks import machine
from jaxlr.pytypes import Array, Batch

LANES = 4  # a lane takes the same time however many there are
TORCH_STEPS = 40
NAMES = ("learning_rate", "momentum", "l2")


def contestants(batch: Batch, order: Array, hypers: dict) -> dict[str, Callable[[], float]]:
    """Name -> () -> seconds per lane and epoch, for every peer that is installed."""
    numbers = np.stack([hypers[name] for name in NAMES]).astype(np.float32)
    peers = {
        "SGDClassifier, all cores": sgd_classifier(batch, numbers),
        "optax, a compiled step": optax_loop(batch, order, numbers, whole_epoch=False),
        "optax, a compiled epoch": optax_loop(batch, order, numbers, whole_epoch=True),
    }
    if find_spec("torch"):
        peers["torch.func"] = torch_func(batch, order, numbers)
    return peers


def sgd_classifier(batch: Batch, numbers: np.ndarray) -> Callable[[], float]:
    """One epoch of scikit-learn's SGDClassifier per lane, over all cores.

    Threads: its loop releases the interpreter's lock, and processes would copy the data.
    """
    x, y = np.asarray(batch.x), np.asarray(batch.labels)

    def lane(rate, l2):
        options = {"learning_rate": "constant", "eta0": rate, "random_state": 0}
        classifier = SGDClassifier(loss="log_loss", alpha=l2, **options)
        classifier.partial_fit(x, y, classes=[0, 1])  # one epoch, no validation, no tolerance

    jobs = [joblib.delayed(lane)(*map(float, pair)) for pair in numbers[[0, 2], :LANES].T]
    return lambda: machine.once(lambda: joblib.Parallel(n_jobs=-1, prefer="threads")(jobs)) / LANES


def optax_loop(
    batch: Batch, order: Array, numbers: np.ndarray, whole_epoch: bool
) -> Callable[[], float]:
    """The same SGD in optax, lane after lane from one compiled program that takes its numbers.

    A compiled step called from a Python loop is how optax's own examples train; the epoch as one
    scan is the best that a loop over lanes can do.
    """

    def risk(params, x, labels, l2):
        logits = x @ params["w"] + params["b"]
        mean = optax.sigmoid_binary_cross_entropy(logits, labels).mean()
        return mean + l2 / 2 * (params["w"] @ params["w"])

    @jax.jit
    def step(numbers, carry, x, labels, rows):
        rate, momentum, l2 = numbers
        params, state = carry
        loss, grads = jax.value_and_grad(risk)(params, x[rows], labels[rows], l2)
        updates, state = optax.sgd(rate, momentum).update(grads, state, params)
        return (optax.apply_updates(params, updates), state), loss

    @jax.jit
    def epoch(numbers, carry, x, labels, order):
        return jax.lax.scan(lambda carry, rows: step(numbers, carry, x, labels, rows), carry, order)

    labels = batch.labels.astype(np.float32)
    params = {"w": np.zeros(batch.x.shape[1], np.float32), "b": np.float32(0)}
    fresh = jax.device_put((params, optax.sgd(0.1, 0.9).init(params)))
    work, parts = (epoch, [order]) if whole_epoch else (step, list(order))

    def lanes():
        for own in numbers.T[np.arange(LANES) % numbers.shape[1]]:
            carry = fresh
            for rows in parts:
                carry, loss = work(tuple(own), carry, batch.x, labels, rows)
            jax.block_until_ready((carry, loss))

    return lambda: machine.once(lanes) / LANES


def torch_func(batch: Batch, order: Array, numbers: np.ndarray) -> Callable[[], float]:
    """torch.func.vmap(grad) over all lanes on shared minibatches.

    Its steps all cost the same, so a part of the epoch is timed and scaled up.
    """
    import torch

    x, y = torch.from_numpy(np.array(batch.x)), torch.from_numpy(np.array(batch.labels)).float()
    rows = torch.from_numpy(np.array(order)).long()
    rate, momentum, l2 = torch.from_numpy(numbers)

    def risk(w, b, x, y, l2):
        logits = x @ w + b
        mean = torch.nn.functional.binary_cross_entropy_with_logits(logits, y)
        return mean + l2 / 2 * (w @ w)

    grads = torch.func.vmap(torch.func.grad(risk, argnums=(0, 1)), in_dims=(0, 0, None, None, 0))
    steps = min(TORCH_STEPS, len(rows))

    def run():
        w, b = torch.zeros(len(rate), x.shape[1]), torch.zeros(len(rate))
        velocity_w, velocity_b = torch.zeros_like(w), torch.zeros_like(b)
        start = time.perf_counter()
        for i in range(steps):
            grad_w, grad_b = grads(w, b, x[rows[i]], y[rows[i]], l2)
            velocity_w.mul_(momentum[:, None]).add_(grad_w)
            velocity_b.mul_(momentum).add_(grad_b)
            w.addcmul_(velocity_w, -rate[:, None])
            b.addcmul_(velocity_b, -rate)
        return (time.perf_counter() - start) * len(rows) / steps / len(rate)

    return run
