"""The mailbox of part A9: read where it can be, and otherwise generated, which the page says."""

import gzip

import numpy as np
import pytest

from experiments.lecture import a09_metrics, imbalance, mail, texts
from experiments.lecture.parts import PARTS
from jaxlr import metrics

pytestmark = pytest.mark.once

PART = next(part for part in PARTS if part.name == "a09_metrics")


def sms(spam=40, ham=160):
    """Lines as of the SMS collection."""
    rng = np.random.default_rng(0)
    lines = [f"spam\twin a free prize, call {i}" for i in rng.integers(0, 9, spam)]
    lines += [f"ham\tsee you at home, {name}" for name in rng.choice(["Ann", "Bob"], ham)]
    return "\n".join(lines) + "\n"


def test_letters_are_read_and_judged_unseen(tmp_path):
    file = tmp_path / "sms.gz"
    file.write_bytes(gzip.compress(sms().encode()))
    box = mail.mailbox(file)
    assert (box.kind, box.file, len(box.labels), box.labels.sum()) == ("letters", "sms.gz", 200, 40)
    assert box.test.sum() == 100
    assert box.labels[box.test].sum() == 20
    found = mail.judged(box)
    assert found.taught == 100
    assert metrics.roc_auc_score(found.labels, found.scores) == 1


@pytest.mark.parametrize("names", ["01", ("mail", "spam"), ("spam", "work")])
def test_a_table_is_read_and_spam_is_positive(tmp_path, names):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [80, 20])
    is_spam = labels if names[0] != "spam" else 1 - labels
    x = rng.normal(size=(100, 3)) + is_spam[:, None]
    rows = [
        " ".join(f"{v:.3f}" for v in row) + f" {names[y]}" for row, y in zip(x, labels, strict=True)
    ]
    file = tmp_path / "spambase.ssv"
    file.write_text("\n".join(rows))
    box = mail.mailbox(file)
    assert (box.kind, box.x.shape) == ("table", (100, 3))
    np.testing.assert_array_equal(box.labels, is_spam)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "\x00\x01\x02 no text",
        sms(spam=3),
        sms(spam=0),
        "ham\t...\nspam\t...\n" * 20,
        "\n".join(f"{i} {i % 7} {i % 3}" for i in range(60)),
    ],
    ids=["missing", "empty", "binary", "few of spam", "no spam", "no words", "three classes"],
)
def test_what_is_no_mailbox_has_a_stand_in(tmp_path, content):
    file = tmp_path / "letters.txt"
    if content is not None:
        file.write_text(content)
    box = mail.mailbox(file)
    assert (box.kind, box.file) == ("generated", "letters.txt")
    np.testing.assert_array_equal(box.x, mail.generated().x)
    assert mail.mailbox(tmp_path).kind == "generated"


def test_the_fit_comes_near_the_law_of_the_generated_letters():
    """Nothing ranks better than the law's own log-odds, and the fit is close behind."""
    box = mail.generated()
    spam, honest = np.array(list(mail.LAW.values())).T
    odds = np.log(spam / (1 - spam)) - np.log(honest / (1 - honest))
    best = metrics.roc_auc_score(box.labels[box.test], (box.x @ odds)[box.test].astype(np.float32))
    found = mail.judged(box)
    assert float(best) - 0.01 < metrics.roc_auc_score(found.labels, found.scores) <= float(best)


def test_the_page_says_which_mailbox_it_has(tmp_path):
    facts = a09_metrics.facts(tmp_path / "none.gz")
    assert facts["lecture"]["accuracy"] == pytest.approx(0.9)
    for language in texts.LANGUAGES:
        drawn = a09_metrics.figures(facts, texts.sayer(language))
        assert "`none.gz`" in texts.page(PART, language, facts, drawn)
        facts["mail"]["file"] = ""
        assert "`--data" in texts.page(PART, language, facts, drawn)
        facts["mail"]["file"] = "none.gz"


def test_what_stays_what_is_straight_and_what_grows():
    """As the share of positives grows, answered at the same rates."""
    swept = imbalance.swept([[90, 10], [20, 80]])
    shares, lines = np.array(swept["shares"]), swept["lines"]
    for name, value in {"recall": 0.8, "specificity": 0.9, "balanced": 0.85}.items():
        np.testing.assert_allclose(lines[name], value, rtol=1e-6)
    np.testing.assert_allclose(lines["accuracy"], 0.8 * shares + 0.9 * (1 - shares), rtol=1e-6)
    precision = 0.8 * shares / (0.8 * shares + 0.1 * (1 - shares))
    np.testing.assert_allclose(lines["precision"], precision, rtol=1e-6)
    assert (np.diff(lines["precision"]) > 0).all()
    assert (np.diff(lines["f1"]) > 0).all()
    assert swept["here"] == 0.5
