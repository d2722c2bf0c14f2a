"""Feast without what it loads and compiles at import and adloop does not use: `from features.lean_feast import feast`.

Checks of all arguments, which typeguard compiles anew at each import, and torch, for types of arrays that are none of
ours. Together they take twice as long as all the rest of Feast, in every step and server, and most of the memory.
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
