"""What every command says of itself: the line that would ask for the same again."""

import shlex

import pytest

from experiments import commands, optimizers, path, sweep

ASKED = {
    sweep: [
        "--data 'my file.csv' --target y --task binary --drop a b --configs 64 --overwrite",
        "--learning-rate 0.001 1 --hidden 8 8 --header False --l2 1e-05 0.5",
    ],
    path: ["--data layer0.npy layer1.npy --labels y.npy --folds 3 --lambdas 5 --seed 3"],
    optimizers: ["--optimizers sgd adam --points 4 --l2 0.0"],
}


@pytest.mark.parametrize(
    ("command", "args"),
    [(command, args) for command, lines in ASKED.items() for args in lines],
    ids=["sweep names", "sweep numbers", "path", "optimizers"],
)
def test_the_line_of_a_summary_asks_for_the_same_settings(command, args):
    settings = command.parse(shlex.split(args))
    python, flag, name, *options = shlex.split(commands.line(command.NAME, settings))
    assert (python, flag, name) == ("python", "-m", command.__name__)
    assert command.parse(options) == settings
    assert options  # all of them ask for something


@pytest.mark.parametrize("command", list(ASKED), ids=lambda module: module.NAME)
def test_the_line_of_the_defaults_is_the_bare_command(command):
    assert commands.line(command.NAME, command.parse([])) == f"python -m {command.NAME}"
