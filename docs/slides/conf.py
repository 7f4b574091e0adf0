"""Sphinx's settings for the slides; ``make slides`` gathers their source and builds them.

As with the pages, nothing is fetched: reveal.js comes with sphinx-revealjs, formulas are MathML.
"""

project = "fercourse"
author = "the authors of fercourse"

extensions = ["myst_parser", "sphinx_revealjs", "fercourse.course.mathml"]
myst_enable_extensions = ["dollarmath", "amsmath"]
html_math_renderer = "mathml"
html_copy_source = False

revealjs_static_path = ["static"]
revealjs_style_theme = "white-contrast"
revealjs_css_files = ["slides.css"]
revealjs_script_conf = {
    "width": 1280,
    "height": 720,
    "margin": 0.02,
    "center": False,
    "controls": False,  # arrows would lie on the figures
    "slideNumber": "c/t",
    "hash": True,
    "transition": "none",
    "navigationMode": "linear",  # one key for all of them; sections are no second direction
}
revealjs_script_plugins = [{"name": "RevealNotes", "src": "revealjs/plugin/notes/notes.js"}]

suppress_warnings = ["myst.header"]
