"""Imports parts of a library only once they are used: `with lazily("scipy.stats"): import great_expectations`.

Some libraries import, whenever they are imported, what takes seconds and what nothing here uses.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


@contextmanager
def lazily(*names: str) -> Iterator[None]:
    """Inside, an import of one of these modules runs it only when one of its attributes is first read."""
    finder = _LazyFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def always_lazily(*names: str) -> None:
    """From now on, as inside `lazily`."""
    sys.meta_path.insert(0, _LazyFinder(names))


class _LazyFinder(MetaPathFinder):
    """Finds modules of these names, to be run later; leaves all others to the finders after it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
