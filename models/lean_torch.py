"""Trains by torch without importing its compiler: `@uncompiled()`.

Torch's optimizers import `torch._dynamo`, only to tell it to leave them alone, and that takes longer than to import the
rest of torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from features.lazy_imports import standing_in


@contextmanager
def uncompiled() -> Iterator[None]:
    """Inside, optimizers find a stand-in for the compiler, unless it was imported before; nothing can be compiled."""
    with standing_in("torch._dynamo", disable=lambda function, *_, **__: function, graph_break=lambda: None):
        yield
