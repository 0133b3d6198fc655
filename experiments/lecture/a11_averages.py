"""A11. One number for many classes: micro and macro averages.

Question: three classes give three confusion matrices. How do they become one number?
Finding: micro averages the counts, so that each example has one vote; macro averages the metrics,
so that each class has. They part where classes differ in size and in difficulty.
"""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_wine

from experiments.kit import style
from experiments.lecture import confusion
from jaxlr import losses, metrics, models, optimizers, training
from jaxlr.metrics import figures as of_counts
from jaxlr.pytypes import Batch

TAUGHT = 30
STEPS = 300
RATE = 0.5
PENALTY = 1e-3
SHARES = np.linspace(0.02, 0.98, 97)
OUTCOMES = {(True, True): "TP", (True, False): "FN", (False, True): "FP", (False, False): "TN"}
METRICS = {"precision": of_counts.precision, "recall": of_counts.recall, "f1": of_counts.f_beta}


def facts(mail=None) -> dict:
    """Softmax regression on wines it hasn't seen: a table a class, and all the averages."""
    truth, predicted = _judged()
    counts = np.asarray(metrics.confusion_matrix(truth, predicted))
    tables = np.asarray(metrics.multilabel_confusion_matrix(truth, predicted))
    mean = np.asarray(of_counts.average_table(tables))
    each = {name: np.asarray(metric(tables)) for name, metric in METRICS.items()}
    library = {}
    for average in ("micro", "macro", "weighted"):
        found = metrics.precision_recall_fscore_support(truth, predicted, average=average)
        library[average] = [float(value) for value in found[:3]]
    size = counts.sum(axis=1) / counts.sum()
    recipe = {
        "micro": [float(metric(mean[None])[0]) for metric in METRICS.values()],
        "macro": [float(values.mean()) for values in each.values()],
        "weighted": [float(size @ values) for values in each.values()],
    }
    hard = int(each["recall"].argmin())
    return {
        "classes": len(counts),
        "taught": TAUGHT,
        "judged": len(truth),
        "confusion": counts.tolist(),
        "rows": [_row(t) + [float(v[k]) for v in each.values()] for k, t in enumerate(tables)],
        "mean": _row(mean),
        "recipe": recipe,
        "library": library,
        "apart": float(np.abs(_numbers(recipe) - _numbers(library)).max()),
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "binary_accuracy": float(of_counts.accuracy(mean)),
        "hard": hard,
        "hard_recall": float(each["recall"][hard]),
        "swept": _swept(counts, hard),
        "here": float(size[hard]),
    }


def _numbers(averages) -> np.ndarray:
    return np.array(list(averages.values()))


def _judged():
    """Labels of the wines that didn't teach, and what the model says of them."""
    wine = load_wine()
    order = np.random.default_rng(0).permutation(len(wine.target))
    train, test = order[:TAUGHT], order[TAUGHT:]
    features = wine.data - wine.data[train].mean(axis=0)
    features = jnp.asarray(features / wine.data[train].std(axis=0), jnp.float32)
    labels = jnp.asarray(wine.target, jnp.int32)
    risk = losses.risk(models.linear, losses.softmax_cross_entropy, l2=PENALTY)
    start = models.init_linear(features.shape[1], 3, jnp.float32)
    batch, rows = Batch(features[train], labels[train]), jnp.tile(jnp.arange(TAUGHT), (STEPS, 1))
    descend = jax.jit(lambda batch: training.fit(risk, optimizers.sgd(RATE), start, batch, rows))
    scores = jax.vmap(models.linear, (None, 0))(descend(batch).params, features[test])
    return wine.target[test], np.asarray(scores).argmax(axis=1)


def _row(table) -> list:
    """TP, FP, FN, TN."""
    (tn, fp), (fn, tp) = np.asarray(table).tolist()
    return [tp, fp, fn, tn]


def _swept(counts, hard) -> dict:
    """F1 by each average as the hard class becomes more frequent, its recall as it was."""
    rates = counts / counts.sum(axis=1, keepdims=True)
    others = counts.sum(axis=1) * (np.arange(len(counts)) != hard)
    sizes = (1 - SHARES[:, None]) * others / others.sum()
    sizes[:, hard] = SHARES
    tables = np.asarray(metrics.one_vs_rest(sizes[:, :, None] * rates))
    averages = ("micro", "macro", "weighted")
    lines = {a: np.asarray(of_counts.f_beta(tables, average=a)).tolist() for a in averages}
    return {"shares": SHARES.tolist(), "lines": lines}


def figures(facts: dict, say) -> dict:
    """Each class against the rest, and the averages as one class grows."""
    drawn = {f"class{k}": _class(facts, k, say) for k in range(facts["classes"])}
    return drawn | {"swept": _averages(facts, say)}


def _class(facts, k, say):
    figure, axes = style.panel(4.6, 4.2)
    counts = np.array(facts["confusion"])
    classes = range(len(counts))
    cells = {(i, j): OUTCOMES[i == k, j == k] for i in classes for j in classes}
    names = [say("class", "класс") + f" {c}" for c in classes]
    confusion.drawn(axes, counts, names, say, names=cells, of=k)
    sums = zip(("TP", "FP", "FN", "TN"), facts["rows"][k], strict=False)
    axes.set_title(",  ".join(f"{name} = {count}" for name, count in sums))
    return figure, say(f"Class {k} against the rest", f"Класс {k} против остальных")


def _averages(facts, say):
    figure, axes = style.panel(5.3, 3.5)
    shares, lines = facts["swept"]["shares"], facts["swept"]["lines"]
    looks = {
        "micro": (say("micro (= accuracy)", "микро (= доля верных ответов)"), style.ACCENT, "-"),
        "macro": (say("macro", "макро"), style.WARM, "-"),
        "weighted": (say("weighted", "взвешенное"), style.MUTED, "--"),
    }
    order = sorted(looks, key=lambda name: lines[name][-1])
    gap = 0.06 * (max(map(max, lines.values())) - min(map(min, lines.values())))
    place = -np.inf
    for name in order:
        text, colour, line = looks[name]
        axes.plot(shares, lines[name], color=colour, ls=line, lw=2.2)
        place = max(lines[name][-1], place + gap)
        axes.text(1.01, place, text, color=colour, va="center")
    axes.axvline(facts["here"], color=style.INK, lw=0.8, ls=":")
    here = say("in the test set", "в тестовой выборке")
    axes.text(facts["here"] + 0.01, 0.02, here, transform=axes.get_xaxis_transform(), fontsize=9)
    axes.set(xlim=(0, 1))
    hard = facts["hard"]
    axes.set_xlabel(say(f"share of class {hard}", f"доля класса {hard}"))
    axes.set_ylabel("F1")
    return figure, say("F1 by each average", "F1 при каждом усреднении")
