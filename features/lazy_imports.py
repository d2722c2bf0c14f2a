"""Imports parts of a library only once they are used: `with lazily("scipy.stats"): import great_expectations`; or
without what it only takes where it is installed: `with without("sklearn"): import lightgbm`; or with a stand-in for
what it takes in any case: `with standing_in("feast.infra.registry.sql", SqlRegistry=None): import feast`. Whoever
imports a library first, `always_inside` has it imported so.

Some libraries import, whenever they are imported, what takes seconds and what nothing here uses.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader, _LazyModule, find_spec  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any


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


def packages_always_lazily(*names: str) -> None:
    """From now on, an import of one of these packages runs it only when one of its attributes is first read that is no
    module in it: for those that import all their modules, of which few are used."""
    sys.meta_path.insert(0, _LazyFinder(names, _LazyPackageLoader))


def always_inside(context: Callable[[], AbstractContextManager[None]], *names: str) -> None:
    """From now on, an import of one of these modules runs it inside this context."""
    sys.meta_path.insert(0, _LazyFinder(names, partial(_LoaderInside, context)))


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Inside, an import of one of these modules fails as where it is not installed, unless it was imported before."""
    left_out = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]  # None: not to be imported
    try:
        yield
    finally:
        for name in left_out:
            sys.modules.pop(name, None)


@contextmanager
def standing_in(name: str, **attributes: Any) -> Iterator[None]:
    """Inside, an import of this module finds these attributes and nothing else, unless it was imported before."""
    stand_in = ModuleType(name)
    vars(stand_in).update(attributes)
    if sys.modules.setdefault(name, stand_in) is not stand_in:
        yield
        return
    try:
        yield
    finally:
        sys.modules.pop(name, None)


@contextmanager
def lasting() -> Iterator[None]:
    """Inside, what a program imports for as long as it runs. No garbage is looked for among it, be it meanwhile, later,
    where it holds up answers, or at the end, where it takes a third as long as the imports.

    Not for DuckDB, which tells of whatever of itself is not collected at the end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _LazyFinder(MetaPathFinder):
    """Finds modules of these names, to be run later; leaves all others to the finders after it."""

    def __init__(self, names: Sequence[str], loader: Callable[[Loader], Loader] | None = None) -> None:
        self._names, self._loader = names, loader or _LazyModuleLoader

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = self._loader(spec.loader)
        return spec


class _LoaderInside(Loader):
    def __init__(self, context: Callable[[], AbstractContextManager[None]], loader: Loader) -> None:
        self._context, self._loader = context, loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__loader__ = module.__spec__.loader = self._loader  # by which others read the module's files
        with self._context():
            self._loader.exec_module(module)


class _LazyModuleLoader(LazyLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.__class__ = _NamedLazyModule


class _NamedLazyModule(_LazyModule):
    """A module that does not run because somebody asks what it is, as `inspect` asks all modules: torch does so by it
    whenever it is imported."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__file__", "__name__"):
            return ModuleType.__getattribute__(self, name)
        return super().__getattribute__(name)


class _LazyPackageLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["_run"] = partial(self.loader.exec_module, module)
        module.__class__ = _LazyPackage


class _LazyPackage(ModuleType):
    """A package that did not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if find_spec(f"{self.__name__}.{name}") is not None:
            return import_module(f"{self.__name__}.{name}")
        object.__setattr__(self, "__class__", ModuleType)
        self.__dict__.pop("_run")()
        return getattr(self, name)
