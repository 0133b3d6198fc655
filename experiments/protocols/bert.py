"""The forward pass of BERT-like sentence encoders, for one sentence; `jax.vmap` makes batches.

Reference:
  Devlin et al., BERT: pre-training of deep bidirectional transformers (2019); for sentences
  Reimers and Gurevych, Sentence-BERT (2019): the mean over tokens, scaled to length 1.
"""

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxlr.pytypes import Array

# The published names of a block's weights, by what they are here.
BLOCK = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "mixed_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "narrow_norm": "output.LayerNorm",
}


class Weights(NamedTuple):
    """Tables of vectors for words [V, D], places [P, D] and no kind [D]; blocks have axis L first.

    `num_heads` and `epsilon` are plain numbers.
    """

    words: Array
    places: Array
    kind: Array
    norm: dict
    blocks: dict
    num_heads: int
    epsilon: float


def load(folder: Path) -> Weights:
    """From `model.safetensors` and `config.json` as they are published.

    Raises:
      ImportError: safetensors is not installed. OSError, KeyError: no such files, or of another
        architecture.
    """
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    told = load_file(folder / "model.safetensors")

    def pair(name):
        return {part: np.float32(told[f"{name}.{part}"]) for part in ("weight", "bias")}

    blocks = [
        {part: pair(f"encoder.layer.{i}.{name}") for part, name in BLOCK.items()}
        for i in range(config["num_hidden_layers"])
    ]
    words, places, kinds = (
        np.float32(told[f"embeddings.{name}_embeddings.weight"])
        for name in ("word", "position", "token_type")
    )
    return Weights(
        words=words,
        places=places,
        kind=kinds[0],
        norm=pair("embeddings.LayerNorm"),
        blocks=jax.tree.map(lambda *leaves: np.stack(leaves), *blocks),
        num_heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
    )


def layers(weights: Weights, tokens: Array, num_tokens: Array) -> Array:
    """[L + 1, D]: after the embedding and after each block, the mean over tokens at length 1.

    Args:
      weights: as from `load`.
      tokens: [T] whole numbers; those from `num_tokens` [] on are padding.
      num_tokens: how many are there.
    """
    here = jnp.arange(len(tokens)) < num_tokens
    over_words = partial(jax.vmap, in_axes=(0, None))

    @over_words
    def norm(v, scale):
        v = v - v.mean()
        unit = v / jnp.sqrt(jnp.square(v).mean() + weights.epsilon)
        return unit * scale["weight"] + scale["bias"]

    @over_words
    def dense(v, layer):
        return layer["weight"] @ v + layer["bias"]

    @partial(jax.vmap, in_axes=1, out_axes=1)  # over heads
    @partial(jax.vmap, in_axes=(0, None, None))  # over the words that look
    def attention(query, keys, values):
        scores = keys @ query / len(query) ** 0.5
        return jax.nn.softmax(jnp.where(here, scores, -jnp.inf)) @ values

    def block(x, layer):
        heads = (len(tokens), weights.num_heads, -1)
        parts = (dense(x, layer[name]).reshape(heads) for name in ("query", "key", "value"))
        mixed = attention(*parts).reshape(x.shape)
        x = norm(x + dense(mixed, layer["mixed"]), layer["mixed_norm"])
        wide = jax.nn.gelu(dense(x, layer["wide"]), approximate=False)
        x = norm(x + dense(wide, layer["narrow"]), layer["narrow_norm"])
        return x, x

    @jax.vmap
    def sentence(words):
        total = here.astype(words.dtype) @ words
        return total / jnp.linalg.norm(total)  # as of the mean

    x = weights.words[tokens] + weights.places[: len(tokens)]
    x = norm(jax.vmap(jnp.add, (0, None))(x, weights.kind), weights.norm)
    _, each = jax.lax.scan(block, x, weights.blocks)
    return sentence(jnp.concatenate([x[None], each]))
