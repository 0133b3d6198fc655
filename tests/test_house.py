"""The house keeps its own laws: floors that point down, no forbidden import, a docstring each."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jax.numpy as jnp
import pytest

import jaxlr

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "jaxlr").rglob("*.py"))
FLOORS = [
    {"pytypes", "backend"},
    {"activations", "optimizers", "metrics", "data"},
    {"models", "losses", "chain_rule"},
    {"training", "solvers", "glm"},
    {"certificates"},
    {"results"},
    {"sweeps", "paths"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
WHEN_CALLED = {("results", "pandas")}  # imported inside a function, by whoever has it
OUTSIDERS = {"jax", "jaxlib", "numpy", "chex", "scipy", "ml_dtypes", "threadpoolctl"}
RECEIVES_FUNCTIONS = {"training", "sweeps", "solvers"}  # and so imports no model and no loss
AUTODIFF = {"grad", "value_and_grad", "vjp", "jvp", "linearize", "hessian", "jacfwd", "jacrev"}


def parts_of(path):
    return path.relative_to(ROOT).with_suffix("").parts


def imports(path):
    """Dotted names of all that a file imports, `from a import b` as a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrongs(module, imported):
    """Why `module` (a name under jaxlr) must not import `imported`, or nothing."""
    package, *rest = imported.split(".")
    if package != "jaxlr":
        standard = package in sys.stdlib_module_names or (module, package) in WHEN_CALLED
        return [] if standard or package in OUTSIDERS else [f"{package} is not a core dependency"]
    other = rest[0]
    if other == module:
        return []
    if other == "chain_rule":
        return ["a witness is for tests and experiments alone"]
    if module in RECEIVES_FUNCTIONS and other in {"models", "losses"}:
        return [f"{module} receives its functions"]
    if FLOOR[other] >= FLOOR[module]:
        return [f"{other} is not on a lower floor than {module}"]
    return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(parts_of(path)[1:]))
def test_each_file_imports_only_from_lower_floors(path):
    module = parts_of(path)[1]
    if module == "__init__":
        return  # the face of the whole house shows every floor
    for imported in imports(path):
        assert not wrongs(module, imported), f"{path.name} imports {imported}"


def test_the_core_imports_what_it_depends_on_and_nothing_else():
    code = "import sys, jaxlr; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {package for _, package in WHEN_CALLED} & set(run.stdout.split())


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("losses", "jaxlr.training.fit"),
        ("losses", "jaxlr.models.linear"),
        ("training", "jaxlr.losses.risk"),
        ("training", "optax"),
        ("losses", "jaxlr.chain_rule.mlp"),
        ("data", "experiments.sweep.study"),
    ],
)
def test_a_forbidden_import_is_seen(module, imported):
    assert wrongs(module, imported)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(parts_of(path)[1:]))
def test_every_public_name_has_a_docstring_and_nothing_prints_or_reads(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path} says nothing of itself"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}: {node.name}"
    called = {
        n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")
    }
    assert not called & {"print", "open", "input", "exec", "eval"}


def autodiff_in(source):
    """The autodiff that a file reaches for, as jax.grad or through an import."""
    tree = ast.parse(source)
    attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    reached = {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "jax"}
    froms = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "jax"]
    return (reached | {alias.name for n in froms for alias in n.names}) & AUTODIFF


def test_the_witness_never_asks_the_accused():
    files = [path for path in FILES if parts_of(path)[1] == "chain_rule"]
    assert files
    for path in files:
        assert not autodiff_in(path.read_text()), path
    assert autodiff_in("import jax\njax.grad(f)") == {"grad"}
    assert autodiff_in("from jax import vjp as back") == {"vjp"}


def test_files_stay_short():
    lengths = sorted(len(path.read_text().splitlines()) for path in FILES)
    assert lengths[len(lengths) // 2] < 200
    assert lengths[-1] <= 350


def test_no_index_address_stands_beside_the_pinned_versions():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line and "@" not in line for line in pinned)


@pytest.mark.parametrize(
    "module", [jaxlr, jaxlr.paths, jaxlr.results], ids=lambda module: module.__name__
)
def test_dir_shows_what_is_public(module):
    assert set(dir(module)) - {"__version__"} == set(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))


def test_the_wheel_says_its_version_its_licence_and_that_it_is_typed():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert told["project"]["version"] == jaxlr.__version__
    assert told["project"]["license"] == "Apache-2.0"
    (licence,) = told["project"]["license-files"]
    assert "Apache License\n                           Version 2.0" in (ROOT / licence).read_text()
    (typed,) = told["tool"]["setuptools"]["package-data"]["jaxlr"]
    assert (ROOT / "jaxlr" / typed).exists()


@pytest.mark.parametrize("target", ["test", "proofs"])
def test_make_leaves_no_test_out(target):
    makefile = (ROOT / "Makefile").read_text()
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    lines = [re.findall(r'-m "(.*?)"', line) or ["True"] for line in recipe.splitlines()]
    for marks in itertools.product([False, True], repeat=3):
        marked = dict(zip(("as_shipped", "float64", "once"), marks, strict=True))
        assert any(eval(line, marked) for (line,) in lines), marks
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert not {"-m", "-k", "--deselect", "--ignore"} & set(told["addopts"].split())


@pytest.mark.float64
def test_what_is_kept_for_float64_has_it_in_every_run():
    assert jnp.zeros(()).dtype == "float64"
