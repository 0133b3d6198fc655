"""What every command does: options become settings, a mistake becomes one line and status 2."""

import contextlib
import importlib
import io
import itertools
import os
import signal
import sys
from collections.abc import Sequence
from typing import TypeVar

import tyro

import experiments
from experiments.kit.clock import Clock
from experiments.kit.mistakes import CallerError, SettingError

S = TypeVar("S")


class Terminated(KeyboardInterrupt):
    """SIGTERM: the same goodbye as for Ctrl-C."""


def parse(settings: type[S], teaching: str | None, args: list[str] | None = None) -> S:
    """The settings of a command line; `--help` prints and exits 0.

    Args:
      settings: a dataclass of options; its NAME is the command's module.
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
                prog=f"python -m {settings.NAME}",
                description=teaching,
                config=(tyro.conf.DisallowNone,),  # what is not given is not there to be chosen
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise SettingError(_one_line(said.getvalue())) from None


def main(
    settings: type[S],
    teaching: str | None,
    args: list[str] | None = None,
    *,
    module: str | None = None,
) -> int:
    """Parses a command's options, and calls `run(settings, clock)` of its module.

    That module is imported after the options are understood, so that `--help` and a mistyped
    option are answered at once.

    Args:
      settings: a dataclass of options; its NAME is the command's own.
      teaching: what `--help` says above the options.
      args: the options; None: the process's own.
      module: where `run` is; default: NAME.run.

    Returns:
      What `run` returns; after one line on stderr 2 for a mistake of the caller's, 130 for Ctrl-C,
      143 for SIGTERM.
    """
    clock = Clock(experiments.STARTED if args is None else None)
    try:
        with _polite():
            given = parse(settings, teaching, args)
            with clock.part("importing"):
                command = importlib.import_module(module or f"{settings.NAME}.run")
                backend = importlib.import_module("jaxlr.backend")
            backend.cache_compilations()
            with clock.listening():
                return command.run(given, clock)
    except KeyboardInterrupt as stopped:
        kept = str(stopped) or "nothing had finished, and nothing is kept"
        print(f"interrupted: {kept}", file=sys.stderr)
        return 143 if isinstance(stopped, Terminated) else 130
    except BrokenPipeError:  # as when `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except CallerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def remark(notes: Sequence[str]) -> None:
    """What a person should see though the results go elsewhere: a line for each on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


@contextlib.contextmanager
def _polite():
    """SIGTERM raises Terminated meanwhile, where signals can be had: in the main thread."""

    def stop(*_):
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _one_line(box: str) -> str:
    """The first paragraph below the title of a message that tyro drew a box around."""
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    below = itertools.dropwhile(lambda line: not line.strip("-"), lines[1:])
    message = itertools.takewhile(lambda line: line.strip("-"), below)
    return f"{' '.join(message)} (--help lists every option)"
