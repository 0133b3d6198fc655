"""A3, solved."""

import numpy as np


def walk(gradient, start, rate, beta, steps):
    """The path of the lecture's momentum, [steps + 1, D]."""
    path = [np.asarray(start, float)]
    v = np.zeros_like(path[0])
    for _ in range(steps):
        v = beta * v + (1 - beta) * gradient(path[-1])
        path.append(path[-1] - rate * v)
    return np.array(path)


def heavy_balls_rate(rate, beta):
    """The heavy ball's v is larger by 1 / (1 - β)."""
    return (1 - beta) * rate
