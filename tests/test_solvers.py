"""Every solver on one family of lanes: valleys, logistic risks, and lanes that end badly."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxlr import solvers
from jaxlr.solvers import Status
from tests import solver_problems

X64 = jax.config.jax_enable_x64
DTYPE = jnp.result_type(float)
EPS = float(jnp.finfo(DTYPE).eps)
TOL = EPS ** (2 / 3)
FINE = TOL if X64 else 1e-6  # so small that the value has all its digits
RELATIVE = 1e-8 if X64 else 1e-5  # of the minimum's value

SOLVERS = {
    "gradient_descent": solvers.gradient_descent,
    "nonlinear_cg": solvers.nonlinear_cg,
    "bfgs": solvers.bfgs,
    "lbfgs": solvers.lbfgs,
    "newton": solvers.newton,
    "newton_cg": solvers.newton_cg,
}
TEXTBOOK = {
    "textbook_cg": functools.partial(solvers.nonlinear_cg, scaled=False),
    "steepest_descent": functools.partial(solvers.gradient_descent, scaled=False),
}
every_solver = pytest.mark.parametrize("name", SOLVERS)
ROWS, FEATURES = 60, 40


class Lane(NamedTuple):
    """One problem of the family: which of the three, a logistic data set, six coefficients.

    The toy is Σ bend w²/2 + tilt w + quartic w⁴/4 + kink |w| - log(w) where `log` is 1, + offset.
    """

    which: np.ndarray
    x: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    l2: np.ndarray
    toy: dict


def lane(which, x=None, labels=None, l2=0.0, **toy):
    coefficients = dict.fromkeys(("bend", "tilt", "quartic", "kink"), np.zeros(FEATURES))
    x = np.zeros((1, 1)) if x is None else x
    labels = np.ones(1) if labels is None else labels
    padding = ((0, ROWS - len(x)), (0, FEATURES - x.shape[1]))
    return Lane(
        np.int32(which),
        np.pad(x, padding),
        np.pad(labels, padding[0]),
        np.pad(np.ones(len(x)), padding[0]),
        np.float64(l2),
        {**coefficients, "offset": np.float64(0), **toy},
    )


def first(*values):
    return np.pad(np.array(values, float), (0, FEATURES - len(values)))


ONES = np.ones(FEATURES)
LOGISTIC = {
    kind: lane(1, *solver_problems.logistic_examples(kind)) for kind in solver_problems.LOGISTIC
}
LANES = {
    "rosenbrock": (lane(0), first(-1.2, 1.0)),
    "rosenbrock from afar": (lane(0), first(5.0, -3.0)),
    **{kind: (problem, 0 * ONES) for kind, problem in LOGISTIC.items()},
    "nan": (lane(2, bend=ONES, tilt=first(np.nan)), ONES),
    "infinite": (lane(2, bend=ONES), first(1e200)),
    "falls for ever": (lane(2, bend=first(0, 1), tilt=first(1, 0)), first(1, 1)),
    "flat directions": (lane(2, bend=first(1, 10), tilt=first(1, 2)), ONES),
    "at the optimum": (lane(2, bend=ONES), 0 * ONES),
    "double well": (lane(2, bend=first(-1, 1), quartic=first(1, 1)), first(0.01, 2)),
    "kink": (lane(2, kink=first(1.0)), first(0.3)),
    "behind a large constant": (lane(2, bend=first(1, 3), offset=1e11 if X64 else 1e3), ONES),
}
NAMES = list(LANES)


def rosenbrock(params, lane):
    a, b = params["w"][0], params["w"][1]
    rest = jnp.sum(params["w"][2:] ** 2) + params["b"] ** 2
    return (1 - a) ** 2 + 100 * (b - a**2) ** 2 + rest


def logistic(params, lane):
    margins = lane.labels * (lane.x @ params["w"] + params["b"])
    losses = jnp.logaddexp(0, -margins) * lane.rows
    return jnp.sum(losses) / jnp.sum(lane.rows) + lane.l2 / 2 * jnp.sum(params["w"] ** 2)


def toy(params, lane):
    w, c = params["w"], lane.toy
    terms = c["bend"] * w**2 / 2 + c["tilt"] * w + c["quartic"] * w**4 / 4
    return jnp.sum(terms + c["kink"] * jnp.abs(w)) + params["b"] ** 2 + c["offset"]


def objective(params, lane):
    return jax.lax.switch(lane.which, [rosenbrock, logistic, toy], params, lane)


def batch():
    """All lanes along a leading axis, in the dtype of this pass."""
    lanes, starts = zip(*LANES.values(), strict=True)

    def cast(*leaves):
        stacked = np.stack(leaves)
        return jnp.asarray(stacked, DTYPE if stacked.dtype == np.float64 else jnp.int32)

    with np.errstate(over="ignore"):  # 1e200 is infinite in float32, as it should be
        params = {"w": cast(*starts), "b": jnp.zeros(len(starts), DTYPE)}
    return params, jax.tree.map(cast, *lanes)


@functools.cache
def program(name):
    """minimise over all lanes, with tol and max_steps as arguments: compiled once per solver."""

    def run(params, lane, tol, max_steps):
        solver = (SOLVERS | TEXTBOOK)[name]()
        return solvers.minimise(solver, objective, params, lane, tol=tol, max_steps=max_steps)

    return jax.jit(jax.vmap(run, in_axes=(0, 0, None, None)))


def budget(name):
    """Some lanes have no end, and most others end by then."""
    return {"newton": 36, "newton_cg": 100, "bfgs": 200, "lbfgs": 1000}.get(name, 500)


def solutions(name, tol=TOL, max_steps=None):
    return _solutions(name, tol, budget(name) if max_steps is None else max_steps)


@functools.cache
def _solutions(name, tol, max_steps):
    end = program(name)(*batch(), jnp.asarray(tol, DTYPE), jnp.asarray(max_steps, jnp.int32))
    return jax.tree.map(np.asarray, end)


def ending(name, lane_name, **options):
    """One lane's solution, in numpy."""
    return jax.tree.map(lambda leaf: leaf[NAMES.index(lane_name)], solutions(name, **options))


