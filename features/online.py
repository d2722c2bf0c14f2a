"""The online store: a snapshot published for serving, and read by entity."""

import io
import json
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import lake
from features.offline import Snapshot, engine, feature_store
from features.settings import Settings
from features.shelf import Shelf, shelf
from features.views import Entity, service_of


class UnknownEntity(KeyError):
    """An id that the online store has no features of."""

    def __init__(self, name: str, entity_id: str) -> None:
        super().__init__(f"no {name} '{entity_id}' in the online store")
        self.entity_id = entity_id

    def __str__(self) -> str:
        return str(self.args[0])


class StoreUnavailable(RuntimeError):
    """The online store does not answer, or nothing was published to it."""


def publish(snapshot: Snapshot, settings: Settings) -> None:
    """Put the snapshot's features as of its `as_of` online, in place of what the service had there.

    They go to a namespace of their own, and readers are then pointed to it: they see the old features or the new
    ones, never a mixture. The namespace that was left stays for readers who are late, until the next publication.
    """
    place = shelf(settings)
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
    """Reads features by id. Opened once; follows what is published, and recovers when the store does."""

    def __init__(self, settings: Settings) -> None:
        self._shelf = shelf(settings)
        self._opened: dict[str, _Opened] = {}

    def read(self, service: str, entity_ids: Sequence[str]) -> pd.DataFrame:
        """The service's features of these customers or campaigns, one row an id, in this order.

        Returns:
            the entity's key and the feature columns, named and typed as in the training frame.

        Raises:
            UnknownEntity: naming the first id that has no features.
            StoreUnavailable: where the store does not answer; the next call tries again.
        """
        try:
            opened = self._open(service)
            found = opened.read([str(one) for one in entity_ids])
        except self._shelf.faults as fault:
            self._opened.pop(service, None)
            raise StoreUnavailable(f"the online store does not answer: {fault}") from fault
        return opened.frame(found)

    def _open(self, service: str) -> "_Opened":
        served = _served(self._shelf, service)
        if not served:
            self._opened.pop(service, None)
            raise StoreUnavailable(f"the online store has no features of '{service}': none were published")
        opened = self._opened.get(service)
        if opened is None or opened.snapshot != served[0]:
            opened = self._opened[service] = _Opened(served[0], self._shelf)
        return opened


class _Opened:
    """Feast, open on one snapshot."""

    def __init__(self, snapshot: Snapshot, place: Shelf) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.snapshot = snapshot
        self._store = _feast(snapshot, place, Path(self._folder.name))
        self._service = self._store.get_feature_service(snapshot.service)
        self._entity: Entity = service_of(snapshot.service).entity
        kinds = {f.name: str(f.dtype) for view in self._service.feature_view_projections for f in view.features}
        self._numbers = [name for name, kind in kinds.items() if kind == "Float64"]
        self._others = {name: _FIELDS[kind] for name, kind in kinds.items() if kind != "Float64"}

    def read(self, ids: list[str]) -> Any:
        return self._store.get_online_features(self._service, {self._entity.key: ids}).proto

    def frame(self, found: Any) -> pd.DataFrame:
        """Feast's answer as a frame. An id is unknown if no view has a row of it: such a row would have its moment."""
        columns = dict(zip(found.metadata.feature_names.val, found.results, strict=True))
        ids = [value.string_val for value in columns.pop(self._entity.key).values]
        for place, entity_id in enumerate(ids):
            if not any(column.event_timestamps[place].seconds for column in columns.values()):
                raise UnknownEntity(self._entity.name, entity_id)
        # One block of numbers: making a hundred columns one by one would take longer than reading them did.
        numbers = np.array([_values(columns[name], "double_val", np.nan) for name in self._numbers])
        others = {name: _values(columns[name], kind, None) for name, kind in self._others.items()}
        told = pd.DataFrame({self._entity.key: ids, **others}, dtype=object)
        return pd.concat([told, pd.DataFrame(numbers.T.reshape(len(ids), -1), columns=self._numbers)], axis=1)


#: Where Feast's protocol keeps a value of each type that is no number.
_FIELDS = {"Bool": "bool_val", "String": "string_val"}


def _values(column: Any, field: str, missing: object) -> list[Any]:
    return [getattr(value, field) if value.HasField(field) else missing for value in column.values]


def _served(place: Shelf, service: str) -> list[Snapshot]:
    """The snapshots of a service in the online store, the one that is served first."""
    return [Snapshot(**one) for one in json.loads(place.get(f"served/{service}") or b"[]")]


def _registry(snapshot: Snapshot, settings: Settings) -> bytes:
    uri = f"{snapshot.folder}/registry.db"
    return bytes(lake.filesystem(uri, settings).cat_file(uri))


def _feast(snapshot: Snapshot, place: Shelf, temporary: Path) -> Any:
    """Feast over the snapshot's part of the online store, its registry copied into the folder `temporary`."""
    registry = place.get(f"registry/{snapshot.digest}")
    if registry is None:
        raise StoreUnavailable(f"the online store has no registry of {snapshot.service} {snapshot.digest}")
    (temporary / "registry.db").write_bytes(registry)
    return feature_store(snapshot, temporary, place.feast)


def _materialize(snapshot: Snapshot, place: Shelf, settings: Settings) -> None:
    as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
    with tempfile.TemporaryDirectory() as temporary, engine(snapshot, settings):
        store = _feast(snapshot, place, Path(temporary))
        _update(store, keep=store.list_feature_views())
        with redirect_stdout(io.StringIO()):  # Feast prints its progress in colours
            store.materialize(start_date=as_of, end_date=as_of)


def _forget(snapshot: Snapshot, place: Shelf) -> None:
    """Remove a snapshot that is served no more from the online store."""
    with tempfile.TemporaryDirectory() as temporary:
        store = _feast(snapshot, place, Path(temporary))
        _update(store, delete=store.list_feature_views())
    place.drop(f"registry/{snapshot.digest}")


def _update(store: Any, keep: Sequence[Any] = (), delete: Sequence[Any] = ()) -> None:
    """Make and remove tables of the online store. `FeatureStore.apply` would also read every source again."""
    store._get_provider().update_infra(
        store.project,
        tables_to_delete=delete,
        tables_to_keep=keep,
        entities_to_delete=[],
        entities_to_keep=[],
        partial=True,
    )
