"""Reads features of the online store for the models of a batch."""

from collections.abc import Sequence
from time import monotonic

from features.packed.reader import SnapshotReader, Vectors
from features.store import Online, OnlineStoreUnavailable

#: Seconds without requests after a failure, so that decisions do not wait for an unavailable store.
PAUSE_S = 0.2


class Features:
    """Reads the online store, with a pause after a failure."""

    def __init__(self, online: Online) -> None:
        self._online = online
        self._away_until = 0.0

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """Features of these entities, each read once. Raises `OnlineStoreUnavailable`."""
        distinct = {entity: place for place, entity in enumerate(dict.fromkeys(entities))}
        reader, found = self._vectors(service, list(distinct))
        if len(distinct) == len(entities):
            return reader, found
        return reader, found.take([distinct[entity] for entity in entities])

    def _vectors(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        if monotonic() < self._away_until:
            raise OnlineStoreUnavailable("the online store failed a moment ago")
        try:
            return self._online.vectors(service, entities)
        except OnlineStoreUnavailable:
            self._away_until = monotonic() + PAUSE_S
            raise
