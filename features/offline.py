"""Feature snapshots: immutable folders with the views of one feature service over one data set."""

import hashlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import lake
from features.database import Database, Limits, connect
from features.settings import Settings
from features.tables import Tables, content_hash
from features.transforms import GROUPS
from features.transforms.groups import Entity
from features.views import OBSERVED, TIMESTAMP, definitions, service_of

if TYPE_CHECKING:
    import duckdb

_RECORD = "snapshot.json"
#: Rows of the spine per batch, which bounds memory.
PART_ROWS = 200_000
#: The offline store that Feast finds by this name.
TYPE = "features.sql_store.SqlOfflineStore"
#: What that store reads by, inside `engine`.
CONNECTION: ContextVar["duckdb.DuckDBPyConnection"] = ContextVar("connection")


class FutureLeak(ValueError):
    """A feature row uses events newer than its timestamp."""

    def __init__(self, view: str, rows: pd.DataFrame) -> None:
        some = rows.head(3).to_dict("records")
        super().__init__(f"view '{view}': {len(rows)} rows use events after their {TIMESTAMP}, such as {some}")
        self.view, self.rows = view, rows


@dataclass(frozen=True)
class Snapshot:
    """One service's features: `folder` has `<view>.parquet` for each view, and the Feast registry.

    Rows are at the timestamps of the examples, and at `as_of` for every entity, unless that is empty.
    """

    folder: str
    service: str
    digest: str
    data_hash: str
    as_of: str
    rows: int


def build(
    tables: Tables, service: str, examples: pd.DataFrame, as_of: pd.Timestamp | None, settings: Settings
) -> Snapshot:
    """Compute a service's features for the examples and, unless `as_of` is None, for every entity at that time.

    The snapshot's name is a hash of all inputs, so an existing one is reused.
    Raises `FutureLeak` where a feature row uses later events.
    """
    spine = _spine(tables, service_of(service).entity, examples, as_of)
    data_hash = content_hash(tables.folder)
    digest = _digest(tables, service, spine, data_hash)
    folder = f"{settings.offline_root}/{service}/{digest}"
    snapshot = Snapshot(folder, service, digest, data_hash, as_of.isoformat() if as_of else "", len(spine))
    if not lake.filesystem(folder, settings).exists(f"{folder}/{_RECORD}"):
        with tempfile.TemporaryDirectory() as temporary:
            aside = Path(temporary)
            schemas = _write_views(tables, service, spine, aside, settings)
            _write_registry(snapshot, schemas, aside, settings)
            (aside / _RECORD).write_text(json.dumps(asdict(snapshot), indent=2))
            _publish(aside, folder, settings)
    return snapshot


