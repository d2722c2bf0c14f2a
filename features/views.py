"""The Feast side of the features: a view for each group, a service for each family.

A new family adds one line to `SERVICES`, and nothing else here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from features.movement import Movement
from features.tables import Tables, only
from features.transforms import CAMPAIGN, CREATIVE, CUSTOMER, GROUPS
from features.transforms.groups import Entity

if TYPE_CHECKING:
    import feast


@dataclass(frozen=True)
class Service:
    """The views a FeatureService reads: groups of features, all of one entity."""

    entity: Entity
    views: tuple[str, ...]

    @classmethod
    def of(cls, entity: Entity) -> Self:
        """All groups there are of `entity`."""
        return cls(entity, tuple(name for name, group in GROUPS.items() if group.entity == entity))


#: What each family reads, offline and online. There is no second list of features.
SERVICES: dict[str, Service] = {
    "churn_v1": Service.of(CUSTOMER),
    "ltv_v1": Service.of(CUSTOMER),
    "bidding_v1": Service.of(CAMPAIGN),
    "creative_v1": Service.of(CREATIVE),
}

TIMESTAMP = "event_timestamp"
#: The newest event a feature row has looked at: kept in the Parquet files to refuse leaks by, no feature itself.
OBSERVED = "observed_until"


def service_of(name: str) -> Service:
    """The service called `name`. Raises `KeyError` naming those there are."""
    if name not in SERVICES:
        raise KeyError(f"no feature service '{name}'; there are: {', '.join(SERVICES)}")
    return SERVICES[name]


def moving(service: str, tables: Tables) -> dict[str, Movement]:
    """The features of a service that move as time goes by, and how."""
    found: dict[str, Movement] = {}
    for view in service_of(service).views:
        found |= GROUPS[view].moves(tables)
    return found


def definitions(
    service: str, schemas: Mapping[str, pa.Schema], folder: str, endpoint: str | None = None
) -> tuple["feast.Entity", list["feast.FeatureView"], "feast.FeatureService"]:
    """The Feast objects of a service, over the Parquet file `<view>.parquet` that `folder` holds for each view.

    Args:
        schemas: of the files, by view; a view's features are the columns its file holds.
        endpoint: S3-compatible endpoint of an `s3://` folder.
    """
    from features.lean_feast import feast

    text = feast.types.String
    kinds = {pa.float64(): feast.types.Float64, pa.bool_(): feast.types.Bool, pa.string(): text}
    vector = feast.types.Array(feast.types.Float64)
    of = service_of(service).entity
    entity = feast.Entity(name=of.name, join_keys=[of.key], value_type=feast.ValueType.STRING)
    views = []
    for name, schema in schemas.items():
        fields = [feast.Field(name=of.key, dtype=text)]
        fields += [
            feast.Field(name=column.name, dtype=vector if pa.types.is_list(column.type) else kinds[column.type])
            for column in schema
            if column.name not in (of.key, TIMESTAMP, OBSERVED)
        ]
        source = feast.FileSource(
            path=only(f"{folder}/{name}.parquet"), timestamp_field=TIMESTAMP, s3_endpoint_override=endpoint or ""
        )
        views.append(feast.FeatureView(name=name, entities=[entity], schema=fields, source=source, ttl=None))
    return entity, views, feast.FeatureService(name=service, features=list(views))
