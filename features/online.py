"""Online features: publishes a snapshot for serving, and reads it by entity."""

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from math import isnan
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import lake
from features.offline import Snapshot, engine, feature_store
from features.online_metadata import OnlineMetadata, online_metadata
from features.packed.layout import Layout
from features.packed.reader import SnapshotReader, Vectors
from features.packed.rows import rows_at
from features.settings import Settings
from features.transforms.groups import Entity
from features.views import service_of

#: The online store that Feast finds by this name.
TYPE = "features.packed.online_store.PackedOnlineStore"
#: Longest delay in seconds until readers of vectors use a new publication.
FOLLOWS_S = 1.0


class UnknownEntity(KeyError):
    """An id without features in the online store."""

    def __init__(self, name: str, entity_id: str) -> None:
        super().__init__(f"no {name} '{entity_id}' in the online store")
        self.entity_id = entity_id

    def __str__(self) -> str:
        return str(self.args[0])


class OnlineStoreUnavailable(RuntimeError):
    """The online store is unreachable or empty."""


def publish(snapshot: Snapshot, settings: Settings) -> None:
    """Publish the snapshot's features as of its `as_of`, replacing those of the service.

    They are written to a new namespace before readers switch to it, so that readers see either old or new features. The
    old namespace is kept for late readers until the next publication.
    """
    place = online_metadata(settings)
    with place.lock():
        before = _served(place, snapshot.service)
        if before[:1] == [snapshot]:
            return
        place.put(f"registry/{snapshot.digest}", _registry(snapshot, settings))
        _materialize(snapshot, place, settings)
        left = [one for one in before if one != snapshot]
        served = [asdict(one) for one in (snapshot, *left[:1])]
        place.put(f"served/{snapshot.service}", json.dumps(served).encode())
        for one in left[1:]:
            _forget(one, place)


