"""What is asked of a sweep, looked through: the lanes as NumPy's arrays, the rest as JAX's."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr import data
from jaxlr.pytypes import Array, Batch
from jaxlr.sweeps import program
from jaxlr.sweeps.lanes import Lane, Lanes
from jaxlr.sweeps.program import ALIVE, Chunk


class Task(NamedTuple):
    """A lane's functions, the numbers of L lanes, the rows, and the order of every segment."""

    lane: Lane
    lanes: Lanes
    rows: program.Rows
    orders: list[Array]

    @property
    def num_lanes(self) -> int:
        """L."""
        return len(self.lanes.fold)

    @property
    def num_steps(self) -> int:
        """Of a segment."""
        return self.orders[0].shape[-2]

    @property
    def is_ragged(self) -> bool:
        """Whether some lanes have fewer segments than the sweep."""
        own = self.lanes.segments
        return own is not None and bool(np.min(own) < len(self.orders))

    def order(self, segment: int, places: np.ndarray) -> Array:
        """The order [T, B] of a segment (from 0), or [W, T, B] where lanes have their own."""
        order = self.orders[segment]
        return order[places] if order.ndim == 3 else order

    def first(self, places: np.ndarray) -> Chunk:
        """The lanes at `places`, before the first step."""
        hypers, fold, key = take((self.lanes.hypers, self.lanes.fold, self.lanes.key), places)
        state = program.init(self.lane, hypers, key)
        return Chunk(hypers, fold, state, np.full(len(places), ALIVE, np.int32), np.int32(0))

    def shape(self, num_lanes: int) -> Chunk:
        """What stands for a chunk of so many lanes."""
        return jax.eval_shape(lambda: self.first(np.zeros(num_lanes, int)))

    def lowered(self, num_lanes: int) -> jax.stages.Lowered:
        """A segment of so many lanes, to be compiled; a ValueError for hypers without a use."""
        places = np.zeros(num_lanes, int)
        asked = self.shape(num_lanes), self.rows, self.order(0, places)
        traced = program.segment.trace(self.lane, *asked)
        self._refuse(self._unused(traced.jaxpr.jaxpr))
        return traced.lower()

    def _unused(self, jaxpr: Any) -> set[str]:
        """The hypers, which a chunk has first, that no operation of a program takes."""
        taken = {id(taken) for equation in jaxpr.eqns for taken in equation.invars}
        return {
            name
            for name, given in zip(sorted(self.lanes.hypers), jaxpr.invars, strict=False)
            if id(given) not in taken
        }

    def _refuse(self, unused: set[str]) -> None:
        """A number that changes nothing is a slip; one that is of the start alone is none."""
        if unused:
            hypers, key = take((self.lanes.hypers, self.lanes.key), np.zeros(1, int))
            unused &= self._unused(jax.make_jaxpr(jax.vmap(self.lane.init))(hypers, key).jaxpr)
        if unused:
            raise ValueError(
                f"lanes.hypers has {', '.join(sorted(unused))}, which the lane never uses: leave it"
                " out; what changes shapes is no number, but one of Choices or Integers"
            )


def take(tree: Any, places: np.ndarray) -> Any:
    """The rows of every leaf at `places`, which may repeat."""
    return jax.tree.map(lambda leaf: leaf[places], tree)


def task(
    lane: Lane, lanes: Lanes, batch: Batch, order: Array, fold_weights, num_segments: int
) -> Task:
    """What was asked, or one line that says what is wrong with it; arguments as of `run`."""
    batch, order = data.as_batch(batch), data.as_array("order", order)
    if fold_weights is not None:
        fold_weights = data.as_array("fold_weights", fold_weights)
    num_steps = order.shape[-2]
    if num_segments < 1 or num_steps % num_segments:
        raise ValueError(f"num_segments must divide the {num_steps} steps, and is {num_segments}")
    num_folds, last = 1 if fold_weights is None else len(fold_weights), int(np.max(lanes.fold))
    if last >= num_folds:
        raise ValueError(f"lanes.fold goes up to {last}, and fold_weights has {num_folds}")
    return Task(
        lane,
        lanes._replace(hypers=jax.tree.map(np.asarray, lanes.hypers), fold=np.asarray(lanes.fold)),
        program.rows(batch, fold_weights),
        jnp.split(order, num_segments, axis=-2),
    )
