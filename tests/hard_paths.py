"""Paths that were hard once: rare dummies, stiff columns, sizes on both sides of every limit.

python -m tests.hard_paths --family rare --seeds 0 10
"""

import argparse

import numpy as np

from tests import unmoved_paths
from tests.path_judge import Case, survey

RARE = [(7, 40), (3, 5), (3, 200), (15, 80), (30, 20), (7, 120)]  # classes, dummies
SIZES = [  # (N, D, C, F, α): each beside a limit of the engines, of proofs, or of products
    (700, 63, None, 1, 0.0),
    (700, 64, None, 1, 0.0),
    (300, 255, None, 1, 0.0),
    (300, 256, None, 1, 0.0),
    (120, 20, 3, 2, 0.0),
    (120, 21, 3, 2, 0.0),
    (400, 99, 10, 1, 0.0),
    (400, 100, 10, 1, 0.0),
    (1500, 40, 3, 2, 0.0),
    (1500, 30, 3, 2, 0.0),
    (9000, 12, None, 2, 0.0),
    (7000, 10, 10, 1, 0.0),
    (9000, 12, None, 2, 1.0),
    (7000, 10, 10, 1, 0.5),
    (60, 1290, None, 5, 1.0),
    (60, 1300, None, 5, 1.0),
    (200, 1800, None, 5, 1.0),
    (60, 2894, None, 1, 1.0),
    (60, 2900, None, 1, 1.0),
    (60, 2900, None, 1, 0.5),
    (120, 256, 10, 5, 1.0),
    (600, 256, 10, 5, 1.0),
    (700, 256, 10, 5, 1.0),
    (3000, 600, None, 1, 1.0),
]


def rare(seed: int, num_classes=7, num_dummies=40, lambdas=(4.6e-5,), n=16000) -> Case:
    """Softmax with one-hot columns of which some have next to no rows."""
    rng = np.random.default_rng(seed)
    p = rng.pareto(0.7, num_dummies) + 0.002
    soil = rng.choice(num_dummies, n, p=p / p.sum())
    z = rng.normal(size=(n, 10))
    area = rng.choice(4, n, p=[0.45, 0.43, 0.07, 0.05])
    prior = np.log([0.365, 0.487, 0.062, 0.005, 0.016, 0.03, 0.035])
    if num_classes != 7:
        prior = np.log(rng.dirichlet(np.full(num_classes, 0.5)) + 1e-3)
    logits = prior + z @ (rng.normal(size=(10, num_classes)) * 0.8)
    logits = logits + rng.normal(size=(4, num_classes))[area]
    logits = logits + (rng.normal(size=(num_dummies, num_classes)) * 1.5)[soil]
    y = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    x = np.c_[z, np.eye(4)[area], np.eye(num_dummies)[soil]]
    s = x.std(0)
    x = (x - x.mean(0)) / np.where(s > 0, s, 1)
    missing = np.setdiff1d(np.arange(num_classes), y)
    y[: len(missing)] = missing
    return _whole(x, y, lambdas, "softmax", num_classes, 0.0, f"rare {num_classes} {num_dummies}")


