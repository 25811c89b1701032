"""The documentation as one site: ``python -m sphinx -W --keep-going docs site`` builds it into ``site/``."""

from rnn_mnist import __version__

project = "rnn-mnist"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "alabaster"
html_theme_options = {"description": "What does each parameter of a recurrent network do?", "fixed_sidebar": True}
html_copy_source = False
html_show_sourcelink = False

# Every reference must lead somewhere; those to other projects' classes have no pages here.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
