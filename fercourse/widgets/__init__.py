"""ipywidgets explorers for the lessons, thin over :mod:`fercourse.widgets.base`."""
