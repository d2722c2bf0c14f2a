"""The kinds of decision, a module each: a new one is a module here with its `KIND`, and its name below."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from serving.decisions.kinds.kind import Kind

NAMES = ("bid", "campaign", "retention")


@cache
def kinds() -> Mapping[str, Kind]:
    """All of them, by what `asked` is in a request."""
    found: list[Kind] = [import_module(f"{__name__}.{name}").KIND for name in NAMES]
    return {kind.name: kind for kind in found}


def families() -> frozenset[str]:
    """Whose models are loaded."""
    return frozenset(family for kind in kinds().values() for family in kind.families)
