"""Designs: points within their ranges, evenly spread, repeatable; empty spaces refused."""

import numpy as np
import pytest
from scipy import stats

from jaxlr import sweeps

SPACE = {
    "learning_rate": sweeps.LogUniform(1e-4, 1.0),
    "momentum": sweeps.Uniform(-1.0, 3.0),
    "decay": sweeps.Grid((0.1, 0.2)),
    "depth": sweeps.Integers(2, 5),
    "kind": sweeps.Choices(("a", "b", "c")),
}


@pytest.mark.parametrize("draw", [sweeps.sobol, sweeps.random])
def test_points_are_spread_as_each_dimension_says(draw):
    design = draw(SPACE, 1024, seed=1)
    assert design.num_points == 1024
    rate = np.log(design.hypers["learning_rate"])
    for sample, low, high in ((rate, np.log(1e-4), 0.0), (design.hypers["momentum"], -1.0, 3.0)):
        assert stats.kstest(sample, stats.uniform(low, high - low).cdf).pvalue > 1e-3
    assert set(design.hypers["decay"]) == {0.1, 0.2}
    depths, counts = np.unique(design.settings["depth"], return_counts=True)
    assert list(depths) == [2, 3, 4, 5]
    assert counts.min() > 200
    assert set(design.settings["kind"]) == {"a", "b", "c"}
    assert all(isinstance(depth, int) for depth in design.settings["depth"])


def test_sobol_fills_the_square_more_evenly_than_chance():
    space = {"x": sweeps.Uniform(0.0, 1.0), "y": sweeps.Uniform(0.0, 1.0)}

    def cells_filled(design):
        square = np.stack(list(design.hypers.values()))
        return len(np.unique((square * 16).astype(int), axis=1).T)

    assert cells_filled(sweeps.sobol(space, 256)) == 256  # a (0, 8, 2)-net: one point per cell
    assert cells_filled(sweeps.random(space, 256)) < 200


@pytest.mark.parametrize("draw", [sweeps.sobol, sweeps.random])
def test_the_seed_repeats_the_design_and_another_changes_it(draw):
    first, again, other = draw(SPACE, 33, seed=5), draw(SPACE, 33, seed=5), draw(SPACE, 33, seed=6)
    np.testing.assert_array_equal(first.hypers["momentum"], again.hypers["momentum"])
    assert first.settings == again.settings
    assert not np.array_equal(first.hypers["momentum"], other.hypers["momentum"])


def test_a_grid_is_every_combination_the_last_name_fastest():
    design = sweeps.grid(
        {"a": sweeps.Grid((1.0, 2.0)), "b": sweeps.Integers(0, 1), "c": sweeps.Choices("xy")}
    )
    points = list(zip(design.hypers["a"], design.settings["b"], design.settings["c"], strict=True))
    assert points == [(a, b, c) for a in (1.0, 2.0) for b in (0, 1) for c in "xy"]


def test_a_range_of_one_point_is_that_point():
    design = sweeps.sobol({"x": sweeps.LogUniform(0.1, 0.1), "y": sweeps.Uniform(2.0, 2.0)}, 5)
    np.testing.assert_allclose(design.hypers["x"], 0.1)
    np.testing.assert_allclose(design.hypers["y"], 2.0)


@pytest.mark.parametrize(
    ("space", "num_points", "said"),
    [
        (SPACE, 0, "at least 1 configuration, and 0 were asked"),
        ({}, 4, "the space is empty"),
        ({"x": sweeps.Uniform(2.0, 1.0)}, 4, "x has the empty range 2.0 to 1.0"),
        ({"x": sweeps.Uniform(0.0, np.inf)}, 4, "x has the empty range"),
        ({"x": sweeps.Integers(3, 2)}, 4, "x has the empty range 3 to 2"),
        ({"x": sweeps.LogUniform(0.0, 1.0)}, 4, "x is spread by its logarithm, so 0.0"),
        ({"x": sweeps.Choices(())}, 4, "x has no value to try"),
    ],
)
def test_a_space_without_points_is_refused(space, num_points, said):
    with pytest.raises(ValueError, match=said):
        sweeps.sobol(space, num_points)


def test_a_grid_needs_values():
    with pytest.raises(ValueError, match="x is a range, and a grid needs its values"):
        sweeps.grid({"x": sweeps.Uniform(0.0, 1.0)})
