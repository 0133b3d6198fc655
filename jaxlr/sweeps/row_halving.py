"""Halving over rows: many configurations meet a few rows, and the best of them more and more."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import data
from jaxlr.pytypes import Array
from jaxlr.sweeps.lanes import Lanes
from jaxlr.sweeps.progress import Progress, Turnover
from jaxlr.sweeps.schedules import Schedule, pruning

FACTOR = 3  # of rows from one rung to the next, and of those that don't go on


class RowHalving(NamedTuple):
    """What `run` is given for it by these names, and the number of rows of each rung."""

    lanes: Lanes
    order: Array
    num_segments: int
    schedule: Schedule
    rows: tuple[int, ...]


def halving_rows(
    key: Array,
    lanes: Lanes,
    num_rows: int,
    batch_size: int,
    num_epochs: int,
    metric: str,
    *,
    num_rungs: int = 3,
    penalties: Sequence[str] = ("l2", "l1"),
    maximise: bool = False,
) -> RowHalving:
    """All configurations meet n/9 of the n rows, the best third of them n/3, a third of those n.

    The rows of a rung are the first of one random permutation, so that each rung has those of the
    one before. Each takes as many steps as `num_epochs` passes over its rows, to half a segment:
    1, 3 and 9 of 13 equal segments. Survivors go on from where they are.

    A risk is a mean, so that the same penalty weighs more against many rows: on a rung of m rows it
    is λ n / m, which keeps the strength of the prior (and C, as scikit-learn has it). In the end
    `Sweep.hypers` are those of `lanes` again.

    Args:
      key: of permutation and shuffles.
      lanes: as from `cross`.
      num_rows: n, of the batch.
      batch_size: B.
      num_epochs: passes of each rung.
      metric: by which; a configuration is judged by the mean of its lanes.
      num_rungs: the last of them has all rows.
      penalties: which hypers are such strengths λ, where lanes have them.
      maximise: whether more is better.

    Raises:
      ValueError: a first rung smaller than a batch; and as of `data.epochs`.

    Reference:
      Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization
      (2016); by rows, as scikit-learn's `HalvingRandomSearchCV`.
    """
    rows = tuple(num_rows // FACTOR**rung for rung in reversed(range(num_rungs)))
    if rows[0] < batch_size:
        raise ValueError(
            f"the first of {num_rungs} rungs has {rows[0]} of {num_rows} rows, fewer than a batch"
            f" of {batch_size}: take fewer rungs or smaller batches"
        )
    own = {name: np.asarray(lanes.hypers[name]) for name in penalties if name in lanes.hypers}
    parts = [FACTOR**rung for rung in range(num_rungs)]  # segments of each rung
    ends = np.cumsum(parts)[:-1].tolist()
    known, place = np.unique(lanes.configuration, return_inverse=True)
    prune = pruning([(np.arange(len(known)), ends)], place, metric, 1 / FACTOR, maximise)

    def penalised(rung: int) -> dict[str, np.ndarray]:
        return {name: strength * (num_rows / rows[rung]) for name, strength in own.items()}

    def schedule(done: int, progress: Progress) -> Turnover | None:
        if done not in ends:
            return None
        return Turnover(None, penalised(ends.index(done) + 1), prune(done, progress))

    per_segment = round(num_epochs * (num_rows // batch_size) / parts[-1])
    order = _order(key, rows, batch_size, [per_segment * part for part in parts])
    begun = lanes._replace(hypers=dict(lanes.hypers) | penalised(0))
    return RowHalving(begun, order, sum(parts), schedule, rows)


def _order(key: Array, rows: Sequence[int], batch_size: int, steps: Sequence[int]) -> Array:
    """[T, B]: so many steps along shuffles of the first rows of a permutation, rung by rung."""
    key, *keys = jax.random.split(key, len(rows) + 1)
    met = []
    for of_rung, num_rows, num_steps in zip(keys, rows, steps, strict=True):
        passes = -(-num_steps // (num_rows // batch_size))
        met.append(data.epochs(of_rung, num_rows, batch_size, passes)[:num_steps])
    return jax.random.permutation(key, rows[-1]).astype(jnp.int32)[jnp.concatenate(met)]