@functools.cache
def logistic_minimum(kind):
    """By scipy's trust region, from numpy's own value, gradient and Hessian."""
    x, labels, l2 = solver_problems.logistic_examples(kind)
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    penalty = np.append(np.full(x.shape[1], l2), 0)

    def value(w):
        return np.mean(np.logaddexp(0, -labels * (design @ w))) + w @ (penalty * w) / 2

    def gradient(w):
        wrong = 1 / (1 + np.exp(labels * (design @ w)))
        return -design.T @ (labels * wrong) / len(x) + penalty * w

    def hessian(w):
        wrong = 1 / (1 + np.exp(labels * (design @ w)))
        bend = wrong * (1 - wrong) / len(x)
        return design.T @ (bend[:, None] * design) + np.diag(penalty)

    start = np.zeros(design.shape[1])
    options = {"gtol": 1e-9, "maxiter": 1000}
    end = scipy.optimize.minimize(
        value, start, jac=gradient, hess=hessian, method="trust-exact", options=options
    )
    assert end.success
    return end.fun, value, gradient


TOO_HARD = {  # condition number 1e8, and no scales; a bent valley, and nothing learnt of it
    ("textbook_cg", "badly scaled"),
    ("steepest_descent", "badly scaled"),
    ("steepest_descent", "rosenbrock"),
}
SLOW = ("steepest_descent", "more features than examples")  # solved, but not within this budget
REACHED = {(n, k) for n in [*SOLVERS, *TEXTBOOK] for k in LOGISTIC} - TOO_HARD - {SLOW}


@pytest.mark.parametrize(("name", "kind"), sorted(REACHED))
def test_logistic_risks_reach_the_minimum_that_scipy_finds(name, kind):
    minimum, value, _ = logistic_minimum(kind)
    end = ending(name, kind, tol=FINE)
    p = len(solver_problems.logistic_examples(kind)[0][0])
    w = np.append(end.params["w"][:p], end.params["b"]).astype(np.float64)
    assert abs(value(w) - minimum) <= RELATIVE * minimum  # the params are as good as the value
    assert abs(end.value - minimum) <= RELATIVE * minimum


@pytest.mark.parametrize(("name", "lane_name"), sorted(TOO_HARD))
def test_what_is_too_hard_is_admitted(name, lane_name):
    minimum = logistic_minimum(lane_name)[0] if lane_name in LOGISTIC else 0
    end = ending(name, lane_name)
    assert end.status == Status.budget
    assert minimum * 1.01 < end.value < 1


@every_solver
@pytest.mark.parametrize("lane_name", ["rosenbrock", "rosenbrock from afar"])
def test_the_bent_valley_is_walked_to_its_end(name, lane_name):
    end = ending(name, lane_name)
    # The valley's derivative is a difference of terms near 400: float32 may end at their rounding.
    # Down the gradient alone, that rounding is most of the direction: it creeps before it stalls.
    creeps = name == "gradient_descent"
    floor = (2000 if creeps else 400) * EPS
    at_floor = (creeps or end.status == Status.stalled) and end.gradient_norm <= floor
    assert end.status == Status.solved or (at_floor and not X64)
    np.testing.assert_allclose(end.params["w"][:2], 1, atol=1e-7 if X64 else 1e-3)


@every_solver
@pytest.mark.parametrize("lane_name", NAMES)
def test_the_status_says_what_was_reached(name, lane_name):
    end = ending(name, lane_name)
    if end.status == Status.solved:
        assert end.gradient_norm <= TOL
    elif end.status == Status.budget:
        assert end.num_steps == budget(name)
        assert end.gradient_norm > TOL
    elif end.status == Status.stalled:
        assert end.gradient_norm > TOL
        assert end.num_steps < budget(name)


