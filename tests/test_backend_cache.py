"""Compiled programs are kept between processes, or their folder says why not."""

import os
import subprocess
import sys

import jax
import pytest

from jaxlr import backend

pytestmark = [pytest.mark.once]

OPTIONS = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
CODE = """
import jax, jax.numpy as jnp
from jaxlr import backend
hits = []
folder = backend.cache_compilations()
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event))
jax.jit(lambda x: jnp.linalg.inv(x) + 1)(jnp.eye(9))
print(folder, sum("cache_hits" in hit for hit in hits), sum("misses" in hit for hit in hits))
"""


@pytest.fixture
def fresh(monkeypatch):
    """As if nobody had asked before; JAX's options are put back."""
    before = {name: getattr(jax.config, name) for name in OPTIONS}
    backend.cache_compilations.cache_clear()
    monkeypatch.delenv(backend.CACHE, raising=False)
    jax.config.update("jax_compilation_cache_dir", None)
    yield monkeypatch
    backend.cache_compilations.cache_clear()
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_next_process_finds_what_the_last_one_compiled(tmp_path):
    def run():
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), backend.CACHE: ""}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        command = [sys.executable, "-W", "error", "-c", CODE]
        told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        folder, *counts = told.stdout.rsplit(maxsplit=2)
        return folder, *map(int, counts)

    folder, hits, misses = run()
    if folder == "None":
        pytest.skip("jaxlib doesn't load its own programs back on this processor")
    assert folder.startswith(str(tmp_path / "jaxlr" / f"jaxlib-{backend.jaxlib.__version__}-"))
    assert hits == 0
    assert misses > 0
    again, hits, left = run()
    assert (again, hits, left) == (folder, misses, 0)


def test_off_is_off_and_a_folder_that_jax_was_given_stands(fresh, tmp_path):
    fresh.setenv(backend.CACHE, "off")
    assert backend.cache_compilations() is None
    assert backend.cache_compilations("off") is None
    backend.cache_compilations.cache_clear()
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    assert backend.cache_compilations() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_once_and_does_no_harm(fresh, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"no compiled program is kept: .*/file/.* cannot be"):
        assert backend.cache_compilations(tmp_path / "file") is None
    assert backend.cache_compilations(tmp_path / "file") is None  # without another word
    assert jax.config.jax_compilation_cache_dir is None


def test_programs_that_do_not_load_back_are_not_kept(fresh, tmp_path):
    before = [getattr(jax.config, name) for name in OPTIONS]
    fresh.setattr(backend, "_loads_back", lambda: False)
    assert backend.cache_compilations(tmp_path) is None
    assert [getattr(jax.config, name) for name in OPTIONS] == before


def test_what_was_used_longest_ago_goes_first(fresh, tmp_path):
    fresh.setattr(backend, "_loads_back", lambda: True)
    folder = backend.cache_compilations(tmp_path, most=100)
    for age, name in enumerate(("newest", "older", "oldest")):
        (folder / name).write_bytes(bytes(40))
        os.utime(folder / name, (1e9 - age, 1e9 - age))
    jax.config.update("jax_compilation_cache_dir", None)
    backend.cache_compilations.cache_clear()
    backend.cache_compilations(tmp_path, most=100)
    assert {file.name for file in folder.iterdir()} == {"newest", "older", "written"}