def training_frame(snapshot: Snapshot, examples: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The examples with point-in-time features joined by Feast, in the order of the examples.

    Several examples may share entity and timestamp; their features are looked up once.
    """
    key = service_of(snapshot.service).entity.key
    with tempfile.TemporaryDirectory() as temporary, engine(snapshot, settings):
        lake.fetch(f"{snapshot.folder}/registry.db", Path(temporary) / "registry.db", settings)
        store = feature_store(snapshot, Path(temporary))
        asked = examples[[key, TIMESTAMP]].drop_duplicates()
        asked = asked.assign(**{TIMESTAMP: asked[TIMESTAMP].dt.tz_localize("UTC")})
        found = store.get_historical_features(asked, store.get_feature_service(snapshot.service)).to_df()
    found[TIMESTAMP] = found[TIMESTAMP].dt.tz_localize(None).astype(examples[TIMESTAMP].dtype)
    return examples.merge(found, on=[key, TIMESTAMP], how="left", validate="many_to_one")


@contextmanager
def engine(snapshot: Snapshot, settings: Settings) -> Iterator[None]:
    """A DuckDB through which Feast reads the snapshot.

    Reads S3 through fsspec, as DuckDB would download an extension.
    """
    with connect(Limits(settings.memory_limit)) as db, ExitStack() as undone:
        if lake.is_remote(snapshot.folder):
            remote = lake.filesystem(snapshot.folder, settings)
            db.register_filesystem(remote)
            for protocol in remote.protocol:
                undone.callback(db.unregister_filesystem, protocol)
        undone.callback(CONNECTION.reset, CONNECTION.set(db))
        yield


def feature_store(snapshot: Snapshot, folder: Path, online: Mapping[str, Any] | None = None) -> Any:
    """Feast over a snapshot, by the `registry.db` in `folder`; `online` is Feast's description of the online store."""
    from features.lean_feast import feast

    return feast.FeatureStore(config=_config(snapshot, folder, online))


def _config(snapshot: Snapshot, folder: Path, online: Mapping[str, Any] | None) -> Any:
    from features.lean_feast import feast

    return feast.RepoConfig(
        # A namespace of its own in the online store.
        project=f"{snapshot.service}_{snapshot.digest[:12]}",
        provider="local",
        registry={"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
        offline_store={"type": TYPE},
        online_store=online,
        entity_key_serialization_version=3,
        repo_path=folder,
    )


def _spine(tables: Tables, entity: Entity, examples: pd.DataFrame, as_of: pd.Timestamp | None) -> pd.DataFrame:
    spine = examples[[entity.key, TIMESTAMP]].drop_duplicates()
    if as_of is not None:
        with tables.connect() as db:
            everyone = db.sql(f"SELECT DISTINCT {entity.key} FROM {tables.sql(entity.table)}").df()
        spine = pd.concat([spine, everyone.assign(**{TIMESTAMP: as_of})])
    spine[TIMESTAMP] = spine[TIMESTAMP].astype("datetime64[us]")
    return spine.drop_duplicates().sort_values([entity.key, TIMESTAMP], ignore_index=True)


def _digest(tables: Tables, service: str, spine: pd.DataFrame, data_hash: str) -> str:
    entity, views = service_of(service).entity, service_of(service).views
    statements = [GROUPS[view].sql(tables).replace(str(tables.folder), "") for view in views]
    moments = int(pd.util.hash_pandas_object(spine, index=False).sum())
    decides = [service, data_hash, moments, entity.history.STATEMENTS, statements, views]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:32]


def _write_views(
    tables: Tables, service: str, spine: pd.DataFrame, folder: Path, settings: Settings
) -> dict[str, pa.Schema]:
    """Write the views in batches of the spine, which is sorted by entity."""
    entity, views = service_of(service).entity, service_of(service).views
    key, writers = entity.key, dict[str, pq.ParquetWriter]()
    with _connect(tables, settings) as db, ExitStack() as files:
        entity.history.read_events(db, tables)
        for start in range(0, max(len(spine), 1), PART_ROWS):
            entity.history.stand_at(db, tables, spine.iloc[start : start + PART_ROWS])
            for view in views:
                rows = db.sql(GROUPS[view].sql(tables)).to_arrow_table()
                if set(rows.column_names) == {key, TIMESTAMP, OBSERVED}:
                    continue  # no columns: Feast has no empty views
                refuse_future(view, rows.select([key, TIMESTAMP, OBSERVED]).to_pandas())
                if view not in writers:
                    # Feast cannot materialize nanoseconds from DuckDB.
                    file = pq.ParquetWriter(folder / f"{view}.parquet", rows.schema, coerce_timestamps="us")
                    writers[view] = files.enter_context(file)
                writers[view].write_table(rows)
    schemas = {view: writer.schema for view, writer in writers.items()}
    _refuse_collisions(schemas, key)
    return schemas


def _connect(tables: Tables, settings: Settings) -> AbstractContextManager[Database]:
    """What computes the features."""
    if settings.spark_master is None:
        return tables.connect()
    from features import spark

    return spark.connect(settings.spark_master)


def _refuse_collisions(schemas: Mapping[str, pa.Schema], key: str) -> None:
    """Raise `ValueError` where an attribute has the name of a computed feature."""
    taken = {"split": "the examples"}  # DuckDB ignores case
    for view, schema in schemas.items():
        for name in (name for name in schema.names if name not in (key, TIMESTAMP, OBSERVED)):
            if name.lower() in taken:
                raise ValueError(f"column '{name}' of {view}: {taken[name.lower()]} has one of this name, rename it")
            taken[name.lower()] = f"view '{view}'"


def refuse_future(view: str, rows: pd.DataFrame) -> None:
    """Raise `FutureLeak` if any of `rows` has observed an event after its event_timestamp."""
    leaking = rows[rows[OBSERVED] > rows[TIMESTAMP]]
    if len(leaking):
        raise FutureLeak(view, leaking)


def _write_registry(snapshot: Snapshot, schemas: Mapping[str, pa.Schema], aside: Path, settings: Settings) -> None:
    endpoint = settings.s3_endpoint_url if lake.is_remote(snapshot.folder) else None
    entity, views, service = definitions(snapshot.service, schemas, snapshot.folder, endpoint)
    feature_store(snapshot, aside).apply([entity, *views, service])


def _publish(aside: Path, folder: str, settings: Settings) -> None:
    """Move a finished snapshot to its final place; keeps an equal one that another run finished first."""
    if lake.is_remote(folder):
        remote = lake.filesystem(folder, settings)
        # The record last: a snapshot without it is not there yet.
        for file in sorted(aside.iterdir(), key=lambda file: file.name == _RECORD):
            remote.put_file(str(file), f"{folder}/{file.name}")
        return
    near = Path(f"{folder}.{uuid.uuid4().hex}")
    shutil.copytree(aside, near)
    try:
        near.replace(folder)
    except OSError:
        if not (Path(folder) / _RECORD).is_file():
            raise
        shutil.rmtree(near)
