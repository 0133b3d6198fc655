"""A mailbox to judge: real letters from a file, or letters generated from a known law.

SMS spam is a text of lines "ham<TAB>letter" and "spam<TAB>letter"; any other file is a table of
numbers with two classes, as Spambase. What can't be read is replaced by the generated mailbox,
which says so.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from experiments import datasets
from experiments.datasets import sources
from jaxlr import activations, data, losses, models, optimizers, training
from jaxlr.pytypes import Batch

HELD_OUT = 600
WORDS = 300
DECIMALS = 4  # of a probability: a page carries them all
PENALTY = 1e-3
RATE = 0.3
EPOCHS, BATCH = 40, 100
LETTERS = 3000
SPAM_SHARE = 0.15
# The law: whether a letter has the word, in spam and in honest mail, each word by itself.
LAW = {
    "free": (0.35, 0.06), "prize": (0.22, 0.01), "win": (0.30, 0.04), "call": (0.45, 0.15),
    "urgent": (0.20, 0.03), "cash": (0.22, 0.02), "offer": (0.30, 0.08), "click": (0.25, 0.04),
    "meeting": (0.03, 0.15), "home": (0.05, 0.20), "thanks": (0.10, 0.30), "tomorrow": (0.04, 0.20),
    "love": (0.08, 0.15), "report": (0.03, 0.10), "please": (0.25, 0.25), "today": (0.20, 0.20),
}  # fmt: skip


class Mailbox(NamedTuple):
    """Letters as numbers.

    Attributes:
      kind: "letters" of a file, a "table" from a file, or "generated".
      file: the name of the file that was asked for, or "".
      x: [N, D] float32.
      labels: [N] 1 for spam.
      test: [N] whether a letter is held out from the fit.
    """

    kind: str
    file: str
    x: np.ndarray
    labels: np.ndarray
    test: np.ndarray


class Judged(NamedTuple):
    """A fitted filter on the letters it has not seen: labels [M], P(spam) [M], how many taught."""

    labels: np.ndarray
    scores: np.ndarray
    taught: int


def mailbox(file: Path | None) -> Mailbox:
    """The file's letters; the stand-in where there is no file, or none that can be used."""
    if file is None:
        return generated()
    try:
        return _read(file)
    except datasets.DataError:
        return generated()._replace(file=file.name)


def generated() -> Mailbox:
    """Letters whose law is known: log-odds of spam are linear in the words' presence."""
    rng = np.random.default_rng(9)
    labels = (rng.random(LETTERS) < SPAM_SHARE).astype(np.int32)
    chance = np.array(list(LAW.values()))[:, 1 - labels].T  # [N, D], of this letter's class
    x = (rng.random(chance.shape) < chance).astype(np.float32)
    return Mailbox("generated", "", x, labels, held_out(labels))


def held_out(labels: np.ndarray) -> np.ndarray:
    """At random, and with the classes' shares kept: which [N] letters are for judging."""
    rng = np.random.default_rng(0)
    share = min(HELD_OUT / len(labels), 0.5)
    test = np.zeros(len(labels), bool)
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == label))
        test[rows[: round(share * len(rows))]] = True
    return test


def judged(box: Mailbox) -> Judged:
    """Logistic regression taught by one part of the letters and asked about the other."""
    train = ~box.test
    batch = Batch(jnp.asarray(box.x[train]), jnp.asarray(box.labels[train]))
    # No faster than is stable: the curvature of the risk is a quarter of |x|² at most.
    rate = min(RATE, 4 / float(np.square(box.x[train]).sum(axis=1).mean() + 1))
    risk = losses.risk(models.linear, losses.log_loss, l2=PENALTY)
    start = models.init_linear(box.x.shape[1], dtype=jnp.float32)
    size = min(BATCH, len(batch.labels))
    order = data.epochs(jax.random.key(0), len(batch.labels), size, EPOCHS)
    fit = partial(training.fit, risk, optimizers.sgd(rate), start)
    params = jax.jit(fit)(batch, order).params
    logits = jax.vmap(models.linear, (None, 0))(params, jnp.asarray(box.x[box.test]))
    scores = np.asarray(activations.sigmoid(logits), np.float64).round(DECIMALS)
    return Judged(box.labels[box.test], scores, int(train.sum()))


def _read(file: Path) -> Mailbox:
    text = sources.as_utf8(sources.contents(sources.existing(str(file))), file).decode()
    pairs = [line.rstrip("\r").split("\t", 1) for line in text.strip("\r\n").split("\n")]
    if all(len(pair) == 2 and pair[0] in ("ham", "spam") for pair in pairs):
        return _letters(pairs, file.name)
    return _table(file)


def _letters(pairs: list, name: str) -> Mailbox:
    """Which of the commonest words of the letters for teaching a letter has."""
    labels = np.array([kind == "spam" for kind, _ in pairs], np.int32)
    _check(labels, name)
    texts, test = np.array([text for _, text in pairs], object), held_out(labels)
    words = CountVectorizer(binary=True, max_features=WORDS, token_pattern=r"\w+|[£$!?]")
    try:
        words.fit(texts[~test])
    except ValueError as error:
        raise datasets.DataError(f"{name} holds no words; give letters") from error
    return Mailbox(
        "letters", name, words.transform(texts).toarray().astype(np.float32), labels, test
    )


def _table(file: Path) -> Mailbox:
    table = datasets.load(str(file))
    if table.task != "binary":
        raise datasets.DataError(f"{file.name} is no mailbox; give two classes, letters and spam")
    spam = "spam" not in table.class_names or table.class_names.index("spam")
    labels = (table.labels == spam).astype(np.int32)
    _check(labels, file.name)
    test = held_out(labels)
    features = datasets.encode(table, ~test).features.clip(-5, 5)  # no letter outshouts the rest
    return Mailbox("table", file.name, features, labels, test)


def _check(labels: np.ndarray, name: str) -> None:
    if min(np.bincount(labels, minlength=2)) < 10:
        raise datasets.DataError(f"{name} holds fewer than 10 letters of a class; give more")
