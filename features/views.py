"""The Feast side of the features: an entity for each thing known, a view for each group, a service for each family.

A new family adds one line to `SERVICES`, and nothing else here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from features.movement import Movement
from features.tables import Tables, only
from features.transforms import GROUPS, moves

if TYPE_CHECKING:
    import feast


@dataclass(frozen=True)
class Entity:
    """What features are of: its name, the key its rows are joined by, and the table that tells which there are."""

    name: str
    key: str
    table: str


@dataclass(frozen=True)
class Service:
    """The views a FeatureService reads, all of one entity."""

    entity: Entity
    views: tuple[str, ...]


CUSTOMER = Entity("customer", "customer_id", "customers")
CAMPAIGN = Entity("campaign", "campaign_id", "auctions")
_OF_CUSTOMERS = Service(CUSTOMER, tuple(group for group in GROUPS if group != "market"))

#: What each family reads, offline and online. There is no second list of features.
SERVICES: dict[str, Service] = {
    "churn_v1": _OF_CUSTOMERS,
    "ltv_v1": _OF_CUSTOMERS,
    "bidding_v1": Service(CAMPAIGN, ("market",)),
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
    return {name: movement for view in service_of(service).views for name, movement in moves(view, tables).items()}


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
    of = service_of(service).entity
    entity = feast.Entity(name=of.name, join_keys=[of.key], value_type=feast.ValueType.STRING)
    views = []
    for name, schema in schemas.items():
        fields = [feast.Field(name=of.key, dtype=text)]
        fields += [
            feast.Field(name=column.name, dtype=kinds[column.type])
            for column in schema
            if column.name not in (of.key, TIMESTAMP, OBSERVED)
        ]
        source = feast.FileSource(
            path=only(f"{folder}/{name}.parquet"), timestamp_field=TIMESTAMP, s3_endpoint_override=endpoint or ""
        )
        views.append(feast.FeatureView(name=name, entities=[entity], schema=fields, source=source, ttl=None))
    return entity, views, feast.FeatureService(name=service, features=list(views))
