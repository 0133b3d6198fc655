"""What the protocols that descend by minibatches share: rows in order, a lane, what it says."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from experiments.kit import side_by_side
from experiments.protocols import exact
from experiments.protocols.found import Rows
from jaxlr import losses, models, sweeps
from jaxlr.losses import l2_penalty
from jaxlr.pytypes import Array, Batch, Optimizer, Params


def lane(start: Callable[[Array], Params], optimizer: Callable[[dict], Optimizer]) -> sweeps.Lane:
    """A linear probe of cross-entropy without a penalty; its one metric is ‖W‖."""
    risk = losses.risk(models.linear, losses.softmax_cross_entropy)

    def metrics(params, batch):
        del batch
        return {"norm": jnp.sqrt(2 * l2_penalty(params))}

    return sweeps.descent(start, lambda hyper: risk, optimizer, metrics)


def run(lane: sweeps.Lane, lanes: sweeps.Lanes, batch: Batch, order: np.ndarray) -> sweeps.Sweep:
    """All of them, in up to 20 segments, between which an interruption is heard."""
    parts = max(parts for parts in range(1, 21) if len(order) % parts == 0)
    heard = {"num_segments": parts, "on_segment": lambda *_: side_by_side.go_on()}
    return sweeps.run(lane, lanes, batch, order, **heard)


def epochs(seed: int, num_rows: int, batch_size: int, num_epochs: int) -> np.ndarray:
    """[T, B] rows: every epoch shuffles them all, and its last batch may be short.

    What it lacks is row `num_rows`, which `with_absent` adds.
    """
    random = np.random.default_rng(seed)
    shuffled = [random.permutation(num_rows) for _ in range(num_epochs)]
    lacking = -num_rows % batch_size
    whole = np.pad(shuffled, ((0, 0), (0, lacking)), constant_values=num_rows)
    return whole.reshape(-1, batch_size).astype(np.int32)


def endless(seed: int, num_rows: int, batch_size: int, num_steps: int) -> np.ndarray:
    """[T, B] rows: one shuffle after the other without end, cut into batches."""
    random, needed = np.random.default_rng(seed), num_steps * batch_size
    shuffled = [random.permutation(num_rows) for _ in range(-(-needed // num_rows))]
    return np.concatenate(shuffled)[:needed].reshape(-1, batch_size).astype(np.int32)


def with_absent(rows: Rows) -> Batch:
    """The rows, and behind them one without weight."""
    x = np.concatenate([rows.x, np.zeros_like(rows.x[:1])])
    weights = np.append(np.ones(len(rows.x), np.float32), np.float32(0))
    return Batch(x, np.append(rows.labels, 0).astype(np.int32), weights)


def params(swept: sweeps.Sweep) -> list[Params]:
    """The weights of every lane, in its order."""
    each = jax.tree.map(np.asarray, swept.state.params)
    return [exact.params(each, lane) for lane in range(len(swept.fold))]


def accuracies(swept: sweeps.Sweep, rows: Rows) -> np.ndarray:
    """[L] top-1 accuracy of every lane; 0 of a lane that diverged."""
    found = np.array([exact.accuracy(own, rows) for own in params(swept)])
    return np.where(swept.died_at < 0, found, 0.0)
