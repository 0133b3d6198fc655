"""Both sides of every size from which a path with an l1 part works otherwise."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.paths import march, proximal, working_set
from jaxlr.solvers import active_set, slopes
from tests import truth

pytestmark = pytest.mark.float64

LAMBDAS = [0.18, 0.15]


def problem(num_rows):
    rng = np.random.default_rng(num_rows)
    x = rng.normal(size=(num_rows, 20)) + 3
    labels = (x[:, 0] - x[:, 1] + x[:, 2] - 3 + rng.logistic(size=num_rows) > 0).astype(int)
    return x, labels, np.arange(num_rows)[None] % 2 != np.arange(2)[:, None]


@pytest.mark.parametrize(
    ("num_rows", "module", "name", "limit"),
    [
        (50, active_set, "SMALL", 21),  # as many as there are
        (51, active_set, "SMALL", 5),  # factors of those that take part
        (52, active_set, "ROOM", 1),  # which enter one by one
        (53, working_set, "ROOM", 0),  # few columns at a time
        (54, proximal, "ROUGH", 0),  # Hessians in float32
    ],
)
def test_a_lasso_of_any_size_ends_at_the_optimum(monkeypatch, num_rows, module, name, limit):
    monkeypatch.setattr(module, name, limit)
    calls = []
    walked = march._walked_l1
    monkeypatch.setattr(
        march, "_walked_l1", lambda *args: (calls.append(args[1].x.shape), walked(*args))[1]
    )
    x, labels, folds = problem(num_rows)
    options = {"loss": losses.log_loss, "l1_ratio": 1.0, "fold_weights": folds}
    found = paths.fit(Batch(x, labels), LAMBDAS, **options)
    assert (found.status == paths.Status.certified).all()
    assert {shape[1] for shape in calls} == {
        working_set.FEWEST + 1 if module is working_set else 21
    }
    for fold, k in np.ndindex(2, 2):
        best = truth.optimum(x, labels, folds[fold], "log_loss", None, LAMBDAS[k], 1.0)
        np.testing.assert_allclose(found.risk[fold, k], best.risk, rtol=1e-6)


def test_columns_come_in_powers_of_two():
    columns = working_set._padded(np.array([3, 7]), 40)
    assert len(columns) == working_set.FEWEST
    assert columns[:3].tolist() == [3, 7, -1]
    assert working_set._padded(np.arange(33), 40).tolist() == list(range(40))
    taken = working_set._taken(np.arange(80.0).reshape(2, 40), columns)
    assert taken[:, :3].tolist() == [[3, 7, 0], [43, 47, 0]]


def test_a_line_search_ends_before_the_slope_turns():
    """Flat, then steep: slopes at both ends say nothing of the risk in between."""

    def slope(length):
        return jnp.where(length < 1e-4, -1.0, 1e6), length

    first, lanes = jnp.full(2, -1.0), jnp.array([True, False])
    length, last, seen = slopes.search(slope, first, lanes)
    assert 0 < length[0] <= 1e-4
    assert last[0] == -1
    assert seen[0] == length[0]
