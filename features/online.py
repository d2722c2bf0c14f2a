"""The online store: a snapshot published for serving, and read by entity."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from features import lake
from features.offline import Snapshot, feature_store, project
from features.settings import Settings
from features.views import ENTITY

#: How old a reader's knowledge of what is published may be, in seconds.
FRESH_S = 1.0


class UnknownEntity(KeyError):
    """An id that the online store has no features of."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(f"no customer '{entity_id}' in the online store")
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
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / "online.lock"):
        before = _published(snapshot.service, settings)
        if [one.digest for one in before[:1]] == [snapshot.digest]:
            return
        with tempfile.TemporaryDirectory() as temporary:
            _materialize(snapshot, Path(temporary), settings)
        keep = [one for one in before if one.digest != snapshot.digest]
        _point(snapshot.service, [snapshot, *keep[:1]], settings)
        for one in keep[1:]:
            _forget(one, settings)


class Online:
    """Reads features by id. Opened once; follows what is published, and recovers when the store does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: dict[str, _Opened] = {}

    def read(self, service: str, entity_ids: Sequence[str]) -> pd.DataFrame:
        """The service's features of these customers, one row an id, in this order.

        Returns:
            customer_id and the feature columns, named and typed as in the training frame.

        Raises:
            UnknownEntity: naming the first id that has no features.
            StoreUnavailable: where the store does not answer; the next call tries again.
        """
        try:
            opened = self._open(service)
            found = opened.store.get_online_features(
                features=opened.service, entity_rows=[{ENTITY: str(one)} for one in entity_ids]
            )
        except StoreUnavailable:
            raise
        except Exception as error:
            self._opened.pop(service, None)
            raise StoreUnavailable(f"online store of '{service}': {error}") from error
        return opened.frame(found)

    def _open(self, service: str) -> "_Opened":
        opened = self._opened.get(service)
        if opened is None or opened.is_old():
            newest = _published(service, self._settings)[:1]
            if not newest:
                raise StoreUnavailable(f"no features of '{service}' were published under {self._settings.offline_root}")
            if opened is None or opened.snapshot.digest != newest[0].digest:
                opened = self._opened[service] = _Opened(newest[0], self._settings)
            opened.checked_at = time.monotonic()
        return opened


class _Opened:
    """Feast, open on one snapshot."""

    def __init__(self, snapshot: Snapshot, settings: Settings) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.snapshot = snapshot
        self.store = feature_store(snapshot, Path(self._folder.name), settings, _store(settings))
        self.service = self.store.get_feature_service(snapshot.service)
        self.checked_at = time.monotonic()
        fields = [field for view in self.service.feature_view_projections for field in view.features]
        self._dtypes = {field.name: _DTYPES[field.dtype.to_value_type().name] for field in fields}

    def is_old(self) -> bool:
        return time.monotonic() - self.checked_at > FRESH_S

    def frame(self, found: Any) -> pd.DataFrame:
        """Feast's answer as a frame. An id is unknown if no view has a row of it."""
        from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

        answer = found.proto
        names = answer.metadata.feature_names.val
        values = dict(found.to_dict())
        columns = {name: answer.results[place] for place, name in enumerate(names) if name != ENTITY}
        for place, entity_id in enumerate(values[ENTITY]):
            if all(column.statuses[place] == FieldStatus.NOT_FOUND for column in columns.values()):
                raise UnknownEntity(entity_id)
        rows = pd.DataFrame({ENTITY: values[ENTITY], **{name: values[name] for name in columns}})
        return rows.astype(self._dtypes)


_DTYPES = {"DOUBLE": "float64", "BOOL": "object", "STRING": "object"}


def _store(settings: Settings) -> dict[str, Any]:
    """Feast's description of the online store."""
    if settings.redis_url is None:
        return {"type": "sqlite", "path": str((settings.home / "online.db").resolve())}
    return {"type": "redis", "connection_string": _redis(settings.redis_url)}


def _redis(url: str) -> str:
    """A `redis://` address in Feast's own notation."""
    from redis.connection import parse_url

    parts = parse_url(url)
    options = {"db": parts.get("db"), "username": parts.get("username"), "password": parts.get("password")}
    options["ssl"] = "true" if url.startswith("rediss://") else None
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    return ",".join([f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}", *given])


def _materialize(snapshot: Snapshot, temporary: Path, settings: Settings) -> None:
    store = feature_store(snapshot, temporary, settings, _store(settings))
    views = store.list_feature_views()
    entities = store.list_entities()
    store._get_provider().update_infra(
        store.project,
        tables_to_delete=[],
        tables_to_keep=views,
        entities_to_delete=[],
        entities_to_keep=entities,
        partial=False,
    )
    as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
    store.materialize(start_date=as_of, end_date=as_of)


def _forget(snapshot: Snapshot, settings: Settings) -> None:
    """Remove a snapshot that is served no more from the online store."""
    with tempfile.TemporaryDirectory() as temporary:
        store = feature_store(snapshot, Path(temporary), settings, _store(settings))
        store._get_provider().update_infra(
            project(snapshot),
            tables_to_delete=store.list_feature_views(),
            tables_to_keep=[],
            entities_to_delete=store.list_entities(),
            entities_to_keep=[],
            partial=False,
        )


def _pointer(service: str, settings: Settings) -> str:
    return f"{settings.offline_root}/{service}/online.json"


def _published(service: str, settings: Settings) -> list[Snapshot]:
    """The snapshots in the online store, the one that is served first."""
    uri = _pointer(service, settings)
    try:
        text = lake.filesystem(uri, settings).cat_file(uri)
    except FileNotFoundError:
        return []
    return [Snapshot(**one) for one in json.loads(text)]


def _point(service: str, snapshots: list[Snapshot], settings: Settings) -> None:
    uri = _pointer(service, settings)
    text = json.dumps([asdict(one) for one in snapshots], indent=2)
    if lake.is_remote(uri):
        lake.filesystem(uri, settings).pipe_file(uri, text.encode())
        return
    aside = Path(f"{uri}.aside")  # one writer at a time: the caller holds the lock
    aside.write_text(text)
    aside.replace(uri)
