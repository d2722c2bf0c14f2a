"""Imports Feast without typeguard's argument checks and without torch: `from features.lean_feast import feast`.

Both are unused here, and together they take twice as long to import as the rest of Feast, and most of its memory. The
variables that Feast sets when it is imported are removed: by them Prometheus metrics of this process and its children
would be kept in files, which takes several times as long for each.
"""

import os

import prometheus_client  # noqa: F401 - it reads those variables when it is imported
import typeguard

from features.lazy_imports import without

_checked, _variables = typeguard.typechecked, set(os.environ)
typeguard.typechecked = lambda target: target  # type: ignore[assignment]
try:
    with without("torch"):
        import feast
finally:
    typeguard.typechecked = _checked
    for name in set(os.environ) - _variables:
        del os.environ[name]

__all__ = ["feast"]
