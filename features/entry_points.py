"""What installed packages offer others, read once a process: that takes as long as a tenth of pandas, and Pydantic,
fsspec and each of MLflow's eight registries ask for it."""

import sys
from functools import lru_cache
from importlib import metadata
from typing import Any

_entry_points = metadata.entry_points


def read_once() -> None:
    """From now on, `importlib.metadata.entry_points` reads anew only where other packages can be imported."""
    metadata.entry_points = lambda **wanted: _read(tuple(sys.path)).select(**wanted)  # type: ignore[assignment]


@lru_cache(maxsize=1)
def _read(path: tuple[str, ...]) -> Any:
    return _entry_points()
