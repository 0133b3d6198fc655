"""Results in one file of NumPy's npz format, without pickle."""

import json
import os
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

FORMAT = 1
MARK = "jaxlr"  # the entry that says what the others are
KINDS = {}


def kept(kind: type) -> type:
    """Makes a NamedTuple or dataclass come back from a file as itself."""
    KINDS[kind.__name__] = kind
    return kind


def save(path: str | os.PathLike, result: Any) -> None:
    """Writes beside the goal, and renames.

    Raises:
      ValueError: what is no number and no text.
      OSError: a folder that can't be written.
    """
    leaves = []
    told = {"format": FORMAT, "result": _told(result, leaves)}
    goal = Path(path)
    fresh = goal.with_name(f".{goal.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            arrays = {f"a{i}": leaf for i, leaf in enumerate(leaves)}
            np.savez(file, **{MARK: np.array(json.dumps(told))}, **arrays)
        fresh.replace(goal)
    finally:
        fresh.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> Any:
    """What `save` kept, with the same bits.

    Raises:
      ValueError: a file that is none of these, is cut short, or is of another version.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            told = json.loads(str(arrays[MARK]))
            if told["format"] == FORMAT:
                return _read(told["result"], arrays)
    except (ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no result of jaxlr, or was cut short") from error
    raise ValueError(
        f"{path} is in format {told['format']}, and this jaxlr reads {FORMAT}: load it with the"
        " version that saved it"
    )


def _told(node: Any, leaves: list) -> dict:
    """A tree as JSON, its arrays put aside."""
    if node is None or type(node) in (str, bool, int, float):
        return {"plain": node}
    names = getattr(node, "_fields", getattr(node, "__dataclass_fields__", None))
    if names is not None:
        values = [_told(getattr(node, name), leaves) for name in names]
        return {"record": type(node).__name__, "names": list(names), "of": values}
    if isinstance(node, dict):
        if not all(isinstance(name, str) for name in node):
            raise ValueError(f"names in a result must be texts to be saved, and are {list(node)}")
        return {"dict": list(node), "of": [_told(value, leaves) for value in node.values()]}
    if type(node) in (tuple, list):
        return {type(node).__name__: [_told(value, leaves) for value in node]}
    key = None
    if isinstance(node, jax.Array) and jnp.issubdtype(node.dtype, jax.dtypes.prng_key):
        key, node = str(jax.random.key_impl(node)), jax.random.key_data(node)
    leaf = np.asarray(node)
    if leaf.dtype == object:
        raise ValueError(f"a result holds {node!r}, which is no array and can't be saved")
    foreign = leaf.dtype.name if leaf.dtype.kind == "V" else None  # of JAX's own, as bfloat16
    leaves.append(leaf.view(f"u{leaf.itemsize}") if foreign else leaf)
    return {"leaf": len(leaves) - 1, "dtype": foreign, "key": key}


def _read(told: dict, file: Any) -> Any:
    """The tree that `_told` told of."""
    if "plain" in told:
        return told["plain"]
    if "leaf" in told:
        leaf = file[f"a{told['leaf']}"]
        leaf = leaf.view(jnp.dtype(told["dtype"])) if told["dtype"] else leaf
        return jax.random.wrap_key_data(leaf, impl=told["key"]) if told["key"] else leaf
    if "dict" in told:
        return dict(zip(told["dict"], (_read(part, file) for part in told["of"]), strict=True))
    if "record" in told:
        kind = KINDS.get(told["record"]) or namedtuple(told["record"], told["names"])
        return kind(*(_read(part, file) for part in told["of"]))
    (name,) = told
    return {"tuple": tuple, "list": list}[name](_read(part, file) for part in told[name])