@every_solver
@pytest.mark.parametrize("kind", LOGISTIC)
def test_the_gradient_norm_is_that_of_the_params_returned(name, kind):
    _, _, gradient = logistic_minimum(kind)
    end = ending(name, kind)
    p = len(solver_problems.logistic_examples(kind)[0][0])
    w = np.append(end.params["w"][:p], end.params["b"]).astype(np.float64)
    scale = np.abs(LOGISTIC[kind].x).max()  # the gradient is a mean of rows of x, each rounded
    assert abs(np.abs(gradient(w)).max() - end.gradient_norm) <= 10 * EPS * scale


@every_solver
@pytest.mark.parametrize("lane_name", ["nan", "infinite"])
def test_a_start_that_is_not_finite_is_nan_and_does_not_move(name, lane_name):
    end = ending(name, lane_name)
    assert end.status == Status.nan
    assert end.num_steps == 0
    np.testing.assert_array_equal(end.params["w"], batch()[0]["w"][NAMES.index(lane_name)])


@every_solver
def test_what_falls_for_ever_is_never_called_solved(name):
    end = ending(name, "falls for ever")
    assert end.status in (Status.budget, Status.stalled)
    assert end.value < -100
    assert end.gradient_norm >= 1


@every_solver
def test_flat_directions_stay_where_they_began(name):
    end = ending(name, "flat directions")
    assert end.status == Status.solved
    np.testing.assert_allclose(end.params["w"][:2], [-1, -0.2], atol=2 * TOL)
    np.testing.assert_array_equal(end.params["w"][2:], 1)


@every_solver
def test_a_start_at_the_optimum_costs_one_look(name):
    end = ending(name, "at the optimum")
    assert end.status == Status.solved
    assert end.num_steps == 0
    assert (end.counts.values, end.counts.gradients, end.counts.hessian_products) == (1, 1, 0)


@every_solver
def test_a_negative_curvature_is_left_downhill(name):
    end = ending(name, "double well")
    assert end.status == Status.solved
    np.testing.assert_allclose(np.abs(end.params["w"][:2]), [1, 0], atol=2 * TOL)
    np.testing.assert_allclose(end.value, -0.25, rtol=RELATIVE)


@every_solver
def test_a_kink_stalls(name):
    end = ending(name, "kink")
    assert end.status == Status.stalled
    assert end.gradient_norm == 1
    assert end.value <= 0.3
    if name not in ("gradient_descent", "nonlinear_cg"):  # these creep to the kink
        assert end.num_steps < 40  # failing down the gradient ends it; patience is for slow losses


@every_solver
def test_rounding_of_the_value_does_not_stall_the_slopes(name):
    end = ending(name, "behind a large constant")
    assert end.status == Status.solved  # the values agree to their last digit from |w| = 0.01 on
    assert np.abs(end.params["w"][:2]).max() <= TOL


@every_solver
def test_a_finished_lane_is_frozen_while_others_go_on(name):
    long = solutions(name)
    half = int(np.median(long.num_steps))
    short = solutions(name, max_steps=half)
    over = short.num_steps < half
    assert 3 < over.sum() < len(over)
    assert (long.num_steps > half).any()
    for a, b in zip(jax.tree.leaves(short), jax.tree.leaves(long), strict=True):
        np.testing.assert_array_equal(a[over], b[over])


@every_solver
def test_the_budget_is_kept_and_named(name):
    end = solutions(name, max_steps=2)
    assert end.num_steps.max() == 2
    assert ending(name, "rosenbrock", max_steps=2).status == Status.budget
    none = solutions(name, max_steps=0)
    assert set(none.status) == {Status.budget, Status.nan, Status.solved}
    np.testing.assert_array_equal(none.params["w"], batch()[0]["w"])


@every_solver
def test_a_tolerance_of_zero_ends_by_itself_at_the_floor_of_rounding(name):
    i, numbers = NAMES.index("well scaled"), (jnp.zeros((), DTYPE), jnp.int32(500))
    # The same program on copies of one lane ends when that lane does.
    alone = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[i], leaf.shape), batch())
    end = jax.tree.map(lambda leaf: leaf[0], program(name)(*alone, *numbers))
    assert end.status in (Status.stalled, Status.solved)
    assert end.gradient_norm <= 30 * EPS


@every_solver
def test_value_never_ends_above_the_start(name):
    end, start = solutions(name), solutions(name, max_steps=0)
    fine = np.isfinite(start.value)
    rounding = 200 * EPS * np.abs(start.value[fine])
    assert (end.value[fine] <= start.value[fine] + rounding).all()


@pytest.mark.float64  # scipy's own precision
@pytest.mark.parametrize(
    ("name", "method"), [("nonlinear_cg", "CG"), ("bfgs", "BFGS"), ("lbfgs", "L-BFGS-B")]
)
def test_rosenbrock_costs_about_what_it_costs_scipy(name, method):
    theirs = scipy.optimize.minimize(
        solver_problems.numpy_value("Rosenbrock"),
        np.array(solver_problems.PROBLEMS["Rosenbrock"].start),
        jac=solver_problems.numpy_gradient("Rosenbrock"),
        method=method,
        options={"gtol": TOL},
    )
    assert theirs.success
    ours = ending(name, "rosenbrock").counts
    assert ours.values == ours.gradients <= 1.25 * max(theirs.nfev, theirs.njev)
