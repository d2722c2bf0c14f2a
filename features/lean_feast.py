"""Imports Feast without typeguard's argument checks and without torch: `from features.lean_feast import feast`.

Both are unused here, and together they take twice as long to import as the rest of Feast, and most of its memory.
"""

import sys

import typeguard

_checked, _loaded = typeguard.typechecked, "torch" in sys.modules
typeguard.typechecked = lambda target: target  # type: ignore[assignment]
if not _loaded:
    sys.modules["torch"] = None  # type: ignore[assignment]  # not to be imported
try:
    import feast
finally:
    typeguard.typechecked = _checked
    if not _loaded:
        del sys.modules["torch"]

__all__ = ["feast"]
