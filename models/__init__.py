"""Model families, their contract, bundles, registry and evaluation."""

from features.lazy_imports import packages_always_lazily

# Half of what PyTorch takes to import is for its compilers: exporting programs, and computing shapes without numbers.
packages_always_lazily("torch.export", "torch._meta_registrations")
