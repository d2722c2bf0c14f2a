"""The Feast side of the features: one entity, a view for each group, a service for each family.

A new family adds one line to `SERVICES`, and nothing else here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from features.transforms import GROUPS

if TYPE_CHECKING:
    from feast import Entity, FeatureService, FeatureView

#: The views each FeatureService reads, offline and online. There is no second list of features.
SERVICES: dict[str, tuple[str, ...]] = {
    "churn_v1": tuple(GROUPS),
    "ltv_v1": tuple(GROUPS),
}

ENTITY = "customer_id"
TIMESTAMP = "event_timestamp"
#: The newest event a feature row has looked at: kept in the Parquet files to refuse leaks by, no feature itself.
OBSERVED = "observed_until"


def views_of(service: str) -> tuple[str, ...]:
    """The views of a service. Raises `KeyError` naming those there are."""
    if service not in SERVICES:
        raise KeyError(f"no feature service '{service}'; there are: {', '.join(SERVICES)}")
    return SERVICES[service]


def definitions(
    service: str, schemas: Mapping[str, pa.Schema], folder: str, endpoint: str | None = None
) -> tuple["Entity", list["FeatureView"], "FeatureService"]:
    """The Feast objects of a service, over the Parquet file `<view>.parquet` that `folder` holds for each view.

    Args:
        schemas: of the files, by view; a view's features are the columns its file holds.
        endpoint: S3-compatible endpoint of an `s3://` folder.
    """
    from feast import Entity, FeatureService, FeatureView, Field, FileSource
    from feast.types import Bool, Float64, String
    from feast.value_type import ValueType

    kinds = {pa.float64(): Float64, pa.bool_(): Bool, pa.string(): String}
    customer = Entity(name="customer", join_keys=[ENTITY], value_type=ValueType.STRING)
    views = []
    for name, schema in schemas.items():
        fields = [Field(name=ENTITY, dtype=String)]
        fields += [
            Field(name=column.name, dtype=kinds[column.type])
            for column in schema
            if column.name not in (ENTITY, TIMESTAMP, OBSERVED)
        ]
        source = FileSource(
            path=f"{folder}/{name}.parquet", timestamp_field=TIMESTAMP, s3_endpoint_override=endpoint or ""
        )
        views.append(FeatureView(name=name, entities=[customer], schema=fields, source=source, ttl=None))
    return customer, views, FeatureService(name=service, features=list(views))
