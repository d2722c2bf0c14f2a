"""Model families, their contract, bundles, registry and evaluation."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from features.lazy_imports import always_inside, packages_always_lazily

# Half of what PyTorch takes to import is for its compilers: exporting programs, and computing shapes without numbers.
packages_always_lazily("torch.export", "torch._meta_registrations")


@contextmanager
def _with_generators() -> Iterator[None]:
    """What shapes without numbers are computed by also gives random generators the class that none is made without."""
    yield
    import_module("torch._C")._set_generator_metaclass(import_module("torch._opaque_base").OpaqueBaseMeta)


always_inside(_with_generators, "torch")
