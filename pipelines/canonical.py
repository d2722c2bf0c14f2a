"""A user's tables, or bundled ones, as canonical tables in a folder that is gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features import contracts, sources
from features.schema import Schema
from features.settings import Settings
from features.tables import Tables


@contextmanager
def canonical(data: str, schema: Schema, settings: Settings) -> Iterator[Tables]:
    """The canonical tables of a source, checked. Raises `ContractBroken` and `FileNotFoundError` as `sources` does."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sources.read([data], folder, settings, schema)
        contracts.check(folder)
        yield Tables(folder, settings.limits)