def stiff(seed: int) -> Case:
    """Near-duplicate columns, one column far from its size, powers; many without a penalty."""
    rng = np.random.default_rng(seed)
    what = ["twins", "far", "powers", "epoch"][seed % 4]
    kind = ["log_loss", "softmax", "squared_error"][seed // 4 % 3]
    alpha = [0.0, 1.0, 0.5][seed // 12 % 3]
    n, d, num_classes = 120, 8, 3 if kind == "softmax" else None
    x = rng.normal(size=(n, d))
    lambdas = np.array([0.1, 1e-2, 1e-4, 1e-6, 0.0])
    z = x @ rng.normal(size=(d, num_classes or 1))
    if what == "twins":
        x[:, 1] = x[:, 0] + 1e-9 * rng.normal(size=n)
        x[:, 3] = x[:, 2] + 10 ** rng.uniform(-10, -3) * rng.normal(size=n)
    elif what == "far":
        x[:, 0] = 1e4 + x[:, 0]
        x[:, 1] = 1e-3 * x[:, 1]
    elif what == "powers":
        t = rng.normal(size=n) * rng.choice([1, 3]) + rng.choice([0, 5])
        x[:, :7] = t[:, None] ** np.arange(1, 8)
    else:
        x[:, 0] = 1.6e9 + np.sort(rng.integers(0, 10**7, n))
        x[:, 1] = rng.integers(0, 2, n)
    y = z[:, 0] + rng.normal(size=n)
    if kind == "log_loss":
        y = (y > 0).astype(float)
    elif kind == "softmax":
        y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
        y[:3] = 0, 1, 2
    return _whole(x, y, lambdas, kind, num_classes, alpha, what)


def sizes(seed: int) -> Case:
    """A problem of size `SIZES[seed]`, with a constant, a duplicate and some rare dummies."""
    n, d, num_classes, num_folds, alpha = SIZES[seed % len(SIZES)]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    x[:, 0], x[:, 1] = 2.5, x[:, 2]
    x[:, 3:6] = 0
    x[rng.choice(n, 3, replace=False), [3, 4, 5]] = 1
    w = np.zeros((d, num_classes or 1))
    w[2:10] = rng.normal(size=(8, num_classes or 1))
    z = x @ w + rng.gumbel(size=(n, num_classes or 1))
    y = (z[:, 0] > 0.5).astype(float) if num_classes is None else z.argmax(axis=1)
    if num_classes:
        y[:num_classes] = np.arange(num_classes)
    top = 0.2 if alpha == 0 else np.abs((x - x.mean(0)).T @ (y - y.mean())).max() / n / alpha
    if num_classes:
        top = 0.1
    lambdas = top * np.array([0.4, 0.1]) if alpha else np.array([0.1, 1e-4])
    if d in (99, 100) or (n, d) == (120, 21):
        lambdas = np.append(lambdas, 0)
    c = _whole(x, y, lambdas, "softmax" if num_classes else "log_loss", num_classes, alpha, "size")
    if num_folds > 1:
        where = np.arange(n) % num_folds
        folds = (where != np.arange(num_folds)[:, None]) * 1.0
        folds[:, : num_classes or 2] = 1
        c = c._replace(folds=folds)
    return c


def _whole(x, y, lambdas, kind, num_classes, alpha, note):
    n = len(x)
    lambdas = np.asarray(lambdas)
    return Case(x, y, np.ones(n), np.ones((1, n)), lambdas, kind, num_classes, alpha, 1e-6, (note,))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--family", default="rare", choices=["rare", "stiff", "sizes", "offsets", "absent"]
    )
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 10))
    options = parser.parse_args()
    seeds = range(*options.seeds)
    if options.family == "offsets":
        unmoved_paths.offsets(seeds, 1e6, 1e-8)
        unmoved_paths.offsets(seeds, 1e9, 1e-5)
    elif options.family == "absent":
        unmoved_paths.absent(seeds)
    elif options.family == "stiff":
        survey("stiff", ((seed, stiff(seed)) for seed in seeds))
    elif options.family == "sizes":
        for seed in seeds:
            survey(f"sizes {SIZES[seed]}", [(seed, sizes(seed))], folds=(0,))
    else:
        several = tuple(np.geomspace(0.1, 1e-6, 8))
        for num_classes, num_dummies in RARE:
            for lambdas in ((4.6e-5,), (1e-6,), several):
                cases = (
                    (seed, rare(seed, num_classes, num_dummies, lambdas))
                    for seed in (seeds if num_classes == 7 else seeds[:2])
                )
                survey(f"rare {num_classes} {num_dummies} K={len(lambdas)}", cases)


if __name__ == "__main__":
    main()
