"""Sphinx's settings for the course's pages; ``make course`` gathers their source and builds them.

Everything is made to be read from a disk, without a network: formulas are MathML, and no script
or font comes from elsewhere.
"""

project = "fercourse"
author = "the authors of fercourse"
copyright = author

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "fercourse.course.alternatives",
    "fercourse.course.mathml",
]

html_theme = "sphinx_book_theme"
html_title = "fercourse"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": True,
    "use_repository_button": False,
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "max_navbar_depth": 2,
}

# The notebooks come with the outputs of their run.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # else the scripts that draw live widgets are fetched from a server
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "set"}  # matplotlib writes a set()
napoleon_google_docstring = True
napoleon_use_ivar = True

# Links to what is in the repository and not on a page (a licence, a test), and names in docstrings
# that two rooms have, are no faults.
suppress_warnings = ["myst.xref_missing", "myst.header", "ref.python", "mystnb.unknown_mime_type"]
