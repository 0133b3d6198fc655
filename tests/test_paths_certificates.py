"""Certificates: never below the error that an independent optimum measures, and sharp."""

from functools import cache, partial
from typing import NamedTuple

import jax
import numpy as np
import pytest
import scipy.optimize
import scipy.special

from jaxlr import losses
from jaxlr.certificates import bounds
from jaxlr.certificates.bounds import certify
from jaxlr.glm.losses import loss as family
from jaxlr.glm.problem import Lanes, Problem
from tests.sizes import PROOFS

pytestmark = pytest.mark.float64

ROWS, FEATURES, LANES = 48, 4, 20
PROBLEMS = 40 if PROOFS else 2
LAMBDAS = np.array([1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
MOVES = np.array([0.0, 1e-9, 1e-6, 1e-4, 1e-2, 0.3])
SHARP_FROM = 1e-4


def soft_max_loss(z, y):
    """[N] losses and [N, C] slopes of logits [N, C]: log(1 + Σ exp(z_c - z_y)) over the others."""
    apart = z - z[np.arange(len(z)), y][:, None]
    apart[np.arange(len(z)), y] = -np.inf
    top = np.maximum(apart.max(axis=1), 0)
    others = np.exp(apart - top[:, None])
    total = np.exp(-top) + others.sum(axis=1)
    value = np.where(top > 0, top + np.log(total), np.log1p(others.sum(axis=1)))
    slope = others / total[:, None]
    slope[np.arange(len(z)), y] = -slope.sum(axis=1)
    return value, slope


def logistic_loss(z, y):
    away = (1 - 2 * y) * z[:, 0]
    return np.logaddexp(0, away), ((1 - 2 * y) * scipy.special.expit(away))[:, None]


def squared_loss(z, y):
    return (z[:, 0] - y) ** 2, 2 * (z - y[:, None])


LOSSES = {
    "log_loss": (losses.log_loss, None, logistic_loss),
    "softmax": (losses.softmax_cross_entropy, 3, soft_max_loss),
    "squared_error": (losses.squared_error, None, squared_loss),
    "a user's": (lambda z, y: losses.log_loss(z, y), None, logistic_loss),
}


def objective(loss, x, y, s, lam, l1_ratio):
    """J and the gradient of its smooth part, of params [C, P]: numpy's own."""

    def risk(params):
        value, slope = loss(x @ params.T, y)
        w = np.append(params[:, :-1], np.zeros((len(params), 1)), axis=1)
        ridge = lam * (1 - l1_ratio)
        smooth = s @ value + ridge / 2 * np.sum(w**2)
        grad = (s[:, None] * slope).T @ x + ridge * w
        return smooth, smooth + lam * l1_ratio * np.abs(w).sum(), grad

    return risk


def curvature(name, x, s, params, lam):
    """The Hessian [C P, C P] with ridge λ."""
    z = x @ params.T
    if name == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        blocks = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]
    else:
        p = scipy.special.expit(z)
        blocks = (np.full_like(z, 2.0) if name == "squared_error" else p * (1 - p))[:, :, None]
    hessian = np.einsum("n,nab,np,nq->apbq", s, blocks, x, x).reshape(params.size, -1)
    penalty = np.ones(params.shape)
    penalty[:, -1] = 0
    return hessian + lam * np.diag(penalty.ravel())


def optimum(name, x, y, s, lam, l1_ratio):
    """Params [C, P]: Newton's method with halving; with an l1 penalty, L-BFGS on two signs."""
    _, num_classes, loss = LOSSES[name]
    shape = (num_classes or 1, x.shape[1])
    risk = objective(loss, x, y, s, lam, l1_ratio)
    if l1_ratio:
        return split_optimum(risk, shape, lam * l1_ratio)
    params = np.zeros(shape)
    for _ in range(100):
        value, _, grad = risk(params)
        step = -np.linalg.lstsq(curvature(name, x, s, params, lam), grad.ravel(), rcond=1e-15)[0]
        length = 1.0
        slope = grad.ravel() @ step
        if -slope <= 1e-26:
            break
        while length > 1e-3 and risk(params + length * step.reshape(shape))[0] > value + 1e-15:
            length /= 2
        params = params + length * step.reshape(shape)
    return params


def split_optimum(risk, shape, lasso):
    """Each weight as a difference of two that are at least 0."""
    penalty = np.full(shape, lasso)
    penalty[:, -1] = 0

    def both(flat):
        up, down = flat.reshape(2, *shape)
        value, _, grad = risk(up - down)
        total = value + np.sum(penalty * (up + down))
        return total, np.stack([grad + penalty, penalty - grad]).ravel()

    flat = scipy.optimize.minimize(
        both,
        np.zeros(2 * np.prod(shape)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * (2 * np.prod(shape)),
        options={"maxiter": 300, "maxfun": 400, "ftol": 1e-16, "gtol": 1e-11},
    ).x
    up, down = flat.reshape(2, *shape)
    return up - down


def random_problem(name, rng):
    """Rows, labels and two folds: conditions up to 10⁴, from overlapping to separable labels."""
    condition = 10 ** rng.uniform(0, 4)
    features = rng.normal(size=(ROWS, FEATURES)) * np.geomspace(1, 1 / condition, FEATURES)
    features = features + rng.normal(size=FEATURES) * rng.choice([0, 3])
    x = np.append(features, np.ones((ROWS, 1)), axis=1)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    scores = standard @ rng.normal(size=(FEATURES, 3)) * rng.choice([0.3, 3, 30])
    noisy = scores + rng.gumbel(size=scores.shape)
    y = {
        "softmax": noisy.argmax(axis=1),
        "squared_error": noisy[:, 0],
    }.get(name, (noisy[:, 0] > noisy[:, 1]).astype(float))
    s = rng.choice([0.0, 1.0, 2.5], size=(2, ROWS), p=[0.25, 0.5, 0.25])
    return x, y, s / s.sum(axis=1, keepdims=True)


@cache
def programs(name, direct):
    loss, num_classes, _ = LOSSES[name]
    program = partial(certify, family(loss, num_classes), direct=direct, num_steps=12)
    # Compiled without optimisation: it runs for a blink, and compiles for long.
    return jax.jit(program, compiler_options={"xla_backend_optimization_level": 0})


class Measured(NamedTuple):
    """Of every lane: its settings, J - J* as the witness has it, and what the program says."""

    lam: np.ndarray
    l1_ratio: np.ndarray
    error: np.ndarray
    risk: np.ndarray
    gap: np.ndarray
    decrement: np.ndarray
    rounding: np.ndarray


def measured(name, direct, l1_ratios, seed):
    """Every lane of PROBLEMS random problems, near its optimum and further away."""
    rng = np.random.default_rng(seed)
    program = programs(name, direct)
    out = []
    for _ in range(PROBLEMS):
        x, y, s = random_problem(name, rng)
        lam, ratio = rng.choice(LAMBDAS, LANES), rng.choice(l1_ratios, LANES)
        fold = rng.integers(0, 2, LANES)
        each = list(zip(s[fold], lam, ratio, strict=True))
        best = np.stack([optimum(name, x, y, *lane) for lane in each])
        size = np.abs(best) + 0.1 * np.abs(best).max(axis=(1, 2), keepdims=True)
        moved = best + rng.choice(MOVES, (LANES, 1, 1)) * rng.normal(size=best.shape) * size
        lanes = Lanes(lam, ratio, fold.astype(np.int32), np.zeros(LANES, np.int32))
        end = jax.tree.map(np.asarray, program(Problem(x, y[None], s, x.T), lanes, moved))
        risks = [objective(LOSSES[name][2], x, y, *lane) for lane in each]
        here = np.array([risk(p)[1] for risk, p in zip(risks, end.params, strict=True)])
        there = np.array([risk(p)[1] for risk, p in zip(risks, best, strict=True)])
        assert np.all(np.abs(end.risk - here) <= end.rounding)
        out.append(Measured(lam, ratio, here - there, here, end.gap, end.decrement, end.rounding))
    return Measured(*map(np.concatenate, zip(*out, strict=True)))


CASES = [
    ("log_loss", True, (0.0, 0.0, 0.5, 1.0)),
    ("log_loss", False, (0.0, 0.0, 0.5, 1.0)),
    ("softmax", True, (0.0, 0.0, 0.5, 1.0)),
    ("softmax", False, (0.0, 0.0, 0.5, 1.0)),
    ("squared_error", True, (0.0, 0.0, 0.0, 1.0)),
]


@pytest.mark.parametrize(("name", "direct", "l1_ratios"), CASES)
def test_the_gap_is_never_below_the_error_and_sharp_for_a_ridge(name, direct, l1_ratios):
    seen = measured(name, direct, l1_ratios, 0)
    assert np.all(seen.gap >= seen.error)
    assert np.all(seen.decrement <= seen.gap)
    # A point at 400 times its optimum's risk may have intercepts that are not quite settled.
    assert np.all(seen.rounding <= np.where(seen.error > seen.risk / 2, 1e-8, 1e-9) * seen.risk)
    near = (seen.lam >= SHARP_FROM) & (seen.l1_ratio == 0) & (seen.error <= 1e-3 * seen.risk)
    assert near.sum() >= 5
    assert np.all(seen.gap <= 100 * np.abs(seen.error) + 3 * seen.rounding, where=near)
    close = near & (seen.error > 1e-9 * seen.risk)
    np.testing.assert_allclose(seen.decrement[close], seen.error[close], rtol=0.3)


@pytest.mark.skipif(not PROOFS, reason="one more program to compile")
def test_a_users_loss_has_a_bound_that_is_never_below_the_error():
    seen = measured("a user's", False, (0.0, 0.5, 1.0), 1)
    assert np.all(seen.gap >= seen.error)
    strong = (seen.lam >= 1e-2) & (seen.l1_ratio == 0) & (seen.error <= 1e-3 * seen.risk)
    assert np.all(seen.gap <= 100 * np.abs(seen.error) + 3 * seen.rounding, where=strong)


def certified(name, x, y, s, lam, params, direct=True):
    """A certificate of copies of one lane, so that all tests share their programs."""
    zeros = np.zeros(LANES, np.int32)
    lanes = Lanes(np.full(LANES, lam), np.zeros(LANES), zeros, zeros)
    problem = Problem(x, y[None], np.stack([s, s]), x.T)
    end = programs(name, direct)(problem, lanes, np.stack([params] * LANES))
    return jax.tree.map(lambda a: np.asarray(a)[0], end)


def test_a_class_missing_from_a_fold_has_probability_0_and_a_bound():
    x, y, s = random_problem("softmax", np.random.default_rng(2))
    y = np.where(s[0] > 0, y % 2, 2)  # class 2 only where the fold has no weight
    best = optimum("softmax", x, y, s[0], 1e-2, 0.0)
    end = certified("softmax", x, y, s[0], 1e-2, best * 1.001)
    z = x @ end.params.T
    assert np.all(scipy.special.softmax(z, axis=1)[s[0] > 0, 2] == 0)
    # Of two classes W₁ = -W₀ = w/2, whose ½λ‖W‖² is ¼λ‖w‖².
    lane = x, y % 2.0, s[0], 5e-3, 0.0
    error = end.risk - objective(logistic_loss, *lane)(optimum("log_loss", *lane))[1]
    assert 0 < error <= end.gap <= 2 * error + 3 * end.rounding


def test_without_a_penalty_leverages_bound_what_overlaps_and_nothing_bounds_what_is_separable():
    rng = np.random.default_rng(3)
    x = np.append(rng.normal(size=(ROWS, FEATURES)), np.ones((ROWS, 1)), axis=1)
    y, s = (rng.random(ROWS) < 0.5).astype(float), np.full(ROWS, 1 / ROWS)
    best = optimum("log_loss", x, y, s, 0.0, 0.0)
    risk = objective(logistic_loss, x, y, s, 0.0, 0.0)
    for size in (0.0, 1e-6, 1e-3):
        end = certified("log_loss", x, y, s, 0.0, best + size * rng.normal(size=best.shape))
        error = end.risk - risk(best)[0]
        assert error <= end.gap <= 1.1 * abs(error) + 3 * end.rounding
    for seed, size in np.ndindex(10, 4):  # where it is no longer sharp, and must still be above
        away = np.random.default_rng(seed).normal(size=best.shape)
        end = certified("log_loss", x, y, s, 0.0, best + 2.0**-size * away)
        assert end.risk - risk(best)[0] <= end.gap
    separable = (x[:, 0] > 0).astype(float)
    far = np.eye(1, FEATURES + 1) * 3
    end = certified("log_loss", x, separable, s, 0.0, far)
    assert end.risk <= end.gap <= end.risk + 2 * end.rounding  # the infimum is 0


@pytest.mark.parametrize("size", [1e-3, 1.0])
def test_rows_that_are_all_saturated_bound_nothing(size):
    """Where two of them are wrong by 10⁴ logits, ℓ'' is 0 in float64 and the risk is thousands."""
    rng = np.random.default_rng(3)
    x = np.append(rng.choice([-1, 1], (ROWS, FEATURES)) * size, np.ones((ROWS, 1)), axis=1)
    y, s = (x[:, 0] > 0).astype(float), np.full(ROWS, 1 / ROWS)
    y[:2] = 1 - y[:2]
    far = np.eye(1, FEATURES + 1) * 1e4 / size
    end = certified("log_loss", x, y, s, 0.0, far)
    assert end.risk > 400
    assert end.decrement == end.gap >= end.risk


def test_intercepts_that_no_step_can_settle_leave_only_the_risk():
    """ℓ'' is 0 in every row, and ∇W is 0 by symmetry; yet the intercept is far from its optimum."""
    x = np.append(np.tile([1.0, -1.0], (FEATURES, ROWS // 2)).T, np.ones((ROWS, 1)), axis=1)
    y, s = np.repeat([0.0, 1.0], ROWS // 2), np.full(ROWS, 1 / ROWS)
    end = certified("log_loss", x, y, s, 1e-2, 1e4 * np.eye(1, FEATURES + 1, FEATURES))
    assert 4999 < end.risk <= end.gap


def test_dependent_columns_without_a_penalty_are_neither_estimated_nor_bounded():
    rng = np.random.default_rng(3)
    x = np.append(rng.normal(size=(ROWS, FEATURES)), np.ones((ROWS, 1)), axis=1)
    x[:, 1] = x[:, 0] - x[:, 2]
    y, s = (rng.random(ROWS) < 0.5).astype(float), np.full(ROWS, 1 / ROWS)
    best = optimum("log_loss", x, y, s, 0.0, 0.0)
    end = certified("log_loss", x, y, s, 0.0, best + 1e-3 * rng.normal(size=best.shape))
    assert end.decrement == end.gap == end.risk + end.rounding


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("name", ["log_loss", "softmax"])
def test_a_newton_step_is_trusted_while_it_moves_logits_by_less_than_one(name, direct):
    """Then the decrement is half of numpy's ν², and else no less than the gap."""
    x, y, s = random_problem(name, np.random.default_rng(4))
    lam, (_, num_classes, loss) = 1e-3, LOSSES[name]
    best = optimum(name, x, y, s[0], lam, 0.0)
    away, seen = np.random.default_rng(5).normal(size=best.shape), []
    for size in np.geomspace(0.05, 20, 12):
        end = certified(name, x, y, s[0], lam, best + size * away, direct)
        grad = objective(loss, x, y, s[0], lam, 0.0)(end.params)[2]
        hessian = curvature(name, x, s[0], end.params, lam)
        step = np.linalg.lstsq(hessian, grad.ravel(), rcond=1e-13)[0]
        moved = step.reshape(best.shape) @ x[s[0] > 0].T
        moved = np.abs(moved[0]) if num_classes is None else np.ptp(moved, axis=0)
        half, trusted = grad.ravel() @ step / 2, moved.max() < 1
        expected = min(half, end.gap) if trusted else end.gap
        np.testing.assert_allclose(end.decrement, expected, rtol=1e-3)
        seen.append((trusted, half < end.gap))
    assert (True, True) in seen
    assert (False, True) in seen


def test_intercepts_become_optimal_from_wherever_they_start():
    x, y, s = random_problem("log_loss", np.random.default_rng(4))
    best = optimum("log_loss", x, y, s[0], 1e-2, 0.0)
    for offset in (-300.0, -1.0, 0.0, 1e-3, 40.0):
        moved = best + offset * np.eye(1, FEATURES + 1, FEATURES)
        end = certified("log_loss", x, y, s[0], 1e-2, moved)
        np.testing.assert_allclose(end.params, best, rtol=1e-9, atol=1e-10)


def test_a_lane_that_is_not_a_number_leaves_the_others_alone():
    x, y, s = random_problem("log_loss", np.random.default_rng(5))
    best = optimum("log_loss", x, y, s[0], 1e-2, 0.0)
    zeros = np.zeros(LANES, np.int32)
    lanes = Lanes(np.full(LANES, 1e-2), np.zeros(LANES), zeros, zeros)
    params = np.stack([best] * LANES)
    certificates = partial(programs("log_loss", True), Problem(x, y[None], s, x.T), lanes)
    whole = certificates(params)
    params[1] = np.nan
    end = certificates(params)
    assert np.isnan(end.risk[1])
    assert np.isinf(end.gap[1])
    np.testing.assert_array_equal(end.gap[2:], whole.gap[2:])


def test_optimal_intercepts_keep_logits_near_each_other_as_the_third_bound_has_it():
    """max |x · d| between two W with their optimal b is at most M k R ‖d_W‖, and not far below."""
    rng = np.random.default_rng(6)
    x, _, s = random_problem("log_loss", rng)
    y = (rng.random(ROWS) < 0.5).astype(float)
    rows = Problem(x, y[None], s, x.T)
    most = np.asarray(bounds.radii(family(losses.log_loss), rows))
    shares = []
    for fold, size in np.ndindex(2, 50):
        # From 0 along and against a row's own direction, where |x · d| is largest.
        w = (x[size % ROWS, :-1] - s[fold] @ x[:, :-1]) * rng.choice([-1, 1]) * 10.0 ** -(size % 5)
        ends = []
        for end in (0 * w, w):
            z = x[:, :-1] @ end

            def slope(b, z=z, fold=fold):
                return s[fold] @ (scipy.special.expit(z + b) - y)

            ends.append(z + scipy.optimize.brentq(slope, -1e6, 1e6, xtol=1e-14))
        reach = np.abs(ends[1] - ends[0])[s[fold] > 0].max()
        shares.append(reach / (most[fold] * np.linalg.norm(w)))
    assert max(shares) <= 1
    assert max(shares) > 0.3
