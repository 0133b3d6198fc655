"""Every public docstring of jaxlr is one that the lecture's reference can be made of."""

import importlib
import inspect
import io
import pkgutil

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import roles
from sphinx.ext.napoleon import Config, GoogleDocstring

import jaxlr
from experiments.lecture import conf

pytestmark = pytest.mark.once

MODULES = sorted(of.name for of in pkgutil.walk_packages(jaxlr.__path__, "jaxlr."))


def spoken(module):
    """(name, docstring) of the module's own public functions and classes."""
    for name, thing in vars(importlib.import_module(module)).items():
        own = getattr(thing, "__module__", None) == module and not name.startswith("_")
        if own and (inspect.isclass(thing) or inspect.isroutine(thing)):
            yield f"{module}.{name}", inspect.getdoc(thing) or ""


@pytest.mark.parametrize("module", MODULES)
def test_docutils_reads_every_docstring(module):
    roles.register_local_role("code", roles.GenericRole("code", nodes.literal))
    config = Config(napoleon_use_ivar=True, napoleon_use_rtype=False)
    for name, text in spoken(module):
        lines, said = text.splitlines(), io.StringIO()
        conf._plain(None, None, None, None, None, lines)
        options = {"warning_stream": said, "report_level": 2, "halt_level": 5}
        publish_doctree(str(GoogleDocstring("\n".join(lines), config)), settings_overrides=options)
        assert not said.getvalue(), f"{name}: {said.getvalue()}"
