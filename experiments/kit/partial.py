"""What an unfinished run leaves: OUT.partial, with its checkpoints, until OUT is complete."""

import contextlib
import errno
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from experiments.kit import commands
from experiments.kit.mistakes import OutputError, SettingError
from experiments.kit.provenance import line
from experiments.kit.settings import TableSettings

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class Partial:
    """OUT.partial, while this run has it to itself."""

    def __init__(self, settings: TableSettings):
        self.settings = settings
        self.goal = Path(settings.out).absolute()
        self.folder = self.goal.with_name(f"{self.goal.name}.partial")
        self.written = self.folder / "written"  # is there when OUT has only to be renamed
        self.refused: list[str] = []

    @property
    def kept(self) -> list[Path]:
        """The checkpoints that there are."""
        return list(self.folder.glob("*/*.npz"))

    @property
    def complete(self) -> bool:
        """Whether the run that is to be resumed was stopped after its very last step."""
        return self.settings.resume and self.written.exists() and self.goal.exists()

    def told(self) -> str:
        """What there is to go on from, and how."""
        command = line(replace(self.settings, resume=True, overwrite=False))
        return f"what had been done is kept in {self.folder}; to go on: {command}"


@contextlib.contextmanager
def claimed(settings: TableSettings) -> Iterator[Partial]:
    """OUT.partial for this run alone; gone when the block ends well, or nothing is kept in it.

    Raises:
      SettingError: --resume where nothing is to be resumed, or nothing said where something is.
      OutputError: another run has it, or it can't be written.
      KeyboardInterrupt: of the block, with a text that says how to go on.
    """
    partial = Partial(settings)
    if settings.resume and not partial.folder.is_dir():
        raise SettingError(
            f"--resume: there is no {partial.folder}, so nothing was interrupted; leave it out"
        )
    with writing(partial, every=True):
        partial.folder.mkdir(parents=True, exist_ok=True)
        lock = (partial.folder / "lock").open("w")
    with lock:
        _alone(lock, partial)
        try:
            _begin(partial)
            with writing(partial):
                yield partial
        except BaseException as error:
            if not partial.kept:
                shutil.rmtree(partial.folder, ignore_errors=True)
            elif isinstance(error, KeyboardInterrupt):
                error.args = (partial.told(),)
            raise
        shutil.rmtree(partial.folder)


@contextlib.contextmanager
def writing(partial: Partial, *, every: bool = False) -> Iterator[None]:
    """A disk that is full or can't be written is one line; so is `every` other trouble with it.

    Raises:
      OutputError: it is.
    """
    try:
        yield
    except OSError as error:
        if not every and error.errno not in FULL:
            raise
        cure = "make room, or choose another folder"
        if partial.kept:
            cure = f"make room; {partial.told()}"
        raise OutputError(
            f"--out {partial.goal}: cannot be written ({error.strerror}); {cure}"
        ) from None


@contextlib.contextmanager
def patient() -> Iterator[list[int]]:
    """SIGINT and SIGTERM wait, and are in the list; the second of them doesn't wait any more.

    Raises:
      KeyboardInterrupt: at the end of the block, where one came; Terminated for SIGTERM.
    """
    heard: list[int] = []

    def stop(number, frame):
        heard.append(number)
        if len(heard) > 1:
            raise KeyboardInterrupt
        print("\nthe segment is being finished; once more stops at once", file=sys.stderr)

    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only the main thread hears signals
        before = {}
    try:
        yield heard
        if heard:  # after the last segment
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise commands.Terminated if signal.SIGTERM in heard else KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _alone(lock, partial: Partial) -> None:
    """Locks out other runs; the lock goes with the process, however it ends."""
    try:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise OutputError(
            f"--out {partial.goal}: another run is at work in {partial.folder}; wait for it, or"
            " choose another folder"
        ) from None


def _begin(partial: Partial) -> None:
    """Clears what an earlier run left, or refuses to."""
    if partial.settings.resume:
        return
    if partial.kept and not partial.settings.overwrite:
        raise SettingError(
            f"--out {partial.goal}: an interrupted run left {partial.folder}; say --resume to go"
            " on with it, or --overwrite to begin again"
        )
    for old in partial.folder.glob("*"):
        if old.is_dir():
            shutil.rmtree(old)
    partial.written.unlink(missing_ok=True)
