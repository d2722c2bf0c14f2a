"""Reads features of the online store for the models of a batch."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from features.packed.reader import SnapshotReader, Vectors
from features.store import Online, OnlineStoreUnavailable

#: Seconds without requests after a failure, so that decisions do not wait for an unavailable store.
PAUSE_S = 0.2

#: Waits for features. Raises `OnlineStoreUnavailable`.
Answers = Callable[[], tuple[SnapshotReader, Vectors]]


class Reads(Protocol):
    """Reads features by service and entity."""

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """Features of these entities. Raises `OnlineStoreUnavailable`."""


class Features:
    """Reads the online store, with a pause after a failure."""

    def __init__(self, online: Online) -> None:
        self._online = online
        self._away_until = 0.0

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """Features of these entities, each read once. Raises `OnlineStoreUnavailable`."""
        return self.ask(service, entities)()

    def ask(self, service: str, entities: Sequence[str]) -> Answers:
        """As `read`: asks now, and the function that is returned waits, and raises."""
        distinct = {entity: place for place, entity in enumerate(dict.fromkeys(entities))}
        try:
            answers = self._asked(service, list(distinct))
        except OnlineStoreUnavailable as away:
            return _raising(away)
        return lambda: self._received(answers, [distinct[entity] for entity in entities])

    def _asked(self, service: str, entities: Sequence[str]) -> Answers:
        if monotonic() < self._away_until:
            raise OnlineStoreUnavailable("the online store failed a moment ago")
        try:
            return self._online.ask(service, entities)
        except OnlineStoreUnavailable:
            self._away_until = monotonic() + PAUSE_S
            raise

    def _received(self, answers: Answers, places: Sequence[int]) -> tuple[SnapshotReader, Vectors]:
        try:
            reader, found = answers()
        except OnlineStoreUnavailable:
            self._away_until = monotonic() + PAUSE_S
            raise
        return reader, found if len(found.known) == len(places) else found.take(places)


class AskedFeatures:
    """Features that were asked for before they are read, so that the store is not waited for twice."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, tuple[str, ...]], Answers] = {}

    def ask(self, features: Features, service: str, entities: Sequence[str]) -> None:
        """Ask now for what `read` will be called for."""
        self._answers[service, tuple(entities)] = features.ask(service, entities)

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """As `Features.read`."""
        return self._answers[service, tuple(entities)]()


def _raising(fault: OnlineStoreUnavailable) -> Answers:
    def answers() -> tuple[SnapshotReader, Vectors]:
        raise fault

    return answers
