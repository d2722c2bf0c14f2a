"""Feast's offline store on snapshots: Feast says which features of which views are joined, and DuckDB joins them.

Feast's own store for DuckDB describes the same joins to ibis, which takes longer than it takes DuckDB to read and join.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.repo_config import FeastConfigBaseModel

from features.offline import CONNECTION
from features.tables import literal, quoted


class SqlOfflineStoreConfig(FeastConfigBaseModel):
    """Configuration, by Feast's naming convention."""

    type: Literal["features.sql_store.SqlOfflineStore"]


class SqlOfflineStore(OfflineStore):
    """Parquet files by DuckDB. Moments are in UTC: in the files and in what is answered they have no zone."""

    @staticmethod
    def get_historical_features(
        config: Any,
        feature_views: list[Any],
        feature_refs: list[str],
        entity_df: Any,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
    ) -> "_Query":
        """The rows of `entity_df`, each with the newest features that are no later than it.

        All views of a snapshot have the same rows, so the newest moment is found once, and not in rows ever wider.
        """
        moment = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        first = feature_views[0]
        key, at = quoted(first.entity_columns[0].name), quoted(first.batch_source.timestamp_field)
        newest = f"(SELECT {key}, {at} FROM {_read(first.batch_source)}) newest"
        on = f"asked.{key} = newest.{key} AND asked.{quoted(moment)} >= newest.{at}"
        joins = [f"asked ASOF LEFT JOIN {newest} ON {on}"]
        columns = ["asked.*"]
        for number, view in enumerate(feature_views):
            name = f"view_{number}"
            columns += [f"{name}.{quoted(one)}" for one in _named(view.projection.name_to_use(), feature_refs)]
            on = f"{name}.{key} = newest.{key} AND {name}.{at} = newest.{at}"
            joins.append(f"LEFT JOIN {_read(view.batch_source)} {name} ON {on}")
        asked = entity_df.assign(**{moment: entity_df[moment].dt.tz_convert("UTC").dt.tz_localize(None)})
        return _Query(f"SELECT {', '.join(columns)} FROM {' '.join(joins)}", asked)

    @staticmethod
    def pull_all_from_table_or_query(
        config: Any,
        data_source: Any,
        join_key_columns: Sequence[str],
        feature_name_columns: Sequence[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> "_Query":
        """All rows of a view between two moments."""
        columns = ", ".join(quoted(one) for one in (*join_key_columns, *feature_name_columns, timestamp_field))
        bounds = [
            f"{quoted(timestamp_field)} {sign} TIMESTAMP {literal(str(at.astimezone(UTC).replace(tzinfo=None)))}"
            for sign, at in ((">=", start_date), ("<=", end_date))
            if at is not None
        ]
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        return _Query(f"SELECT {columns} FROM {_read(data_source)}{where}")


@dataclass
class _Query(RetrievalJob):
    """What a query finds; it may read `asked`."""

    query: str
    asked: pd.DataFrame | None = None

    @property
    def full_feature_names(self) -> bool:
        return False

    @property
    def on_demand_feature_views(self) -> list[Any]:
        return []

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal().to_pandas()

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        database = CONNECTION.get()
        if self.asked is not None:
            database.register("asked", self.asked)
        return database.sql(self.query).to_arrow_table()


def _named(view: str, references: Sequence[str]) -> list[str]:
    """The features of a view among `<view>:<feature>`."""
    return [one.removeprefix(f"{view}:") for one in references if one.startswith(f"{view}:")]


def _read(source: Any) -> str:
    return f"read_parquet({literal(source.path)})"
