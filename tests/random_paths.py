"""Random path problems, and whatever their lanes say that is not so.

    python -m tests.random_paths --family lasso --seeds 0 500

prints each lie with what makes it again (`--family F --seeds S S+1`), and a summary.
"""

import argparse

import numpy as np

from tests.path_judge import Case, survey

SHAPES = {  # (N, D, C, F): few, since each compiles its own programs
    "log_loss": [(5, 3, None, 1), (24, 5, None, 3), (90, 20, None, 2), (14, 40, None, 2)],
    "softmax": [(24, 5, 3, 3), (90, 8, 7, 2), (14, 30, 3, 1)],
    "squared_error": [(24, 5, None, 3), (90, 20, None, 2), (14, 40, None, 2)],
}
LARGER = {
    "log_loss": [(400, 60, None, 2)],
    "softmax": [(200, 6, 30, 2), (400, 30, 3, 2)],
    "squared_error": [(400, 60, None, 2)],
}
FEW = [("log_loss", (60, 5, None, 1))]  # whose programs other tests have too
RATIOS = {"ridge": [0.0], "elastic": [1e-3, 0.1, 0.5, 0.9, 0.999], "lasso": [1.0]}


def case(family: str, seed: int, shapes=None, num_lambdas=5) -> Case:
    """A random problem of "ridge", "elastic" or "lasso"."""
    rng = np.random.default_rng([seed, sum(map(ord, family))])
    if shapes is None:
        shapes = [(k, s) for k in SHAPES for s in SHAPES[k] + (LARGER[k] if seed % 5 == 0 else [])]
    kind, (n, d, num_classes, num_folds) = shapes[rng.integers(len(shapes))]
    notes = []
    x = _columns(rng, n, d, notes)
    labels = _labels(rng, x, kind, num_classes, notes)
    x = _spoilt(rng, x, labels, notes)
    weights = _weights(rng, n, notes)
    folds = _folds(rng, n, num_folds, labels, kind, weights, notes)
    l1_ratio = float(rng.choice(RATIOS[family]))
    lambdas = _lambdas(rng, x, labels, weights, kind, l1_ratio, num_lambdas, notes)
    return Case(x, labels, weights, folds, lambdas, kind, num_classes, l1_ratio, 1e-6, tuple(notes))


def _columns(rng, n, d, notes):
    """[n, d] of one design."""
    design = rng.choice(["normal", "alike", "whole", "dummies", "heavy"])
    notes.append(str(design))
    if design == "normal":
        return rng.normal(size=(n, d))
    if design == "alike":
        return rng.normal(size=(n, 1)) * rng.choice([1, 10]) + rng.normal(size=(n, d))
    if design == "whole":
        return rng.poisson(2.0, size=(n, d)).astype(float)
    if design == "dummies":
        p = rng.pareto(0.7, d) + 0.002
        x = np.eye(d)[rng.choice(d, n, p=p / p.sum())]
        x[:, : d // 3] = rng.normal(size=(n, d // 3))
        return x
    return rng.standard_t(1.5, size=(n, d))


def _labels(rng, x, kind, num_classes, notes):
    sd = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1)
    size = rng.choice([0.0, 0.3, 1, 3, 30])
    notes.append(f"signal {size:g}")
    scores = z @ rng.normal(size=(x.shape[1], num_classes or 1)) * size / np.sqrt(x.shape[1])
    if kind == "squared_error":
        y = scores[:, 0] + rng.choice([0.0, 0.1, 1.0], p=[0.1, 0.4, 0.5]) * rng.normal(size=len(x))
        return y * rng.choice([1, 1, 1e-3, 1e3]) + rng.choice([0, 0, 1e3])
    noise = rng.gumbel(size=scores.shape) * rng.choice([0, 1], p=[0.2, 0.8])
    if kind == "softmax":
        y = (scores + noise + rng.choice([0, 2]) * rng.normal(size=num_classes)).argmax(axis=1)
        # Mostly each class has a row.
        for c in range(num_classes):
            if not np.any(y == c) and rng.random() < 0.95:
                y[rng.integers(len(y))] = c
        if len(np.unique(y)) < 2:
            y[:2] = 0, 1
        return y.astype(np.int32)
    p = scores[:, 0] + rng.logistic(size=len(x)) * np.any(noise != 0) - rng.choice([0, 0, 2])
    if rng.random() < 0.15:
        notes.append("soft labels")
        return np.clip(1 / (1 + np.exp(-np.clip(p, -30, 30))), 0, 1).round(2)
    y = (p > 0).astype(np.float64)
    if y.min() == y.max():
        y[0] = 1 - y[0]
    return y


