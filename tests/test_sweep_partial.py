"""Nothing is lost: a sweep that was stopped, killed or had no room goes on to the same files."""

import errno
import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from experiments.kit import partial
from experiments.sweep import __main__
from experiments.sweep import run as sweep
from jaxlr import sweeps
from jaxlr.results import files

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("no_page")]
ROOT = Path(__file__).resolve().parents[1]
# Two groups, so that one is complete when the other is broken; some lanes leave on the way.
TYPED = "--data iris --configs 4 --epochs 6 12 --folds 3 --batch-size 30 60 --checkpoint 0"
ASKED = TYPED.split()


def main(*args):
    return __main__.main([str(arg) for arg in args])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an unbroken sweep."""
    out = tmp_path_factory.mktemp("whole") / "o"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sweep.page, "write", lambda path, *rest: path.write_text("a page"))
        assert main(*ASKED, "--out", out) == 0
    return out


def same(whole, out):
    """Equal lanes, bit for bit, and an equal model; nothing else lies about."""
    assert sorted(path.name for path in out.parent.iterdir()) == [out.name]
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in whole.iterdir())
    for table in ("results", "steps"):
        one, other = (pd.read_parquet(folder / f"{table}.parquet") for folder in (whole, out))
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    one, other = (json.loads((f / "summary.json").read_text()) for f in (whole, out))
    assert (one["best"], one["test"]) == (other["best"], other["test"])
    texts = [(folder / "coefficients.csv").read_text() for folder in (whole, out)]
    assert texts[0] == texts[1]


def stopped_by(monkeypatch, after, blow):
    """`blow()` comes with the checkpoint of that number."""
    keep, calls = sweeps.Checkpoints.keep, []

    def kept(self, progress, *, now):
        keep(self, progress, now=now)
        calls.append(1)
        if len(calls) == after:
            blow()

    monkeypatch.setattr(sweeps.Checkpoints, "keep", kept)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_segment_and_says_how_to_go_on(
    number, status, whole, tmp_path, monkeypatch, capsys
):
    out, before = tmp_path / "o", signal.getsignal(number)
    with monkeypatch.context() as patched:
        stopped_by(patched, 14, lambda: os.kill(os.getpid(), number))
        assert main(*ASKED, "--out", out) == status
    assert signal.getsignal(number) is before
    assert not out.exists()
    kept = sorted(path.name for path in (tmp_path / "o.partial").glob("group-*/*"))
    assert kept == ["00000002.npz", "00000003.npz", "00000011.npz", "00000012.npz"]
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(
        f"interrupted: what had been done is kept in {out}.partial; to go on: py"
    )
    assert main(*told.split("experiments.sweep ")[1].split()) == 0
    same(whole, out)


def test_what_was_interrupted_is_neither_forgotten_nor_mixed_up(
    whole, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "o"
    with monkeypatch.context() as patched:
        stopped_by(patched, 5, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert main(*ASKED, "--out", out) == 130
    assert main(*ASKED, "--out", out) == 2
    assert "say --resume to go on with it, or --overwrite to begin again" in capsys.readouterr().err
    assert main(*ASKED, "--out", out, "--resume", "--seed", 5) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "00000006.npz is a checkpoint of other data and other settings" in told
    assert "resume with the options and data that it was begun with" in told
    newest = tmp_path / "o.partial/group-0/00000006.npz"
    newest.write_bytes(newest.read_bytes()[:999])
    assert main(*ASKED, "--out", out, "--resume") == 0
    assert "note: " + str(newest) in capsys.readouterr().err
    same(whole, out)
    assert main(*ASKED, "--out", tmp_path / "p", "--resume") == 2
    assert f"--resume: there is no {tmp_path}/p.partial" in capsys.readouterr().err


def test_to_begin_again_is_to_forget(whole, tmp_path, monkeypatch):
    out = tmp_path / "o"
    with monkeypatch.context() as patched:
        stopped_by(patched, 5, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert main(*ASKED, "--out", out, "--seed", 7) == 130
    assert main(*ASKED, "--out", out, "--overwrite") == 0
    same(whole, out)


def test_a_second_run_in_the_same_folder_is_refused(tmp_path, capsys):
    folder = tmp_path / "o.partial"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(*ASKED, "--out", tmp_path / "o") == 2
    assert f"another run is at work in {folder}; wait for it" in capsys.readouterr().err
    assert folder.exists()


def test_a_full_disk_is_one_line_and_loses_nothing(whole, tmp_path, monkeypatch, capsys):
    out, savez, calls = tmp_path / "o", files.np.savez, []

    def full(file, **arrays):
        calls.append(1)
        if len(calls) == 4:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        savez(file, **arrays)

    with monkeypatch.context() as patched:
        patched.setattr(files.np, "savez", full)
        assert main(*ASKED, "--out", out) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert f"--out {out}: cannot be written (No space left on device); make room; what had " in told
    assert main(*ASKED, "--out", out, "--resume") == 0
    same(whole, out)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    def refused(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(partial.Path, "mkdir", refused)
    assert main(*ASKED, "--out", tmp_path / "o") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "cannot be written (Permission denied); make room, or choose another f" in told


def test_a_run_killed_after_its_last_step_is_complete(whole, tmp_path, monkeypatch, capsys):
    out = tmp_path / "o"

    def die(*args, **options):
        raise SystemExit(9)

    with monkeypatch.context() as patched:
        patched.setattr(partial.shutil, "rmtree", die)
        with pytest.raises(SystemExit):
            main(*ASKED, "--out", out)
    assert main(*ASKED, "--out", out, "--resume") == 0
    assert "is complete: nothing was left to do" in capsys.readouterr().out
    same(whole, out)


def test_killed_at_any_moment_it_ends_with_the_same_bits(whole, tmp_path, request):
    """SIGKILL, which nobody can hear, while checkpoints are written all the time."""
    out, rng = tmp_path / "o", random.Random(0)
    for _ in range(100 if request.config.getoption("proofs") else 1):
        kill(out, rng.uniform(0, 0.4))
        if out.exists():
            goes_on(whole, out)
            shutil.rmtree(out)
    goes_on(whole, out)


def kill(out, seconds):
    """Begins the sweep or goes on with it, and kills it so long after its first new checkpoint."""
    code = (
        "import sys; from experiments.sweep import __main__, run;"
        "run.page.write = lambda path, *rest: path.write_text('a page');"
        "sys.exit(__main__.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *ASKED, "--out", str(out), *resumed(out)]
    env, before = {**os.environ, "PYTHONPATH": str(ROOT)}, checkpoints(out)
    with subprocess.Popen(command, env=env, cwd=out.parent, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and checkpoints(out) == before:
            time.sleep(0.005)
        time.sleep(seconds)
        run.kill()


def checkpoints(out):
    """None where a run that ends takes the folder away meanwhile."""
    try:
        return sorted(out.with_name("o.partial").glob("group-*/[0-9]*"))
    except FileNotFoundError:
        return None


def resumed(out):
    return ["--resume"] if out.with_name("o.partial").exists() else []


def goes_on(whole, out):
    """To the end, where it isn't there yet."""
    if resumed(out) or not out.exists():
        assert main(*ASKED, "--out", out, *resumed(out)) == 0
    same(whole, out)
