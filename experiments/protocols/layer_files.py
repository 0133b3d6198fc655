"""Embeddings of every layer in a folder of .npy files, written a batch of texts at a time."""

import json
import os
import shutil
from pathlib import Path

import jax
import numpy as np

from experiments.kit.mistakes import OutputError
from experiments.protocols import bert

BATCH = 32
SHORTEST = 16  # tokens: sentences are padded to a power of 2, so that few programs are compiled


def write(texts, tokenizer, folder: Path, goal: Path, asked: str, max_tokens: int, bar) -> None:
    """Writes the layers of texts beside the goal, and renames when all are there.

    What `asked` names and was begun before goes on where it was stopped.

    Args:
      texts: [N].
      tokenizer: of the `tokenizers` package.
      folder: of the encoder's published files.
      goal: the folder for layer_0.npy and so on, [N, D] each.
      asked: a fingerprint of all that the answer depends on.
      max_tokens: where a text is cut.
      bar: its `update` hears of texts that are written.
    """
    weights = bert.load(folder)
    numbers = weights.num_heads, weights.epsilon
    arrays = jax.device_put(weights._replace(num_heads=None, epsilon=None))

    @jax.jit
    def batch_of(arrays, tokens, lengths):
        whole = arrays._replace(num_heads=numbers[0], epsilon=numbers[1])
        return jax.vmap(bert.layers, (None, 0, 0))(whole, tokens, lengths)

    tokenizer.enable_truncation(max_tokens)
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = np.argsort([len(ids) for ids in tokens], kind="stable")
    partial = goal.with_name(f"{goal.name}.partial")
    shape = (len(texts), weights.words.shape[1])
    files, done = _files(partial, asked, len(weights.blocks["query"]["bias"]) + 1, shape)
    bar.update(done)
    try:
        for start in range(done, len(texts), BATCH):
            rows = order[start : start + BATCH]
            found = np.asarray(batch_of(arrays, *_padded([tokens[row] for row in rows])))
            for layer, file in enumerate(files):
                file[rows] = found[: len(rows), layer]
                file.flush()
            done = start + len(rows)
            _tell(partial, {"asked": asked, "done": done})
            bar.update(len(rows))
    except KeyboardInterrupt as stopped:
        stopped.args = (f"{done:,} of {len(texts):,} texts are kept; the same command goes on",)
        raise
    if goal.exists():
        shutil.rmtree(goal)
    partial.rename(goal)


def _padded(tokens: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """[BATCH, width] and lengths [BATCH]; a batch that isn't full goes round."""
    lengths = np.resize([len(ids) for ids in tokens], BATCH)
    width = max(SHORTEST, 1 << int(lengths.max() - 1).bit_length())
    padded = np.zeros((BATCH, width), np.int32)
    for i, length in enumerate(lengths):
        padded[i, :length] = tokens[i % len(tokens)]
    return padded, lengths


def _files(partial: Path, asked: str, num_layers: int, shape) -> tuple[list, int]:
    """The layers' files, and how many rows (shortest first) they have."""
    told = told_of(partial)
    goes_on = told.get("asked") == asked
    if not goes_on:
        shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, exist_ok=True)
        files = [
            np.lib.format.open_memmap(
                partial / f"layer_{layer}.npy",
                "r+" if goes_on else "w+",
                **({} if goes_on else {"dtype": np.float32, "shape": shape}),
            )
            for layer in range(num_layers)
        ]
    except OSError as error:
        raise OutputError(f"--out {partial}: {error.strerror}; choose another folder") from None
    return files, told["done"] if goes_on else 0


def told_of(folder: Path) -> dict:
    """What `_tell` left there."""
    try:
        return json.loads((folder / "encoded.json").read_text())
    except (OSError, ValueError):
        return {}


def _tell(folder: Path, told: dict) -> None:
    """Written beside and renamed, so that it is old or new and never half."""
    fresh = folder / "encoded.json.new"
    fresh.write_text(json.dumps(told))
    os.replace(fresh, folder / "encoded.json")
