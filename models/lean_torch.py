"""Trains by torch without importing its compiler: `@uncompiled()`.

Torch's optimizers import `torch._dynamo`, only to tell it to leave them alone, and that takes longer than to import the
rest of torch.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_COMPILER = "torch._dynamo"


@contextmanager
def uncompiled() -> Iterator[None]:
    """Inside, optimizers find a stand-in for the compiler, unless it was imported before; nothing can be compiled."""
    stand_in = ModuleType(_COMPILER)
    vars(stand_in).update(disable=lambda function, *_, **__: function, graph_break=lambda: None)
    if sys.modules.setdefault(_COMPILER, stand_in) is not stand_in:
        yield
        return
    try:
        yield
    finally:
        sys.modules.pop(_COMPILER, None)
