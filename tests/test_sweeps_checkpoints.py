"""Nothing is lost: a sweep goes on from its checkpoint to the same bits, and from no wrong one."""

import errno
import os

import chex
import jax
import numpy as np
import pytest

from jaxlr import sweeps
from jaxlr.results import files
from tests.test_sweeps_plan import BATCH, LANE, LANES, OPTIONS, ORDER

S = 8
STOP = sweeps.Stop("log_loss", patience=2, least=0.01)
pytestmark = pytest.mark.once


def run(folder=None, batch=BATCH, seconds=0.0, lanes=LANES, **options):
    checkpoints = folder and sweeps.Checkpoints(folder, seconds=seconds)
    asked = {**OPTIONS, "num_segments": S, "stop": STOP, **options}
    found = sweeps.run(LANE, lanes, batch, ORDER, **asked, checkpoints=checkpoints)
    return (found, checkpoints) if folder else found


@pytest.fixture(scope="module")
def whole():
    return run()


def half(folder, until=4):
    """Stopped on the way."""
    return run(folder, on_segment=lambda done, progress: "stop" if done == until else None)


def same(one, other):
    for name in ("state", "losses", "metrics", "died_at", "ending", "segments", "peak"):
        chex.assert_trees_all_equal(getattr(one, name), getattr(other, name))


def names(folder):
    return sorted(os.listdir(folder))


def test_a_sweep_goes_on_to_the_bits_of_an_unbroken_one(whole, tmp_path):
    half(tmp_path)
    assert names(tmp_path) == ["00000003.npz", "00000004.npz"]
    (tmp_path / ".00000005.npz.123").write_bytes(b"half, by a run that was killed")
    seen = []
    went, checkpoints = run(tmp_path, on_segment=lambda done, progress: seen.append(done))
    assert seen == [5, 6, 7, 8]
    same(whole, went)
    assert names(tmp_path) == ["00000007.npz", "00000008.npz"]
    assert not checkpoints.refused
    again, _ = run(tmp_path, on_segment=lambda done, progress: seen.append(done))
    same(whole, again)
    assert seen == [5, 6, 7, 8], "what has ended isn't run, nor compiled"
    assert again.compile_seconds == 0


def test_time_lies_between_them_but_for_the_last(tmp_path):
    run(tmp_path, seconds=1e6)
    assert names(tmp_path) == ["00000008.npz"]


def break_up(file, how):
    content = bytearray(file.read_bytes())
    if how == "cut short":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = b""
    elif how == "a bit":
        content[len(content) // 3] ^= 16
    elif how == "no checkpoint":
        files.save(file, {"checkpoint": 0})
        return
    file.write_bytes(content)


@pytest.mark.parametrize("how", ["cut short", "empty", "a bit", "no checkpoint"])
def test_a_broken_one_is_refused_by_name_and_the_one_before_is_used(whole, tmp_path, how):
    half(tmp_path)
    break_up(tmp_path / "00000004.npz", how)
    seen = []
    went, checkpoints = run(tmp_path, on_segment=lambda done, progress: seen.append(done))
    assert seen[0] == 4
    (told,) = checkpoints.refused
    assert "00000004.npz" in told
    same(whole, went)


def test_any_flipped_bit_is_found_or_does_no_harm(whole, tmp_path, request):
    half(tmp_path, until=1)
    file = tmp_path / "00000001.npz"
    content, rng = file.read_bytes(), np.random.default_rng(0)
    task = sweeps.tasks.task(LANE, LANES, BATCH, ORDER, OPTIONS["fold_weights"], S)
    kept = sweeps.Checkpoints(tmp_path).found(task, STOP)
    for _ in range(3000 if request.config.getoption("proofs") else 60):
        broken = bytearray(content)
        broken[rng.integers(len(content))] ^= 1 << rng.integers(8)
        file.write_bytes(broken)
        found = sweeps.Checkpoints(tmp_path).found(task, STOP)
        if found is not None:
            chex.assert_trees_all_equal(found, kept)


@pytest.mark.parametrize("part", ["data", "settings", "order of rows"])
def test_one_of_another_sweep_is_refused_by_what_is_other(part, tmp_path):
    half(tmp_path)
    other = {
        "data": {"batch": BATCH._replace(x=BATCH.x.at[3, 1].add(1e-3))},
        "settings": {"stop": STOP._replace(patience=3)},
        "order of rows": {},
    }[part]
    order = ORDER[::-1] if part == "order of rows" else ORDER
    checkpoints = sweeps.Checkpoints(tmp_path)
    asked = {"batch": BATCH, **OPTIONS, "num_segments": S, "stop": STOP, **other}
    sweeps.run(LANE, LANES, order=order, **asked, checkpoints=checkpoints)
    assert [told.split("checkpoint of ")[1] for told in checkpoints.refused] == [
        f"other {part}"
    ] * 2


def test_new_numbers_are_another_sweep(tmp_path):
    half(tmp_path)
    lanes = LANES._replace(hypers=jax.tree.map(lambda column: column * 2, LANES.hypers))
    checkpoints = run(tmp_path, lanes=lanes)[1]
    assert "other settings" in checkpoints.refused[0]


def test_a_full_disk_leaves_what_was_there(whole, tmp_path, monkeypatch):
    half(tmp_path)
    before = names(tmp_path)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.np, "savez", full)
        with pytest.raises(OSError, match="No space left"):
            run(tmp_path)
    assert names(tmp_path) == before
    same(whole, run(tmp_path)[0])
