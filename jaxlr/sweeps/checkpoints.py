"""A sweep on disk: its progress in one file of flat arrays, and from there on to the same bits."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.results import Peak, files
from jaxlr.sweeps.progress import Progress, params_of
from jaxlr.sweeps.stopping import Stop
from jaxlr.sweeps.tasks import Task

FORMAT = 1
KEPT = 2  # should the last one be broken, there is the one before


class Checkpoints:
    """The last two of one sweep, in a folder; `run(..., checkpoints=)` goes on from the newest.

    A file that is cut short, corrupted, or of another sweep is left out, and `refused` says why.

    Args:
      folder: theirs alone; made if need be.
      seconds: at least so many lie between two of them; the end of the sweep has its own.
      told: what makes this sweep another than one of the same numbers and rows, such as its model.
    """

    def __init__(self, folder: str | os.PathLike, *, seconds: float = 30.0, told: str = ""):
        self.folder, self.seconds, self.told = Path(folder), seconds, told
        self.refused: list[str] = []
        self.last = time.monotonic()
        self._of: dict[str, str] = {}

    def found(self, task: Task, stop: Stop | None) -> Progress | None:
        """The newest progress of this task, or None."""
        self._of = fingerprint(task, stop, self.told)
        for half in self.folder.glob(".[0-9]*.npz.*"):  # of a run that was killed while it wrote
            half.unlink(missing_ok=True)
        for file in reversed(self.files()):
            try:
                return _read(file, task, stop, self._of)
            except ValueError as error:
                self.refused.append(str(error))
        return None

    def keep(self, progress: Progress, *, now: bool) -> None:
        """Writes it, if it is time to, or `now`.

        Raises:
          OSError: a folder that can't be written, or a full disk; what was there before stays.
        """
        if not now and time.monotonic() < self.last + self.seconds:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        plain = progress._asdict() | {"state": jax.tree.leaves(progress.state)}
        if progress.peak is not None:
            plain["peak"] = [*progress.peak[:2], jax.tree.leaves(progress.peak.params)]
        told = {"checkpoint": FORMAT, "of": self._of, "progress": plain}
        files.save(self.folder / f"{progress.done:08d}.npz", told)
        for file in self.files()[:-KEPT]:
            file.unlink(missing_ok=True)
        self.last = time.monotonic()

    def files(self) -> list[Path]:
        """Those there are, the newest last."""
        return sorted(self.folder.glob("[0-9]*.npz"))


def fingerprint(task: Task, stop: Stop | None, told: str) -> dict[str, str]:
    """What a sweep's bits depend on, as {part: hash}."""
    lanes = task.lanes._replace(configuration=None, seed=None)
    shape = jax.tree.structure(task.shape(1).state)
    stops = () if stop is None else {name: str(value) for name, value in stop._asdict().items()}
    return {
        "data": _hash(task.rows.batch, task.rows.fold_weights),
        "settings": _hash(lanes, str(shape), str(stops), told, len(task.orders)),
        "order of rows": _hash(task.orders),
        "JAX": _hash(jax.__version__, jax.default_backend()),
    }


def _hash(*parts: Any) -> str:
    """Of texts and of the bits, shapes and types of arrays."""
    found = hashlib.sha256(str(jax.tree.structure(parts)).encode())
    for leaf in jax.tree.leaves(parts):
        if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        if isinstance(leaf, str | int):
            found.update(str(leaf).encode())
            continue
        leaf = np.asarray(leaf)
        found.update(f"{leaf.dtype}{leaf.shape}".encode())
        found.update(leaf.tobytes())
    return found.hexdigest()[:32]


def _read(file: Path, task: Task, stop: Stop | None, of: dict[str, str]) -> Progress:
    """The progress in a file, or a ValueError that says why there is none."""
    try:
        told = files.load(file)
    except ValueError:
        raise
    except Exception as error:  # what a reader stumbles over depends on where the broken bit is
        raise ValueError(f"{file} can't be read") from error
    known = isinstance(told, dict) and told.get("checkpoint") == FORMAT
    if not known or set(told["progress"]) != set(Progress._fields):
        raise ValueError(f"{file} is no checkpoint, or of another version of jaxlr")
    other = [part for part, value in of.items() if told["of"].get(part) != value]
    if other:
        raise ValueError(f"{file} is a checkpoint of other {' and other '.join(other)}")
    like, plain = task.shape(1).state, told["progress"]
    plain["state"] = jax.tree.unflatten(jax.tree.structure(like), plain["state"])
    if stop is not None:
        value, segment, params = plain["peak"]
        structure = jax.tree.structure(params_of(like))
        plain["peak"] = Peak(value, segment, jax.tree.unflatten(structure, params))
    return Progress(**plain)
