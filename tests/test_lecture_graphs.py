"""The numbers on the arrows of the chain rule's graphs, beside the machine's gradient."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.lecture import b02_backpropagation, graphs

pytestmark = pytest.mark.once


def test_the_arrows_multiply_to_the_machines_gradient():
    facts = b02_backpropagation.facts()
    for depth, name, plan in ((2, "two", graphs.shallow), (3, "three", graphs.deep)):
        graph = plan(SimpleNamespace(**facts[name], x=facts["x"], label=facts["label"]))
        drawn = [graph.levels[0].whole * local for *_, local in graph.leaves if local is not None]
        for k, those in graph.parameters.items():
            drawn += [graph.levels[k].whole * local for *_, local in those]
        machine = [auto for rows, _, _, auto in facts["both"] if rows == depth]
        np.testing.assert_allclose(drawn, machine, rtol=1e-6)
        for above, below in zip(graph.levels[:0:-1], graph.levels[-2::-1], strict=True):
            assert below.whole == pytest.approx(above.whole * above.local[1])
    assert facts["worst"] < 1e-7
    for chain in facts["chains"].values():
        np.testing.assert_allclose(chain["hand"], chain["auto"], rtol=1e-5)
