"""What every command does: options become settings, a mistake becomes one line and status 2."""

import contextlib
import dataclasses
import io
import itertools
import os
import platform
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TypeVar

import jax
import tyro

from experiments.datasets import DataError
from experiments.kit import outputs
from experiments.sweep.settings import SettingError
from jaxlr import backend

S = TypeVar("S")
PACKAGES = ("jaxlr", "jax", "jaxlib", "numpy", "scikit-learn")


def parse(settings: type[S], name: str, teaching: str | None, args: list[str] | None) -> S:
    """The settings of a command line; `--help` prints and exits 0.

    Args:
      settings: a dataclass of options.
      name: of the command's module.
      teaching: what `--help` says above the options.
      args: the options; None: the process's own.

    Raises:
      SettingError: an option or value that is not understood, in one line.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                settings,
                args=args,
                prog=f"python -m {name}",
                description=teaching,
                config=(tyro.conf.DisallowNone,),  # what is not given is not there to be chosen
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise SettingError(_one_line(said.getvalue())) from None


def main(parse: Callable[[list[str] | None], S], run: Callable[[S], int], args=None) -> int:
    """The exit status of `run`; after one line 2 for a mistake of the caller's, 130 for Ctrl-C."""
    try:
        settings = parse(args)
        backend.cache_compilations()
        return run(settings)
    except KeyboardInterrupt as stopped:
        kept = str(stopped) or "nothing had finished, and nothing is kept"
        print(f"interrupted: {kept}", file=sys.stderr)
        return 130
    except (DataError, SettingError, outputs.OutputError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def provenance(name: str, settings) -> dict:
    """What every summary.json says of where its numbers come from."""
    return {
        "device": device(),
        "jax": jax.__version__,
        "settings": dataclasses.asdict(settings),
        "command": line(name, settings),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def remark(notes: Sequence[str]) -> None:
    """What a person should see though the results go elsewhere: a line for each on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def line(name: str, settings) -> str:
    """The command that asks for these settings: every option that is not at its default."""
    words = ["python", "-m", name]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value == field.default:
            continue
        option = field.name.replace("_", "-")
        if field.type is bool:
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{option}", *map(str, values)]
    return shlex.join(words)


def device() -> str:
    """The device that JAX runs on, for tables."""
    first = jax.devices()[0]
    return f"{os.cpu_count()} CPU cores" if first.platform == "cpu" else first.device_kind


def _one_line(box: str) -> str:
    """The first paragraph below the title of a message that tyro drew a box around."""
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    below = itertools.dropwhile(lambda line: not line.strip("-"), lines[1:])
    message = itertools.takewhile(lambda line: line.strip("-"), below)
    return f"{' '.join(message)} (--help lists every option)"
