"""Paths that are stopped between two blocks of penalties, and go on."""

import jax
import numpy as np
import pytest

from jaxlr import Batch, losses, paths
from jaxlr.paths import march
from jaxlr.results import files

pytestmark = pytest.mark.float64

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
LABELS = (X[:, 0] + RNG.normal(size=40) > 0).astype(int)
LAMBDAS = np.geomspace(0.3, 1e-3, 10)


def path(x=X, l1_ratio=0.0, loss=losses.log_loss):
    return paths.fit(Batch(x, LABELS), LAMBDAS, loss=loss, l1_ratio=l1_ratio)


def same(one, other):
    for a, b in zip(jax.tree.leaves(one[:6]), jax.tree.leaves(other[:6]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def solved(monkeypatch):
    """Counts the blocks that are solved."""
    count, work = [], march._solved

    def counted(*args):
        count.append(args)
        return work(*args)

    monkeypatch.setattr(march, "_solved", counted)
    return count


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_path_that_was_stopped_ends_with_the_same_bits(l1_ratio, tmp_path, monkeypatch, solved):
    with paths.keep(tmp_path / "whole"):
        whole = path(l1_ratio=l1_ratio)
    assert len(solved) == 5  # two penalties each
    save, saved = files.save, []

    def stops(file, answer):
        saved.append(save(file, answer))
        if len(saved) == 3:
            raise KeyboardInterrupt

    folder = tmp_path / "broken"
    with monkeypatch.context() as patched:
        patched.setattr(files, "save", stops)
        with paths.keep(folder), pytest.raises(KeyboardInterrupt):
            path(l1_ratio=l1_ratio)
    assert len(list(folder.iterdir())) == 3
    solved.clear()
    with paths.keep(folder):
        same(path(l1_ratio=l1_ratio), whole)
    assert len(solved) == 2
    np.testing.assert_allclose(path(l1_ratio=l1_ratio).risk, whole.risk, rtol=2e-6)


def test_what_is_cut_short_is_made_anew_and_other_rows_find_nothing(tmp_path, solved):
    with paths.keep(tmp_path):
        whole = path()
        file = next(tmp_path.iterdir())
        file.write_bytes(file.read_bytes()[:100])
        solved.clear()
        same(path(), whole)
        assert len(solved) == 1
        path(np.nextafter(X, 1))
        assert len(solved) == 6
        path(loss=lambda logit, label: 2 * losses.log_loss(logit, label))
        assert len(solved) == 11


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError), paths.keep(tmp_path / "file"):
        pass
