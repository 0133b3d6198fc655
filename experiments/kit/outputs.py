"""Result folders: written beside the goal, then renamed, so that nobody meets half of one."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.kit.mistakes import OutputError


@contextmanager
def results(settings, within: Path | None = None) -> Iterator[Path]:
    """A fresh folder that becomes `out` when the block ends well, and vanishes when it doesn't.

    Args:
      settings: a command's; out is the folder's name, overwrite says to replace earlier results.
      within: where it is until then; None: beside its goal.

    Raises:
      OutputError: the goal holds something (and overwrite is off, or what it holds isn't a result
        folder), or can't be written.
    """
    goal, overwrite = Path(settings.out).absolute(), settings.overwrite
    _check(goal, overwrite)
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{goal.name}.", dir=within or goal.parent))
    except OSError as error:
        raise OutputError(
            f"--out {goal}: cannot be written ({error.strerror}); choose another folder"
        ) from None
    fresh.chmod(0o755)
    try:
        yield fresh
        _check(goal, overwrite)  # someone else may have finished first
        _replace(fresh, goal)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def write_json(path: Path, value: dict) -> None:
    """Strict JSON: NaN and inf have no word in it, and become null."""
    path.write_text(json.dumps(_strict(value), indent=1, allow_nan=False) + "\n")


def _check(goal: Path, overwrite: bool) -> None:
    if not os.path.lexists(goal):
        return
    if not goal.is_dir():
        raise OutputError(f"--out {goal}: a file has that name; choose another folder")
    if not any(goal.iterdir()):
        return
    if not (goal / "summary.json").exists():
        raise OutputError(
            f"--out {goal}: the folder holds other files, which are not touched; "
            "choose a new or empty folder"
        )
    if not overwrite:
        raise OutputError(
            f"--out {goal}: the folder holds earlier results; choose another folder, "
            "or say --overwrite"
        )


def _replace(fresh: Path, goal: Path) -> None:
    if not goal.exists():
        fresh.rename(goal)
        return
    old = fresh.with_name(fresh.name + ".old")
    goal.rename(old)
    fresh.rename(goal)
    shutil.rmtree(old)


def _strict(value):
    if isinstance(value, dict):
        return {str(k): _strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value - value != 0:
        return None
    return value
