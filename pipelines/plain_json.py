"""JSON that every reader takes: a number that is unbounded or unknown is null."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any


def plain_json(told: Any) -> str:
    """The value as JSON."""
    return json.dumps(_finite(told), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