def _spoilt(rng, x, labels, notes):
    """A few of the things that columns have."""
    d = x.shape[1]
    things = ["constant", "twice", "nearly twice", "scales", "offset", "sum", "powers", "tells"]
    for thing in rng.choice(things, rng.integers(0, 4), replace=False):
        j, k = rng.choice(d, 2, replace=False)
        sd = np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
        if thing == "constant":
            x[:, j] = rng.choice([0, 1, 0.1, -3e7])
        elif thing == "twice":
            x[:, j] = x[:, k] * rng.choice([1, 1, -2])
        elif thing == "nearly twice":
            noise = rng.choice([1e-9, 1e-6, 1e-3])
            x[:, j] = x[:, k] + noise * sd[k] * rng.normal(size=len(x))
            thing = f"nearly twice {noise:g}"
        elif thing == "scales":
            big = rng.choice([1, 3, 8])
            x = x * 10 ** rng.uniform(-big, big, d)
            thing = f"scales 1e±{big}"
        elif thing == "offset":
            size = 10 ** rng.integers(0, 10)
            x = x + size * sd * (rng.random(d) < rng.choice([0.2, 1]))
            thing = f"offset {size:g} sd"
        elif thing == "sum":
            x[:, j] = x.sum(axis=1) - x[:, j]
        elif thing == "powers":
            top = min(d, 7)
            x[:, :top] = (x[:, k] / sd[k])[:, None] ** np.arange(1, top + 1)
        elif thing == "tells":
            x[:, j] = labels + rng.choice([0, 0.1]) * rng.normal(size=len(x))
        notes.append(str(thing))
    return x


def _weights(rng, n, notes):
    how = rng.choice(["ones", "ones", "random", "tiny", "counts", "huge"])
    notes.append(f"weights {how}")
    if how == "random":
        return rng.exponential(size=n) + 1e-3
    if how == "tiny":
        return 10 ** rng.uniform(-6, 0, n)
    if how == "counts":
        out = rng.poisson(1.0, n).astype(float)
        return out if out.sum() > 2 else np.ones(n)
    return np.full(n, 1e300 if how == "huge" else 1.0)


def _folds(rng, n, num_folds, labels, kind, weights, notes):
    folds = (rng.integers(0, max(num_folds, 2) + 1, n) != np.arange(num_folds)[:, None]) * 1.0
    if num_folds == 1:
        folds[:] = 1
    classes = np.unique(labels[labels == np.round(labels)])
    if kind != "squared_error" and num_folds > 1 and rng.random() < 0.35 and len(classes):
        folds[0, labels == rng.choice(classes)] = 0
        notes.append("a class missing from fold 0")
    for fold in folds:
        if np.count_nonzero(fold * weights) < 2:
            fold[:] = 1
    return folds


def _lambdas(rng, x, labels, weights, kind, l1_ratio, num, notes):
    """Descending from about where all is 0."""
    s = weights / weights.max()
    s = s / s.sum()
    y = labels if kind != "softmax" else labels == labels[0]
    steepest = np.abs((x - s @ x).T @ (s * (y - s @ y))).max() + 1e-12
    top = steepest / max(l1_ratio, 1e-3)
    if rng.random() < 0.3:
        top = 1.0
    low = 10 ** rng.uniform(-8, -2) * top
    out = np.geomspace(top, low, num)
    if rng.random() < 0.4:
        out[-1] = 0
        notes.append("λ = 0")
    return out


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="lasso", choices=[*RATIOS, "all"])
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 100))
    options = parser.parse_args()
    for family in RATIOS if options.family == "all" else [options.family]:
        survey(family, ((seed, case(family, seed)) for seed in range(*options.seeds)))


if __name__ == "__main__":
    main()
