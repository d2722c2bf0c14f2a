"""Features from the online store, as the models that are asked together read them."""

from collections.abc import Sequence
from time import monotonic

from features.packed.reader import SnapshotReader, Vectors
from features.store import Online, OnlineStoreUnavailable

#: After a failure the online store is not asked for so long: not every decision waits for one that is away.
PAUSE_S = 0.2


class Features:
    """Features from the online store, with a pause after it failed."""

    def __init__(self, online: Online) -> None:
        self._online = online
        self._away_until = 0.0

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """A service's features of these entities, each read once. Raises `OnlineStoreUnavailable`."""
        distinct = {entity: place for place, entity in enumerate(dict.fromkeys(entities))}
        reader, found = self._vectors(service, list(distinct))
        if len(distinct) == len(entities):
            return reader, found
        places = [distinct[entity] for entity in entities]
        texts = {name: [values[place] for place in places] for name, values in found.texts.items()}
        return reader, Vectors(found.numbers[places], texts, found.known[places])

    def _vectors(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        if monotonic() < self._away_until:
            raise OnlineStoreUnavailable("the online store did not answer a moment ago")
        try:
            return self._online.vectors(service, entities)
        except OnlineStoreUnavailable:
            self._away_until = monotonic() + PAUSE_S
            raise
