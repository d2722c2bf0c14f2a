"""Who an audience is, as Google tells it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from serving.integrations.google_ads.connection import GoogleAdsConnection

if TYPE_CHECKING:
    import pyarrow as pa

DIMENSIONS = ("AGE_RANGE", "GENDER", "AFFINITY_USER_INTEREST", "IN_MARKET_USER_INTEREST")


def read(connection: GoogleAdsConnection, country: int, interest: int = 0) -> "pa.Table":
    """The make-up of an audience beside everybody in its country.

    Args:
        country: Google's id of a country's location (2840: United States).
        interest: Google's id of a user interest that the audience has; 0 for none.

    Returns: a row an attribute: `dimension`, `attribute`, `share`, `baseline_share`, `index` (their ratio as Google
        tells it).
    """
    import pyarrow as pa

    service = "services.types.audience_insights_service"
    request = connection.message(service, "GenerateAudienceCompositionInsightsRequest")
    request.customer_id = connection.credentials.customer_id
    for audience in (request.audience, request.baseline_audience):
        audience.country_locations.add().geo_target_constant = f"geoTargetConstants/{country}"
    if interest:
        attributes = request.audience.topic_audience_combinations.add().attributes
        customer = connection.credentials.customer_id
        attributes.add().user_interest.user_interest_category = f"customers/{customer}/userInterests/{interest}"
    request.dimensions.extend(_number(request, name) for name in DIMENSIONS)
    answer = connection.call("audience_insights_service", "generate_audience_composition_insights", request)
    return pa.Table.from_pylist([row for section in answer.sections for row in _rows(section)])


def _number(request: Any, name: str) -> int:
    about = request.DESCRIPTOR.fields_by_name["dimensions"].enum_type
    return int(about.values_by_name[name].number)


def _rows(section: Any) -> Iterator[dict[str, Any]]:
    dimension = section.DESCRIPTOR.fields_by_name["dimension"].enum_type.values_by_number[section.dimension].name
    for one in section.top_attributes:
        yield {
            "dimension": dimension.lower(),
            "attribute": one.attribute_metadata.display_name,
            "share": one.metrics.audience_share,
            "baseline_share": one.metrics.baseline_audience_share,
            "index": one.metrics.index,
        }
