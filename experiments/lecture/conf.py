"""Sphinx's settings; `website.py` hands over the rest: language, pages, parts."""

import os
import re
import sys
from pathlib import Path

import latex2mathml.converter
from docutils import nodes
from sphinx.util import logging

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from experiments.kit import pages  # noqa: E402
from experiments.lecture import website  # noqa: E402

project = "jaxlr"
author = "jaxlr"
copyright = "jaxlr"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath", "colon_fence"]
suppress_warnings = ["myst.header", "config.cache"]
# The reference stands in English; the Russian pages link to it.
inventory = os.environ.get("REFERENCE")
intersphinx_mapping = {"jaxlr": ("../en", inventory)} if inventory else {}
napoleon_use_ivar = True
napoleon_use_rtype = False
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries = False
nitpicky = False
html_theme = "theme"
html_theme_path = [str(HERE)]
templates_path = [str(pages.TEMPLATES)]
html_static_path = [str(pages.CSS)]
html_js_files = ["lecture.js"]
html_math_renderer = "mathml"
html_show_search_summary = False  # a page on the disk may not read another
html_show_sourcelink = False
html_copy_source = False
html_use_index = False
html_domain_indices = False


def setup(app):
    """Formulas as MathML, and docstrings in our own plain manner."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("autodoc-process-docstring", _plain, priority=100)
    app.connect("autodoc-skip-member", _is_field)
    app.connect("html-page-context", website.context)


def _inline(self, node):
    self.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def _display(self, node):
    self.body.append(f'<div class="formula" tabindex="0">{_mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def _mathml(node, display):
    formula = latex2mathml.converter.convert(node.astext(), display=display)
    if "\\" in formula:  # a command it doesn't know stands there as text
        logging.getLogger(__name__).warning("not understood: %s", node.astext(), location=node)
    return formula


def _plain(app, what, name, obj, options, lines):
    """Stars, bars and final underscores mean nothing in our docstrings."""
    lines[:] = [re.sub(r"([*|\\]|\w_(?!\w))", _escaped, line) for line in lines]


def _is_field(app, what, name, obj, skip, options):
    """A field of a NamedTuple has nothing to say beside its class."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def _escaped(found):
    return f"{found[0][:-1]}\\{found[0][-1]}"
