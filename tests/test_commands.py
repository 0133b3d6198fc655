"""What every command says of itself and of mistakes, and what an interruption leaves."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import pytest

from experiments.kit import commands, outputs, provenance
from experiments.kit.clock import Clock, length
from experiments.kit.mistakes import SettingError
from experiments.optimizers import __main__ as optimizers
from experiments.path import __main__ as path
from experiments.sweep import __main__ as sweep
from experiments.sweep.settings import check_batches

ORIGIN = "--no-intercept --drop-classes a 'b c' --header True --metric r2"
ASKED = {
    sweep: [
        "--data 'my file.csv' --target y --task binary --drop a b --configs 64 --overwrite",
        "--epochs 5 10 --hidden 8 8x4 --header False --l2 1e-05 0.5",
    ],
    path: ["--data layer0.npy layer1.npy --labels y.npy --folds 3 --lambdas 5 --seed 3", ORIGIN],
    optimizers: ["--optimizers sgd adam --points 4 --l2 0.0 --drop-classes a b"],
}


def parse(command, args):
    return commands.parse(command.Settings, command.__doc__, args)


@pytest.mark.parametrize(
    ("command", "args"),
    [(command, args) for command, lines in ASKED.items() for args in lines],
    ids=["sweep names", "sweep numbers", "path", "path through the origin", "optimizers"],
)
def test_the_line_of_a_summary_asks_for_the_same_settings(command, args):
    settings = parse(command, shlex.split(args))
    python, flag, name, *options = shlex.split(provenance.line(settings))
    assert (python, flag, name) == ("python", "-m", command.__package__)
    assert parse(command, options) == settings
    assert options  # all of them ask for something


@pytest.mark.parametrize("command", list(ASKED), ids=lambda module: module.__package__)
def test_the_line_of_the_defaults_is_the_bare_command(command):
    assert provenance.line(parse(command, [])) == f"python -m {command.Settings.NAME}"


@pytest.mark.parametrize("command", list(ASKED), ids=lambda module: module.__package__)
def test_help_offers_nothing_that_is_no_choice(command, capsys):
    with pytest.raises(SystemExit):
        parse(command, ["--help"])
    offered = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\W*--\w", line)]
    assert len(offered) > 10
    assert not [line for line in offered if "None" in line.split("(default")[0]]


@pytest.mark.parametrize("command", list(ASKED), ids=lambda module: module.__package__)
def test_a_switch_with_a_default_of_its_own_takes_true_and_false(command):
    if hasattr(parse(command, []), "header"):
        given = [parse(command, ["--header", word]).header for word in ("True", "False")]
        assert given == [True, False]


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        (path, "--metric None", "'None'"),
        (
            path,
            "--folds 1 --tol 0 --l1-ratio 2 --lambda-min 0",
            "--folds 1: must be at least 2; --tol 0: must lie between 0 and 1, like 1e-6; --l1-ra"
            "tio 2: must lie in [0, 1]; 0 is ridge, 1 lasso; --lambda-min 0: must be above 0",
        ),
        (sweep, "--configs 0 --hidden 0", "--configs 0: must be at least 1; --hidden 0: give"),
        (optimizers, "--points 0 --l2 -1", "--points 0: must be at least 1; --l2 -1: must lie in"),
        (path, "--scaling standard --no-intercept", "with --no-intercept take --scaling none"),
        (path, "--seed 4294967296", "--seed 4294967296: must be at most 4294967295"),
        (sweep, "--seed 99999999999999999999", "must be at most 4294967295"),
        (path, "--lambda-max 1e300", "--lambda-max 1e+300: a penalty is 0 or lies from 1e-30 to"),
        (path, "--lambdas 1 1e-320", "a penalty is 0 or lies from 1e-30 to 1e+30; rescale the f"),
        (path, "--lambdas 1e9", "--lambdas 1e+09: at most 100,000 penalties"),
        (path, "--lambdas inf", "--lambdas inf: one value says how many penalties"),
        (sweep, "--learning-rate 1e-300 1", "--learning-rate 1e-300 1: LOW must be at least 1e-30"),
        (sweep, "--l2 1 1e300", "--l2 1 1e+300: must lie in [0, 1e+30)"),
        (sweep, "--data iris --epochs 20000000", "--epochs 20000000: must be at most 16777216"),
        (optimizers, "--epochs 20000000 --seeds 0", "at least 1; --epochs 20000000: must be at"),
        (sweep, "--hidden 9x100000", "--hidden 9x100000: a stage has at most 65536 units"),
        (sweep, "--test-fraction 1e-9", "--test-fraction 1e-09 of 1797 rows leaves one side empty"),
        (sweep, "--drop-classes 3 elf", "--drop-classes: no class 'elf'"),
        (optimizers, "--data iris --drop-classes setosa,versicolor", "leaves 1 of the 3 classes"),
    ],
)
def test_mistakes_are_one_line_all_at_once(command, args, said, tmp_path, capsys):
    assert command.main([*args.split(), "--out", str(tmp_path / "o")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told
    assert not list(tmp_path.iterdir())


WORK = []  # what the command below does


def run(settings, clock):
    return WORK.pop()()


def interrupted(tmp_path, by):
    def work():
        settings = sweep.Settings(out=str(tmp_path / "o"), overwrite=True)
        with outputs.results(settings) as folder:
            (folder / "report.html").write_text("half of a page")
            (folder / "models").mkdir()
            (folder / "models" / "first.npz").write_text("one of several")
            raise by

    WORK.append(work)
    return commands.main(sweep.Settings, None, [], module=__name__)


def test_what_breaks_keeps_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        interrupted(tmp_path, by=ZeroDivisionError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("by", "status"), [(KeyboardInterrupt, 130), (commands.Terminated, 143)])
def test_an_interruption_leaves_nothing_half_made(by, status, tmp_path, capsys):
    assert interrupted(tmp_path, by) == status
    assert capsys.readouterr().err == "interrupted: nothing had finished, and nothing is kept\n"
    assert not list(tmp_path.iterdir())


def test_sigterm_is_as_polite_as_ctrl_c():
    before = signal.getsignal(signal.SIGTERM)

    def end_me():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    with pytest.raises(commands.Terminated), commands._polite():
        end_me()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_parts_of_a_command_add_up_to_its_time():
    began = time.perf_counter()
    clock = Clock()
    with clock.listening():
        with clock.part("reading"):
            time.sleep(0.05)
        with clock.part("drawing"):
            jax.jit(lambda x: x * 3 + len(str(began)))(jnp.ones(7)).block_until_ready()
            parts = clock.parts()
    assert sum(parts.values()) == pytest.approx(time.perf_counter() - began, abs=0.05)
    assert 0.05 <= parts["reading"] < 0.5
    assert parts["compiling"] > 0  # though within the drawing
    assert parts["tracing"] > 0
    assert all(seconds >= 0 for seconds in parts.values())


def test_the_bar_says_compiling_while_something_is_compiled(monkeypatch):
    clock, said = Clock(), []
    x = jnp.ones(7)
    traced = jax.jit(lambda x: x * 5 + len(str(said)))
    with clock.listening(), clock.bar(1, "runs") as bar:
        monkeypatch.setattr(bar, "set_description_str", lambda text, _: said.append(text))
        jax.eval_shape(lambda x: jnp.sin(x) * len(str(said)), x)
        assert said == [], "a trace alone"
        traced(x).block_until_ready()
    assert said == ["compiling", ""]


def test_spans_that_overlap_count_once():
    assert length([(0, 2), (1, 3), (5, 6), (1, 2)]) == 4
    clock = Clock()
    clock.spans |= {"compiling": [(1, 3)], "tracing": [(0, 2)], "importing": [(2.5, 4)]}
    told = {name: round(seconds, 9) for name, seconds in clock.parts().items()}
    assert (told["compiling"], told["tracing"], told["importing"]) == (2, 1, 1)


@pytest.mark.parametrize("command", list(ASKED), ids=lambda module: module.__package__)
def test_help_loads_neither_jax_nor_matplotlib(command):
    code = f"""if True:
        import sys
        from {command.__package__}.__main__ import main
        try:
            main(["--help"])
        except SystemExit:
            print(*sys.modules, file=sys.stderr)
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"jax", "matplotlib", "sklearn", "pandas"} & set(ran.stderr.split())


def test_more_steps_than_can_be_listed_are_refused():
    asked = parse(sweep, ["--epochs", "16777216"])
    with pytest.raises(SettingError, match="--epochs 16777216: a lane would meet 1438 rows more o"):
        check_batches(asked, 1_438)
