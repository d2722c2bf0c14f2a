"""The kinds of decisions, one module each. A new kind is a module here with its `KIND`, and its name below."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from serving.decisions.kinds.kind import Kind

NAMES = ("bid", "campaign", "retention", "creative")


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by their name, the field `asked` of a request."""
    found: list[Kind] = [import_module(f"{__name__}.{name}").KIND for name in NAMES]
    return {kind.name: kind for kind in found}


def families() -> frozenset[str]:
    """Families whose models decisions need."""
    return frozenset(family for kind in kinds().values() for family in kind.families)
