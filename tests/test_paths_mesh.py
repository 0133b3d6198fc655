"""Paths over meshes of eight virtual devices: the answers of one device, from shared rows."""

import re

import jax
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.glm import sharing
from jaxlr.glm.problem import Problem, blocks_of
from jaxlr.paths import march

pytestmark = pytest.mark.float64  # a path works in float64 whatever JAX is set to

MESHES = {
    "lanes": ((8,), ("lanes",)),
    "examples": ((8,), ("examples",)),
    "both": ((2, 4), ("lanes", "examples")),
}
LAMBDAS = [1.0, 0.1, 1e-3]
NUM_ROWS, EVEN = 201, 208  # and what eight devices share evenly
RNG = np.random.default_rng(0)
X = RNG.normal(size=(NUM_ROWS, 3)) * [1.0, 3.0, 0.1]
TARGETS = (X[:, :2] + RNG.logistic(size=(NUM_ROWS, 2)) > 0).T.astype(int)
CLASSES = (X + RNG.gumbel(size=X.shape)).argmax(axis=1)
WEIGHTS = RNG.integers(1, 4, NUM_ROWS)  # a row without would be left out
FOLDS = (np.arange(NUM_ROWS) % 3 != np.arange(3)[:, None]).astype(float)

# loss, labels, mesh, agreement of risks, options; lanes: 2 x 3 on 2, 3 on 8 and 1 on 2.
CASES = {
    "log loss, both": (losses.log_loss, TARGETS, "both", 1e-7, {"fold_weights": FOLDS}),
    "softmax, lanes": (
        losses.softmax_cross_entropy,
        CLASSES,
        "lanes",
        1e-11,
        {"fold_weights": FOLDS, "tol": 1e-11},
    ),
    "l1, examples": (losses.log_loss, TARGETS[0], "examples", 1e-8, {"l1_ratio": 0.5}),
    "squares, both": (losses.squared_error, X @ [1.0, 2.0, 3.0] + WEIGHTS, "both", 1e-14, {}),
}


def mesh(name):
    return jax.make_mesh(*MESHES[name])


@pytest.fixture
def seen(monkeypatch):
    """The rows that a march was given, and its compiled program."""
    walked, out = march._walked, {}

    def noted(family, problem, planned, *others):
        program = walked.lower(family, problem, planned, *others).compile()
        out.update(x=problem.x, program=program.as_text())
        return program(problem, *others)

    monkeypatch.setattr(march, "_walked", noted)
    return out


@pytest.mark.parametrize("case", CASES)
def test_a_mesh_changes_no_answer_and_shares_the_rows(case, seen):
    loss, labels, name, agreement, options = CASES[case]
    batch = Batch(X, labels, WEIGHTS)
    alone = paths.fit(batch, LAMBDAS, loss=loss, **options)
    seen.clear()
    found = paths.fit(batch, LAMBDAS, loss=loss, mesh=mesh(name), **options)
    assert (found.status == paths.Status.certified).all()
    np.testing.assert_array_equal(found.status, alone.status)
    np.testing.assert_allclose(found.risk, alone.risk, rtol=agreement)
    for part in "wb":
        atol = 10 * np.sqrt(agreement)
        np.testing.assert_allclose(found.params[part], alone.params[part], atol=atol)
    assert (np.abs(found.risk - alone.risk) <= found.gap + alone.gap).all()
    assert found.params["w"].shape == alone.params["w"].shape
    if not seen:
        return
    shares = dict(zip(MESHES[name][1], MESHES[name][0], strict=True)).get("examples", 1)
    assert seen["x"].shape == (EVEN, 4)
    assert {shard.data.shape for shard in seen["x"].addressable_shards} == {(EVEN // shares, 4)}
    gathered = re.findall(r"= \w+\[([\d,]+)\]\S* all-gather\(", seen["program"])
    whole = {f"{EVEN},4", f"4,{EVEN}", f"{EVEN // shares},4", f"4,{EVEN // shares}"}
    assert not whole & {*gathered}


def test_cross_validation_over_a_mesh_scores_and_chooses_alike():
    batch = Batch(X, TARGETS, WEIGHTS)
    options = {"loss": losses.log_loss, "fold_weights": FOLDS, "hold": "C", "tol": 1e-9}
    alone = paths.cross_validate(batch, LAMBDAS, **options)
    found = paths.cross_validate(batch, LAMBDAS, mesh=mesh("both"), **options)
    np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-3)
    np.testing.assert_allclose(found.predictions, alone.predictions, atol=1e-3)
    np.testing.assert_array_equal(found.chosen, alone.chosen)
    np.testing.assert_allclose(found.best.risk, alone.best.risk, rtol=1e-8)
    np.testing.assert_array_equal(found.best.status, paths.Status.certified)


@pytest.mark.parametrize("name", MESHES)
def test_sums_over_rows_are_those_of_one_device(name, monkeypatch):
    """Of rows that don't divide by 8, as they are and as a problem fills them up."""
    weights = FOLDS * WEIGHTS / (FOLDS * WEIGHTS).sum(axis=1, keepdims=True)
    curvature = RNG.uniform(size=NUM_ROWS)
    given = Problem(X, TARGETS, weights, X.T, (X**2).sum(axis=1), np.abs(X).max(axis=0))
    many = sharing.checked(mesh(name))
    with sharing.within(many):
        found = jax.jit(lambda x: blocks_of(given._replace(x=x), curvature[None]))(X)
        problem = sharing.placed(given, many)
        filled = jax.jit(lambda rows: blocks_of(rows, rows.weights))(problem)
        each = (jax.P(None, "examples"), jax.P())
        of_devices = sharing.by_device(lambda w: sharing.total(w.sum(axis=1)), *each)
        np.testing.assert_allclose(jax.jit(of_devices)(problem.weights), 1, rtol=1e-12)
    assert len(problem.x) == EVEN
    np.testing.assert_allclose(found[0], np.einsum("n,np,nq->pq", curvature, X, X), rtol=1e-11)
    expected = np.einsum("fn,np,nq->fpq", weights, X, X)
    np.testing.assert_allclose(filled[:3], expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (((8,), ("data",)), r"mesh may have the axes \"lanes\" and \"examples\", and has \('data'"),
        (((2, 4), ("lanes", "rows")), r"and has \('lanes', 'rows'\): make one with jax.make_mesh"),
    ],
)
def test_a_mesh_with_other_axes_is_named_before_any_work(bad, message):
    options = {"loss": losses.log_loss, "mesh": jax.make_mesh(*bad)}
    with pytest.raises(ValueError, match=message):
        paths.fit(None, LAMBDAS, **options)
    with pytest.raises(ValueError, match=message):
        paths.cross_validate(None, LAMBDAS, fold_weights=FOLDS, **options)


def test_what_is_no_mesh_is_named():
    with pytest.raises(ValueError, match=r"mesh must be a jax\.sharding\.Mesh, and is 8: make"):
        paths.fit(Batch(X, TARGETS), LAMBDAS, loss=losses.log_loss, mesh=8)