class Online:
    """Reads features by id. Follows new publications, and reconnects after failures."""

    def __init__(self, settings: Settings) -> None:
        self._shelf = online_metadata(settings)
        self._opened: dict[str, _Opened] = {}

    def read(self, service: str, entity_ids: Sequence[str]) -> pd.DataFrame:
        """The service's features of these entities, one row per id, in this order.

        Returns:
            the entity's key and the feature columns, named and typed as in the training frame.

        Raises:
            UnknownEntity: naming the first id that has no features.
            OnlineStoreUnavailable: the store is unreachable; the next call tries again.
        """
        entity = service_of(service).entity
        rows, known = self.rows(service, entity_ids)
        if not known.all():
            raise UnknownEntity(entity.name, str(entity_ids[int(np.argmin(known))]))
        return rows

    def rows(self, service: str, entity_ids: Sequence[str]) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
        """As `read` where ids may be unknown: the rows, and a mask of known ids.

        Raises `OnlineStoreUnavailable`.
        """
        entity, ids = service_of(service).entity, [str(one) for one in entity_ids]
        with self._faults(service):
            reader = self._open(service, newest=True).reader
            found = reader.read(ids)
        return _frame(entity, ids, reader, found), np.asarray(found.known)

    def vectors(self, service: str, entity_ids: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        """As `rows`, as float vectors in one round trip; follows publications within a second.

        `Vectors.known` marks known ids. Raises `OnlineStoreUnavailable`.
        """
        return self.ask(service, entity_ids)()

    def ask(self, service: str, entity_ids: Sequence[str]) -> Callable[[], tuple[SnapshotReader, Vectors]]:
        """As `vectors`: asks now, and the function that is returned waits. Both raise `OnlineStoreUnavailable`."""
        with self._faults(service):
            reader = self._open(service, newest=False).reader
            answers = reader.ask(entity_ids)

        def received() -> tuple[SnapshotReader, Vectors]:
            with self._faults(service):
                return reader, answers()

        return received

    @contextmanager
    def _faults(self, service: str) -> Iterator[None]:
        try:
            yield
        except self._shelf.faults as fault:
            self._opened.pop(service, None)
            raise OnlineStoreUnavailable(f"the online store does not answer: {fault}") from fault

    def _open(self, service: str, newest: bool) -> "_Opened":
        opened = self._opened.get(service)
        if opened is not None and not newest and monotonic() < opened.looked + FOLLOWS_S:
            return opened
        served = _served(self._shelf, service)
        if not served:
            self._opened.pop(service, None)
            raise OnlineStoreUnavailable(f"the online store has no features of '{service}': none were published")
        if opened is None or opened.snapshot != served[0]:
            opened = self._opened[service] = _Opened(served[0], self._shelf)
        opened.looked = monotonic()
        return opened


class _Opened:
    """A reader of one snapshot with the views of Feast's registry; `looked` is when it was last checked."""

    def __init__(self, snapshot: Snapshot, place: OnlineMetadata) -> None:
        self.snapshot, self.looked = snapshot, 0.0
        with tempfile.TemporaryDirectory() as temporary:
            store = _feast(snapshot, place, Path(temporary))
            views = store.get_feature_service(snapshot.service).feature_view_projections
        self.reader = SnapshotReader(store.project, [Layout.of(view) for view in views], rows_at(place.place))


def _frame(entity: Entity, ids: list[str], reader: SnapshotReader, found: Vectors) -> pd.DataFrame:
    # One block of numbers: creating a hundred columns one by one would take longer than reading them.
    numbers = found.numbers[:, : len(reader.numbers)]
    flags = zip(reader.booleans, found.numbers[:, len(reader.numbers) :].T, strict=True)
    booleans = {name: [None if isnan(value) else bool(value) for value in column] for name, column in flags}
    told = pd.DataFrame({entity.key: ids, **booleans, **found.texts, **found.vectors}, dtype=object)
    return pd.concat([told, pd.DataFrame(numbers, columns=list(reader.numbers))], axis=1)


def _served(place: OnlineMetadata, service: str) -> list[Snapshot]:
    """The snapshots of a service in the online store, the current one first."""
    return [Snapshot(**one) for one in json.loads(place.get(f"served/{service}") or b"[]")]


def _registry(snapshot: Snapshot, settings: Settings) -> bytes:
    uri = f"{snapshot.folder}/registry.db"
    return bytes(lake.filesystem(uri, settings).cat_file(uri))


def _feast(snapshot: Snapshot, place: OnlineMetadata, temporary: Path) -> Any:
    """Feast over the snapshot's part of the online store, its registry copied into the folder `temporary`."""
    registry = place.get(f"registry/{snapshot.digest}")
    if registry is None:
        raise OnlineStoreUnavailable(f"the online store has no registry of {snapshot.service} {snapshot.digest}")
    (temporary / "registry.db").write_bytes(registry)
    return feature_store(snapshot, temporary, {"type": TYPE, "place": place.place})


def _materialize(snapshot: Snapshot, place: OnlineMetadata, settings: Settings) -> None:
    as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
    with tempfile.TemporaryDirectory() as temporary, engine(snapshot, settings):
        store = _feast(snapshot, place, Path(temporary))
        _update(store, keep=store.list_feature_views())
        with redirect_stdout(io.StringIO()):  # Feast prints its progress in colours
            store.materialize(start_date=as_of, end_date=as_of)


def _forget(snapshot: Snapshot, place: OnlineMetadata) -> None:
    """Remove an old snapshot from the online store."""
    with tempfile.TemporaryDirectory() as temporary:
        store = _feast(snapshot, place, Path(temporary))
        _update(store, delete=store.list_feature_views())
    place.drop(f"registry/{snapshot.digest}")


def _update(store: Any, keep: Sequence[Any] = (), delete: Sequence[Any] = ()) -> None:
    """Create and remove tables of the online store. `FeatureStore.apply` would also read every source again."""
    store._get_provider().update_infra(
        store.project,
        tables_to_delete=delete,
        tables_to_keep=keep,
        entities_to_delete=[],
        entities_to_keep=[],
        partial=True,
    )
