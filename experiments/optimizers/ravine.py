"""The lecture's ravine: a long, narrow parabola, and the path that each optimizer takes down it.

f(w) = ½‖Aw‖², curvature 1 across the valley and 1/50 along it. The valley is turned by 20 degrees:
along the axes, rules that scale each coordinate would see no ravine at all.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from experiments.kit.optimizers import build
from experiments.optimizers.study import points
from jaxlr import sweeps
from jaxlr.pytypes import Batch

CONDITION = 50.0
ANGLE = np.deg2rad(20)
STEPS = 40
ALONG = np.array([np.cos(ANGLE), np.sin(ANGLE)])  # unit vectors: the floor, and across it
ACROSS = np.array([-np.sin(ANGLE), np.cos(ANGLE)])
START = -6.0 * ALONG + 1.2 * ACROSS
ROOT = np.stack([ALONG / np.sqrt(CONDITION), ACROSS])  # A: f = ½‖A w‖²
# The fastest fixed rate of plain gradient descent, 2 / (largest + smallest curvature).
BEST_FIXED_RATE = 2 / (1 + 1 / CONDITION)
DECAY = 0.9


@dataclass(frozen=True)
class Walk:
    """One path: weights [T + 1, 2] from the start on, and f [T + 1] at each."""

    optimizer: str
    hyper: dict[str, float]
    path: np.ndarray
    values: np.ndarray

    @property
    def across(self) -> np.ndarray:
        """[T + 1] the steep coordinate."""
        return self.path @ ACROSS

    @property
    def turns(self) -> int:
        """How often a step goes across the ravine against the step before it; T - 1 at most."""
        steps = np.diff(self.across)
        return int(np.sum(steps[1:] * steps[:-1] < 0))

    @property
    def detour(self) -> float:
        """Way walked across the ravine, in units of the way needed: 1 is straight to the floor."""
        return float(np.abs(np.diff(self.across)).sum() / abs(self.across[0]))

    @property
    def arrival(self) -> int | None:
        """The first step after which f stays at or below 1 % of its start, or None."""
        above = np.flatnonzero(~(self.values <= 0.01 * self.values[0]))
        last = above[-1] if len(above) else -1
        return int(last + 1) if last < len(self.values) - 1 else None

    def told(self) -> dict:
        """What a summary says of it."""
        numbers = {"turns": self.turns, "detour": self.detour, "arrival": self.arrival}
        end = float(self.values[-1] / self.values[0])
        return {"optimizer": self.optimizer, **self.hyper, **numbers, "end": end}


def value(w) -> np.ndarray:
    """f at points [..., 2]."""
    return 0.5 * np.sum((np.asarray(w) @ ROOT.T) ** 2, axis=-1)


def tuned(optimizer: str, num_points: int, seed: int) -> Walk:
    """The path that ends lowest, of as many settings as the optimizer gets on data."""
    hypers = points(optimizer, num_points, seed)
    paths = walks(optimizer, hypers)
    ends = value(paths[:, -1])
    best = int(np.argmin(np.where(np.isfinite(ends), ends, np.inf)))
    chosen = {name: float(numbers[best]) for name, numbers in hypers.items()}
    return Walk(optimizer, chosen, paths[best], value(paths[best]))


def lesson() -> list[Walk]:
    """The lecture's picture: plain descent at its fastest fixed rate, and memory at that rate.

    Nesterov's velocity is a sum, not an average: its rate is smaller by 1 - decay.
    """
    small = (1 - DECAY) * BEST_FIXED_RATE
    settings = {
        "sgd": {"learning_rate": BEST_FIXED_RATE},
        "momentum_ema": {"learning_rate": BEST_FIXED_RATE, "momentum": DECAY},
        "nesterov": {"learning_rate": small, "momentum": DECAY},
    }
    found = []
    for name, hyper in settings.items():
        path = walks(name, {key: np.array([number]) for key, number in hyper.items()})[0]
        found.append(Walk(name, hyper, path, value(path)))
    return found


def walks(optimizer: str, hypers: dict[str, np.ndarray]) -> np.ndarray:
    """[L, T + 1, 2] paths of every setting: one compiled program, the position its only metric."""

    def init(key):
        del key
        return jnp.asarray(START, jnp.float32)

    def risk(hyper):
        del hyper
        return _parabola

    lane = sweeps.descent(init, risk, lambda hyper: build(optimizer, hyper), _position)
    batch = Batch(jnp.asarray(ROOT, jnp.float32), jnp.zeros(2, jnp.float32))
    order = jnp.tile(jnp.arange(2), (STEPS, 1))
    swept = sweeps.run(lane, sweeps.cross(hypers), batch, order, num_segments=STEPS)
    seen = np.stack([swept.metrics["x"], swept.metrics["y"]], axis=-1).astype(np.float64)
    start = np.broadcast_to(START, (len(seen), 1, 2))
    return np.concatenate([start, seen], axis=1)


def _parabola(w, batch: Batch):
    return 0.5 * jnp.sum((batch.x @ w) ** 2)


def _position(w, batch: Batch):
    del batch
    return {"x": w[0], "y": w[1]}
