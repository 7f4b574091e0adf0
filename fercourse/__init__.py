"""fercourse: one paper on facial expression recognition, from its equations to a trained model.

Everything is imported on first use, so ``import fercourse`` costs nothing and needs no network.
The names are in ``__init__.pyi``.
"""

import lazy_loader

import fercourse.threads  # noqa: F401  (first: it must run before torch is imported)

__version__ = "0.1.0"

__getattr__, __dir__, _ = lazy_loader.attach_stub(__name__, __file__)
__all__ = ["__version__", *_]
